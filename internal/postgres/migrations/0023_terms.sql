-- +goose Up
-- What people were told of the end of their term: each notice of an examination once.
CREATE TABLE term_notices (
    entry_id bigint NOT NULL REFERENCES entries,
    notice   text NOT NULL CHECK (notice IN ('invited', 'reminded', 'ended')),
    at       timestamptz NOT NULL,
    PRIMARY KEY (entry_id, notice)
);
CREATE INDEX examinations_terms ON examinations (until_day, next_from) WHERE until_day IS NOT NULL;

REVOKE ALL ON term_notices FROM PUBLIC;
GRANT SELECT, INSERT ON term_notices TO tesdiq_casework;
