-- +goose Up
-- Which signatures were allowed, and how many keys were called for (docs/adr/0012). What is allowed is written down before a key is called:
-- attempts, reissue_attempts and here renewal_attempts.

CREATE TABLE renewal_attempts (
    sha256       bytea NOT NULL REFERENCES excerpt_files,
    attempted_at timestamptz NOT NULL,
    PRIMARY KEY (sha256, attempted_at)
);

-- How often a process called its keys, from what it wrote before to counted_at.
CREATE TABLE key_uses (
    run        text NOT NULL CHECK (run <> ''),                -- of a process, drawn at its start
    role       text NOT NULL CHECK (role <> ''),
    serial     text NOT NULL CHECK (serial ~ '^[0-9a-f]+$'),    -- of the key's certificate
    purpose    text NOT NULL CHECK (purpose <> ''),
    calls      bigint NOT NULL CHECK (calls > 0),
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (run, serial, purpose, counted_at)
);

-- An attempt at which the key was away or at its limit does not count among those that an intent has.
ALTER TABLE attempts DROP CONSTRAINT attempts_n_check;
ALTER TABLE attempts ADD CONSTRAINT attempts_n_check CHECK (n >= 1);
CREATE TABLE key_absences (
    intent_id bigint NOT NULL,
    n         int NOT NULL,
    noted_at  timestamptz NOT NULL,
    PRIMARY KEY (intent_id, n),
    FOREIGN KEY (intent_id, n) REFERENCES attempts
);

-- Rows come in the order of time: a few pages say where a moment is.
CREATE INDEX attempts_by_time ON attempts USING brin (attempted_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX reissue_attempts_by_time ON reissue_attempts USING brin (attempted_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX renewal_attempts_by_time ON renewal_attempts USING brin (attempted_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX key_uses_by_time ON key_uses (counted_at);

REVOKE ALL ON renewal_attempts, key_uses, key_absences FROM PUBLIC;
GRANT SELECT, INSERT ON renewal_attempts, key_uses, key_absences TO tesdiq_issuer;
GRANT SELECT ON key_uses TO tesdiq_operator;
