-- +goose Up
-- Appeals: what is disputed, when commissions examine in person, and the slots that they give.

-- A decision is appealed once; what was taken back may be asked for again.
CREATE UNIQUE INDEX cases_one_appeal ON cases (about) WHERE kind = 'appeal' AND state <> 'withdrawn';

-- What the person disputes, for the file: no commission reads it.
CREATE TABLE tseras_appeals (
    case_id bigint PRIMARY KEY REFERENCES cases,
    points  text[] NOT NULL CHECK (cardinality(points) BETWEEN 1 AND 5 AND points <@ ARRAY['condition', 'activities', 'cause', 'term', 'other']),
    words   text NOT NULL CHECK (length(words) <= 1000)
);

-- When and where a commission examines in person: on one day of the week, so many at a time.
CREATE TABLE commission_hours (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commission_id text NOT NULL REFERENCES commissions,
    weekday       int NOT NULL CHECK (weekday BETWEEN 1 AND 7), -- 1 is Monday
    opens         int NOT NULL CHECK (opens >= 0),              -- minutes since midnight in Baku
    closes        int NOT NULL CHECK (closes <= 1440),
    minutes       int NOT NULL CHECK (minutes BETWEEN 5 AND 240 AND opens + minutes <= closes),
    at_a_time     int NOT NULL CHECK (at_a_time BETWEEN 1 AND 20),
    place         text NOT NULL CHECK (place <> ''),
    added_at      timestamptz NOT NULL,
    ended_at      timestamptz CHECK (ended_at >= added_at)
);
CREATE UNIQUE INDEX commission_hours_current ON commission_hours (commission_id, weekday) WHERE ended_at IS NULL;

-- A slot is given to a case, and may be given back. Who gets it next has the next turn, and no turn is there before the one before was
-- given back: so no two cases ever hold the same slot, and, by n, no case two slots.
CREATE TABLE tseras_slots (
    number        text NOT NULL REFERENCES tseras_blind,
    n             int NOT NULL CHECK (n >= 1),
    before_n      int GENERATED ALWAYS AS (nullif(n - 1, 0)) STORED,
    commission_id text NOT NULL REFERENCES commissions,
    starts_at     timestamptz NOT NULL,
    lane          int NOT NULL CHECK (lane BETWEEN 1 AND 20), -- which of those at a time
    turn          int NOT NULL CHECK (turn >= 1),
    before_turn   int GENERATED ALWAYS AS (nullif(turn - 1, 0)) STORED,
    ends_at       timestamptz NOT NULL CHECK (ends_at > starts_at),
    place         text NOT NULL CHECK (place <> ''),
    given_at      timestamptz NOT NULL,
    PRIMARY KEY (number, n),
    UNIQUE (commission_id, starts_at, lane, turn),
    UNIQUE (number, n, commission_id, starts_at, lane, turn)
);
CREATE TABLE tseras_slot_returns (
    number        text NOT NULL,
    n             int NOT NULL,
    commission_id text NOT NULL,
    starts_at     timestamptz NOT NULL,
    lane          int NOT NULL,
    turn          int NOT NULL,
    why           text NOT NULL CHECK (why IN ('moved', 'cannot', 'absent', 'withdrawn')),
    returned_at   timestamptz NOT NULL,
    PRIMARY KEY (number, n),
    UNIQUE (commission_id, starts_at, lane, turn),
    FOREIGN KEY (number, n, commission_id, starts_at, lane, turn) REFERENCES tseras_slots (number, n, commission_id, starts_at, lane, turn)
);
ALTER TABLE tseras_slots
    ADD FOREIGN KEY (number, before_n) REFERENCES tseras_slot_returns (number, n),
    ADD FOREIGN KEY (commission_id, starts_at, lane, before_turn) REFERENCES tseras_slot_returns (commission_id, starts_at, lane, turn);
CREATE INDEX tseras_slots_when ON tseras_slots (starts_at);

-- The chair's word that the person did not come; and who was reminded of which slot.
CREATE TABLE tseras_absences (
    number    text NOT NULL,
    n         int NOT NULL,
    member_id text NOT NULL,
    said_at   timestamptz NOT NULL,
    PRIMARY KEY (number, n),
    FOREIGN KEY (number, n) REFERENCES tseras_slots (number, n),
    FOREIGN KEY (number, member_id) REFERENCES tseras_seats
);
CREATE TABLE tseras_slot_reminders (
    number text NOT NULL,
    n      int NOT NULL,
    at     timestamptz NOT NULL,
    PRIMARY KEY (number, n),
    FOREIGN KEY (number, n) REFERENCES tseras_slots (number, n)
);

-- A commission knows of which kind its case is, and the slot that holds.
CREATE OR REPLACE VIEW tseras_blind_cases AS
    SELECT b.number, c.state, s.began, s.due_by, s.provisional, c.kind
    FROM tseras_blind b
    JOIN cases c ON c.id = b.case_id
    JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq;
CREATE VIEW tseras_slots_held AS
    SELECT s.number, s.n, s.commission_id, s.starts_at, s.ends_at, s.lane, s.place, s.given_at
    FROM tseras_slots s
    WHERE NOT EXISTS (SELECT FROM tseras_slot_returns r WHERE r.number = s.number AND r.n = s.n);

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC;
GRANT SELECT, INSERT ON tseras_appeals, tseras_slots, tseras_slot_returns, tseras_slot_reminders TO tesdiq_casework;
GRANT SELECT ON commission_hours, tseras_slots_held, tseras_absences TO tesdiq_casework;
GRANT SELECT (number, n, starts_at, ends_at, place) ON tseras_slots_held TO tesdiq_commission;
GRANT SELECT, INSERT ON tseras_absences TO tesdiq_commission;
GRANT SELECT, INSERT ON commission_hours TO tesdiq_operator;
GRANT UPDATE (ended_at) ON commission_hours TO tesdiq_operator;
