-- +goose Up
-- What a process that signs nobody in remembers of a browser, in the form that the session library wants; the token is
-- stored hashed. Apart from sessions, so that such a process can write this and not that somebody is signed in.
CREATE TABLE visits (
    token  text PRIMARY KEY,
    data   bytea NOT NULL,
    expiry timestamptz NOT NULL
);
CREATE INDEX visits_expiry ON visits (expiry);

-- reception: knows who is signed in and for whom he may act, and how many messages wait; keeps visits.
GRANT SELECT, UPDATE (expiry) ON sessions TO tesdiq_reception;
GRANT SELECT, INSERT, UPDATE, DELETE ON visits TO tesdiq_reception;
GRANT SELECT (id, name, closed_at) ON organisations TO tesdiq_reception;
GRANT SELECT (organisation_id, fin, role, ended_at) ON members TO tesdiq_reception;
GRANT SELECT (fin, read_at) ON messages TO tesdiq_reception;

GRANT SELECT (token, expiry), DELETE ON visits TO tesdiq_worker;
