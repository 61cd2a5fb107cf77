-- +goose Up
-- Questions to other agencies and what came of them. Rows are only added; what is still unanswered, since when, and how often it was asked, is derived.

-- A question belongs to a case: without one nobody is asked about.
CREATE TABLE gateway_questions (
    id          uuid PRIMARY KEY,
    case_number text NOT NULL REFERENCES cases (number),
    register    text NOT NULL CHECK (register ~ '^[a-z]+$'),
    service     text NOT NULL, -- X-Road's; empty: no configuration named one
    purpose     text NOT NULL CHECK (purpose <> ''),
    person      text NOT NULL CHECK (person ~ '^[0-9A-HJ-NP-Z]{7}$'),
    since       date,
    asked_at    timestamptz NOT NULL CHECK (asked_at = date_trunc('second', asked_at)),
    UNIQUE (id, case_number)
);
CREATE INDEX gateway_questions_case ON gateway_questions (case_number, asked_at);

-- Each sending, and each time that it was not sent and why. reason is empty with an answer.
CREATE TABLE gateway_attempts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    question_id uuid NOT NULL REFERENCES gateway_questions,
    sent        boolean NOT NULL,
    began_at    timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL CHECK (ended_at >= began_at),
    reason      text NOT NULL CHECK (reason ~ '^[a-z-]*$'),
    detail      text NOT NULL CHECK (length(detail) <= 200)
);
CREATE INDEX gateway_attempts_question ON gateway_attempts (question_id, id);

-- A question has one answer. leaf is the exchange's hash, which is what is stamped; it says nothing of what is in it.
CREATE TABLE gateway_answers (
    question_id uuid PRIMARY KEY REFERENCES gateway_questions,
    leaf        bytea NOT NULL CHECK (length(leaf) = 32),
    received_at timestamptz NOT NULL
);

-- The exchange itself: health data. A statement sees the rows of the one case that its transaction names, and no others.
CREATE TABLE gateway_exchanges (
    question_id uuid PRIMARY KEY REFERENCES gateway_answers,
    case_number text NOT NULL,
    exchange    bytea NOT NULL,
    FOREIGN KEY (question_id, case_number) REFERENCES gateway_questions (id, case_number)
);
ALTER TABLE gateway_exchanges ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_one_case ON gateway_exchanges TO tesdiq_casework
    USING (case_number = current_setting('tesdiq.case', true)) WITH CHECK (case_number = current_setting('tesdiq.case', true));

-- Time stamps (RFC 3161), each over many exchanges, and the path from each of them to the root (RFC 9162).
CREATE TABLE gateway_stamps (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    size       int NOT NULL CHECK (size BETWEEN 1 AND 65536),
    token      bytea NOT NULL,
    stamped_at timestamptz NOT NULL
);
CREATE TABLE gateway_stamped (
    question_id uuid PRIMARY KEY REFERENCES gateway_answers,
    stamp_id    bigint NOT NULL REFERENCES gateway_stamps,
    place       int NOT NULL CHECK (place >= 0),
    path        bytea[] NOT NULL,
    UNIQUE (stamp_id, place)
);

REVOKE ALL ON gateway_questions, gateway_attempts, gateway_answers, gateway_exchanges, gateway_stamps, gateway_stamped FROM PUBLIC;
GRANT SELECT, INSERT ON gateway_questions, gateway_answers, gateway_exchanges, gateway_stamped TO tesdiq_casework;
GRANT SELECT, INSERT (question_id, sent, began_at, ended_at, reason, detail) ON gateway_attempts TO tesdiq_casework;
GRANT SELECT, INSERT (size, token, stamped_at) ON gateway_stamps TO tesdiq_casework;
