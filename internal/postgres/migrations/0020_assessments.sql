-- +goose Up
-- Cases: the procedures that end in an entry, the first of them the assessment of disability (TSERAS).

-- A case's head never changes; where it stands is its latest step, and steps are only added. The chain of foreign keys lets no state
-- be reached but by a step from the state before, and the CHECK of case_steps lets no step be taken that the procedure does not know.
CREATE SEQUENCE case_numbers AS bigint MINVALUE 1;

CREATE TABLE cases (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number    text NOT NULL UNIQUE CHECK (number ~ '^T-\d{4}-\d{6,}$'),
    procedure text NOT NULL CHECK (procedure IN ('tseras')),
    kind      text NOT NULL CHECK (kind IN ('assessment')),
    subject   text NOT NULL CHECK (subject ~ '^[0-9A-HJ-NP-Z]{7}$'),
    opened_at timestamptz NOT NULL,
    law_on    date NOT NULL,
    -- Who asked, and under which key of his: the same request sent twice is one case.
    request   text NOT NULL UNIQUE CHECK (request <> ''),
    seq       int  NOT NULL CHECK (seq >= 1),
    state     text NOT NULL CHECK (state <> ''),
    UNIQUE (id, procedure, kind)
);
CREATE INDEX cases_subject ON cases (subject, id);
CREATE INDEX cases_at_work ON cases (procedure, kind, state, id) WHERE state NOT IN ('decided', 'declined', 'withdrawn');
-- Nobody is assessed in two cases at a time.
CREATE UNIQUE INDEX cases_one_assessment ON cases (subject) WHERE kind = 'assessment' AND state NOT IN ('decided', 'declined', 'withdrawn');

CREATE TABLE case_steps (
    case_id    bigint NOT NULL,
    procedure  text NOT NULL,
    kind       text NOT NULL,
    seq        int  NOT NULL CHECK (seq >= 1),
    before     int  GENERATED ALWAYS AS (nullif(seq - 1, 0)) STORED,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    at         timestamptz NOT NULL,
    part       text NOT NULL,
    actor_fin  text CHECK (actor_fin ~ '^[0-9A-HJ-NP-Z]{7}$'),
    office     text NOT NULL,
    what       text NOT NULL CHECK (what <> ''),
    args       jsonb NOT NULL,
    turn       text NOT NULL CHECK (turn IN ('subject', 'institution', 'agencies', 'commission', 'nobody')),
    began      date NOT NULL,
    due_by     date CHECK (due_by >= began),
    provisional boolean NOT NULL,
    PRIMARY KEY (case_id, seq),
    UNIQUE (case_id, seq, to_state),
    FOREIGN KEY (case_id, procedure, kind) REFERENCES cases (id, procedure, kind),
    FOREIGN KEY (case_id, before, from_state) REFERENCES case_steps (case_id, seq, to_state),
    CHECK ((seq = 1) = (from_state = '')),
    CHECK ((actor_fin IS NULL) = (part IN ('institution', 'system'))),
    CHECK ((office = '') = (part IN ('subject', 'system'))),
    CONSTRAINT case_steps_ways CHECK ((procedure, kind, from_state, to_state, part) IN (
        ('tseras', 'assessment', '', 'gathering', 'subject'),
        ('tseras', 'assessment', '', 'gathering', 'clerk'),
        ('tseras', 'assessment', '', 'gathering', 'institution'),
        ('tseras', 'assessment', 'gathering', 'decided', 'system'),
        ('tseras', 'assessment', 'gathering', 'awaiting_referral', 'system'),
        ('tseras', 'assessment', 'gathering', 'awaiting_draw', 'system'),
        ('tseras', 'assessment', 'gathering', 'declined', 'system'),
        ('tseras', 'assessment', 'gathering', 'withdrawn', 'subject'),
        ('tseras', 'assessment', 'gathering', 'withdrawn', 'clerk'),
        ('tseras', 'assessment', 'awaiting_referral', 'gathering', 'institution'),
        ('tseras', 'assessment', 'awaiting_referral', 'declined', 'institution'),
        ('tseras', 'assessment', 'awaiting_referral', 'withdrawn', 'subject'),
        ('tseras', 'assessment', 'awaiting_referral', 'withdrawn', 'clerk'),
        ('tseras', 'assessment', 'awaiting_draw', 'drawn', 'system'),
        ('tseras', 'assessment', 'awaiting_draw', 'withdrawn', 'subject'),
        ('tseras', 'assessment', 'awaiting_draw', 'withdrawn', 'clerk'),
        ('tseras', 'assessment', 'drawn', 'drawn', 'chair'),
        ('tseras', 'assessment', 'drawn', 'further_member', 'system'),
        ('tseras', 'assessment', 'drawn', 'signing', 'system'),
        ('tseras', 'assessment', 'drawn', 'withdrawn', 'subject'),
        ('tseras', 'assessment', 'drawn', 'withdrawn', 'clerk'),
        ('tseras', 'assessment', 'further_member', 'signing', 'system'),
        ('tseras', 'assessment', 'signing', 'further_member', 'member'),
        ('tseras', 'assessment', 'signing', 'further_member', 'chair'),
        ('tseras', 'assessment', 'signing', 'decided', 'system')))
);
ALTER TABLE cases ADD CONSTRAINT cases_stand FOREIGN KEY (id, seq, state) REFERENCES case_steps (case_id, seq, to_state)
    DEFERRABLE INITIALLY DEFERRED;

-- Medical institutions are organisations that refer; the district is that of the population register.
ALTER TABLE organisations DROP CONSTRAINT organisations_sort_check;
ALTER TABLE organisations ADD CONSTRAINT organisations_sort_check CHECK (sort IN ('bank', 'employer', 'office', 'medical'));
CREATE TABLE medical_institutions (
    organisation_id bigint PRIMARY KEY REFERENCES organisations,
    district        text NOT NULL CHECK (district <> '')
);

-- Commissions and their members. A person sits in one commission only.
CREATE TABLE commissions (
    id        text PRIMARY KEY CHECK (id ~ '^K\d{2,3}$'),
    name      text NOT NULL CHECK (name <> ''),
    districts text[] NOT NULL,
    added_at  timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE TABLE commission_members (
    id            text PRIMARY KEY CHECK (id ~ '^K\d{2,3}-\d+$'),
    commission_id text NOT NULL REFERENCES commissions,
    fin           text NOT NULL CHECK (fin ~ '^[0-9A-HJ-NP-Z]{7}$'),
    name          text NOT NULL CHECK (name <> ''),
    chair         boolean NOT NULL,
    added_at      timestamptz NOT NULL,
    ended_at      timestamptz,
    CHECK (starts_with(id, commission_id || '-'))
);
CREATE UNIQUE INDEX commission_members_current ON commission_members (fin) WHERE ended_at IS NULL;

-- The referral, as the institution signed it.
CREATE TABLE tseras_referrals (
    case_id         bigint PRIMARY KEY REFERENCES cases,
    organisation_id bigint NOT NULL REFERENCES medical_institutions,
    district        text NOT NULL,
    number          text NOT NULL CHECK (number <> ''),
    referral        jsonb NOT NULL,
    signed          text NOT NULL CHECK (signed <> ''),
    received_at     timestamptz NOT NULL,
    UNIQUE (organisation_id, number)
);

-- What the registers answered, or that they did not; the latest of each counts.
CREATE TABLE tseras_evidence (
    case_id  bigint NOT NULL REFERENCES cases,
    register text NOT NULL CHECK (register <> ''),
    n        int NOT NULL CHECK (n >= 1),
    answered boolean NOT NULL,
    outcome  jsonb NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (case_id, register, n)
);

-- Draws, in rounds: the commitment to a seed stands before anybody can know the cases, the seed is opened with the draw, and what was
-- drawn is open when the case is closed.
CREATE TABLE draw_rounds (
    round        bigint PRIMARY KEY CHECK (round >= 1),
    commitment   bytea NOT NULL UNIQUE CHECK (length(commitment) = 32),
    committed_at timestamptz NOT NULL
);
CREATE TABLE draw_seeds (
    round     bigint PRIMARY KEY REFERENCES draw_rounds,
    seed      bytea NOT NULL CHECK (length(seed) = 32),
    opened_at timestamptz NOT NULL
);
CREATE TABLE drawings (
    round      bigint NOT NULL REFERENCES draw_rounds,
    ref        text NOT NULL CHECK (ref <> ''),
    case_id    bigint NOT NULL REFERENCES cases,
    commitment bytea NOT NULL CHECK (length(commitment) = 32),
    salt       bytea NOT NULL CHECK (length(salt) = 16),
    drawing    json NOT NULL, -- json, not jsonb: the commitment is to its bytes
    PRIMARY KEY (round, ref)
);
CREATE INDEX drawings_case ON drawings (case_id);

-- What a commission sees. Its role reads nothing else of a case: not whose it is, and not who sent it.
CREATE TABLE tseras_blind (
    number   text PRIMARY KEY CHECK (number ~ '^\d{8}$'),
    case_id  bigint NOT NULL UNIQUE REFERENCES cases,
    referral jsonb NOT NULL
);
CREATE TABLE tseras_seats (
    number    text NOT NULL REFERENCES tseras_blind,
    member_id text NOT NULL REFERENCES commission_members,
    role      text NOT NULL CHECK (role IN ('chair', 'member', 'further')),
    seated_at timestamptz NOT NULL,
    PRIMARY KEY (number, member_id)
);
CREATE INDEX tseras_seats_member ON tseras_seats (member_id);
CREATE UNIQUE INDEX tseras_seats_chair ON tseras_seats (number) WHERE role = 'chair';

-- Each member's looks at a case, his findings, and his signature under what the rules computed from them all.
CREATE TABLE tseras_looks (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number    text NOT NULL,
    member_id text NOT NULL,
    at        timestamptz NOT NULL,
    FOREIGN KEY (number, member_id) REFERENCES tseras_seats
);
CREATE INDEX tseras_looks_number ON tseras_looks (number);
CREATE TABLE tseras_findings (
    number      text NOT NULL,
    member_id   text NOT NULL,
    findings    jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (number, member_id),
    FOREIGN KEY (number, member_id) REFERENCES tseras_seats
);
CREATE TABLE tseras_proposals (
    number   text NOT NULL REFERENCES tseras_blind,
    n        int NOT NULL CHECK (n >= 1),
    result   jsonb NOT NULL, -- what the rules computed, as the commission may see it
    digest   bytea NOT NULL CHECK (length(digest) = 32), -- SHA-256 of salt and package: what is signed
    salt     bytea NOT NULL CHECK (length(salt) = 16),   -- without it the few days that could be a birthday might be tried
    package  bytea NOT NULL,
    made_at  timestamptz NOT NULL,
    PRIMARY KEY (number, n)
);
CREATE TABLE tseras_signatures (
    number    text NOT NULL,
    n         int NOT NULL,
    member_id text NOT NULL,
    signs     boolean NOT NULL, -- false: refuses, for a reason
    reason    text NOT NULL,
    explains  text NOT NULL, -- to the person: why the result differs from last time's; by the chair
    evidence  text NOT NULL, -- what the sign-in provider signed over the digest
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (number, n, member_id),
    FOREIGN KEY (number, n) REFERENCES tseras_proposals (number, n),
    FOREIGN KEY (number, member_id) REFERENCES tseras_seats,
    CHECK (signs = (reason = ''))
);

-- The chair's wish for the longer term, once a case.
CREATE TABLE tseras_extensions (
    number    text PRIMARY KEY,
    member_id text NOT NULL,
    reason    text NOT NULL CHECK (reason <> ''),
    asked_at  timestamptz NOT NULL,
    FOREIGN KEY (number, member_id) REFERENCES tseras_seats
);

-- The decision: its package, from which anybody recomputes it, and the entry that was made with it.
CREATE TABLE tseras_decisions (
    case_id    bigint PRIMARY KEY REFERENCES cases,
    entry_id   bigint UNIQUE REFERENCES entries, -- none where an indefinite disability stays as it is
    alone      boolean NOT NULL, -- by the registers' evidence, without a commission
    package    bytea NOT NULL,
    decided_at timestamptz NOT NULL
);

-- How a commission's case stands, under the number by which it knows it.
CREATE VIEW tseras_blind_cases AS
    SELECT b.number, c.state, s.began, s.due_by, s.provisional
    FROM tseras_blind b
    JOIN cases c ON c.id = b.case_id
    JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq;

ALTER TABLE ledger_lines DROP CONSTRAINT ledger_lines_kind_check;
ALTER TABLE ledger_lines ADD CONSTRAINT ledger_lines_kind_check
    CHECK (kind IN ('entry', 'intent', 'excerpt', 'check', 'withdrawal', 'revocation', 'look', 'renewal', 'certificate', 'reissue',
        'step', 'round', 'drawing', 'finding', 'decision')) NOT VALID;
ALTER TABLE ledger_lines VALIDATE CONSTRAINT ledger_lines_kind_check;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC;
GRANT INSERT (kind, object, key, mac) ON ledger_lines TO tesdiq_casework, tesdiq_commission;

-- casework: moves cases, and enters examinations with the decision; of persons it reads what an application needs.
GRANT SELECT, INSERT ON cases, case_steps, tseras_referrals, tseras_evidence, draw_rounds, draw_seeds, drawings, tseras_blind, tseras_seats,
    tseras_proposals, tseras_decisions TO tesdiq_casework;
GRANT UPDATE (seq, state) ON cases TO tesdiq_casework;
GRANT USAGE ON SEQUENCE case_numbers TO tesdiq_casework;
GRANT SELECT ON tseras_looks, tseras_findings, tseras_signatures, tseras_extensions, commissions, commission_members, medical_institutions TO tesdiq_casework;
GRANT SELECT (id, name, sort, closed_at) ON organisations TO tesdiq_casework;
GRANT SELECT ON entries, persons, examinations TO tesdiq_casework;
GRANT INSERT ON entries, examinations, messages TO tesdiq_casework;

GRANT SELECT (id) ON messages TO tesdiq_casework;
GRANT INSERT (message_id, at, due_at) ON outbox TO tesdiq_casework;

-- commission: what its members see and record, and nothing by which a person could be found.
GRANT SELECT (number, referral) ON tseras_blind TO tesdiq_commission;
GRANT SELECT ON tseras_blind_cases, tseras_seats, commissions, commission_members TO tesdiq_commission;
GRANT SELECT (number, n, result, digest, made_at) ON tseras_proposals TO tesdiq_commission;
GRANT SELECT, INSERT ON tseras_findings, tseras_signatures, tseras_extensions TO tesdiq_commission;
GRANT INSERT ON tseras_looks TO tesdiq_commission;

-- operator: commissions, their members, and which organisations are medical institutions.
GRANT SELECT, INSERT ON commissions, commission_members, medical_institutions TO tesdiq_operator;
GRANT UPDATE (closed_at) ON commissions TO tesdiq_operator;
GRANT UPDATE (ended_at) ON commission_members TO tesdiq_operator;
