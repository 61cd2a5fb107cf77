-- +goose Up
-- Rehabilitation programmes: which body has a case, what it drafted with the person, and who looked.

-- A programme may be taken, moved and worded by the person, may be asked for again, and ends when another decision holds.
ALTER TABLE case_steps DROP CONSTRAINT case_steps_ways_programme;
ALTER TABLE case_steps ADD CONSTRAINT case_steps_ways_programme CHECK ((procedure, kind) <> ('tseras', 'programme') OR (from_state, to_state, part) IN (
    ('', 'awaiting_invitation', 'system'),
    ('', 'awaiting_invitation', 'subject'),
    ('', 'awaiting_invitation', 'clerk'),
    ('awaiting_invitation', 'awaiting_invitation', 'office'),
    ('awaiting_invitation', 'awaiting_meeting', 'office'),
    ('awaiting_invitation', 'withdrawn', 'subject'),
    ('awaiting_invitation', 'withdrawn', 'clerk'),
    ('awaiting_invitation', 'declined', 'system'),
    ('awaiting_meeting', 'awaiting_meeting', 'subject'),
    ('awaiting_meeting', 'awaiting_meeting', 'clerk'),
    ('awaiting_meeting', 'awaiting_meeting', 'office'),
    ('awaiting_meeting', 'drafted', 'office'),
    ('awaiting_meeting', 'lapsed', 'office'),
    ('awaiting_meeting', 'withdrawn', 'subject'),
    ('awaiting_meeting', 'withdrawn', 'clerk'),
    ('awaiting_meeting', 'declined', 'system'),
    ('drafted', 'drafted', 'subject'),
    ('drafted', 'drafted', 'clerk'),
    ('drafted', 'drafted', 'office'),
    ('drafted', 'entered', 'office'),
    ('drafted', 'withdrawn', 'subject'),
    ('drafted', 'withdrawn', 'clerk'),
    ('drafted', 'declined', 'system')));

-- A decision has one programme under way; what was entered stays, and a further one may follow it.
DROP INDEX cases_one_programme;
CREATE UNIQUE INDEX cases_one_programme ON cases (about)
    WHERE kind = 'programme' AND state NOT IN ('declined', 'withdrawn', 'lapsed', 'entered');

-- The districts that a body serves.
CREATE TABLE organisation_districts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    district        text NOT NULL CHECK (district <> ''),
    added_at        timestamptz NOT NULL,
    ended_at        timestamptz CHECK (ended_at >= added_at)
);
CREATE UNIQUE INDEX organisation_districts_current ON organisation_districts (organisation_id, district) WHERE ended_at IS NULL;

CREATE TABLE tseras_programmes (
    case_id  bigint PRIMARY KEY REFERENCES cases,
    decision bigint NOT NULL REFERENCES tseras_decisions,
    district text NOT NULL -- of the person, as the population register said; empty: it did not
);

-- Who has taken a case. The latest counts, as long as the body is open and has the duty.
CREATE TABLE tseras_programme_bodies (
    case_id         bigint NOT NULL REFERENCES tseras_programmes,
    n               int NOT NULL CHECK (n >= 1),
    organisation_id bigint NOT NULL REFERENCES organisations,
    taken_at        timestamptz NOT NULL,
    PRIMARY KEY (case_id, n)
);

-- What was prepared with the person. The latest counts; the step into "entered" names it, with its SHA-256.
CREATE TABLE tseras_programme_drafts (
    case_id bigint NOT NULL REFERENCES tseras_programmes,
    n       int NOT NULL CHECK (n >= 1),
    draft   jsonb NOT NULL,
    PRIMARY KEY (case_id, n)
);

CREATE TABLE tseras_programme_looks (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id         bigint NOT NULL REFERENCES tseras_programmes,
    organisation_id bigint NOT NULL REFERENCES organisations,
    fin             text NOT NULL CHECK (fin ~ '^[0-9A-HJ-NP-Z]{7}$'),
    at              timestamptz NOT NULL
);
CREATE INDEX tseras_programme_looks_case ON tseras_programme_looks (case_id);

-- The telephone that a person chose for messages, only while a programme of his is open.
CREATE VIEW tseras_programme_telephones AS
    SELECT c.id AS case_id, k.address
    FROM cases c
    JOIN LATERAL (SELECT h.contact_id, h.channel FROM channel_choices h WHERE h.fin = c.subject ORDER BY h.id DESC LIMIT 1) h ON h.channel = 'sms'
    JOIN contacts k ON k.id = h.contact_id
    WHERE c.kind = 'programme' AND c.state IN ('awaiting_invitation', 'awaiting_meeting', 'drafted');

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC;
GRANT SELECT, INSERT ON tseras_programmes, tseras_programme_bodies, tseras_programme_drafts, tseras_programme_looks TO tesdiq_casework;
GRANT SELECT ON tseras_programme_telephones TO tesdiq_casework;
GRANT SELECT (organisation_id, district, ended_at) ON organisation_districts TO tesdiq_casework;
GRANT SELECT, INSERT ON organisation_districts TO tesdiq_operator;
GRANT UPDATE (ended_at) ON organisation_districts TO tesdiq_operator;
