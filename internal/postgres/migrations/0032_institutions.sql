-- +goose Up
-- Medical institutions see what they referred and who waits for a referral of theirs, and may say that there is no ground for one.

-- By this code the register of who is registered where names the institution; without one nobody is led to it.
ALTER TABLE medical_institutions ADD COLUMN code text UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,15}$');

-- Who of an institution acted, when it was no program.
ALTER TABLE tseras_referrals ADD COLUMN member text CHECK (member ~ '^[0-9A-HJ-NP-Z]{7}$');
CREATE INDEX tseras_referrals_institution ON tseras_referrals (organisation_id, received_at DESC, case_id DESC);

-- Which institution was asked to examine and refer, by the step that asked. A step of which no row is here asked none: the register
-- named an institution that is not among ours.
CREATE TABLE tseras_referral_requests (
    case_id         bigint NOT NULL,
    seq             int NOT NULL,
    organisation_id bigint NOT NULL REFERENCES medical_institutions,
    PRIMARY KEY (case_id, seq),
    FOREIGN KEY (case_id, seq) REFERENCES case_steps (case_id, seq)
);
CREATE INDEX tseras_referral_requests_institution ON tseras_referral_requests (organisation_id, case_id);

-- That the institution found no ground for a referral, as it signed it; the step says the same to the person.
CREATE TABLE tseras_refusals (
    case_id         bigint PRIMARY KEY REFERENCES cases,
    organisation_id bigint NOT NULL REFERENCES medical_institutions,
    reason          text NOT NULL CHECK (reason IN ('no_ground', 'diagnostics_refused', 'did_not_come')),
    words           text NOT NULL,
    member          text CHECK (member ~ '^[0-9A-HJ-NP-Z]{7}$'),
    signed          text NOT NULL CHECK (signed <> ''),
    at              timestamptz NOT NULL,
    CHECK (reason <> 'no_ground' OR words <> '')
);

-- That an institution read the result of whom it had referred, once a day for each who read.
CREATE TABLE tseras_result_looks (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id         bigint NOT NULL REFERENCES cases,
    organisation_id bigint NOT NULL REFERENCES medical_institutions,
    member          text CHECK (member ~ '^[0-9A-HJ-NP-Z]{7}$'),
    day             date NOT NULL,
    at              timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (case_id, organisation_id, member, day)
);

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC;
GRANT SELECT, INSERT ON tseras_referral_requests, tseras_refusals, tseras_result_looks TO tesdiq_casework;
GRANT SELECT (organisation_id, fin, role, ended_at) ON members TO tesdiq_casework; -- whom of an institution to tell
GRANT UPDATE (code) ON medical_institutions TO tesdiq_operator;
GRANT SELECT (sort) ON organisations TO tesdiq_cabinet, tesdiq_reception;
