-- +goose Up
-- An excerpt's file is renewed before the certificates of its last time stamp end: a further version, beside the older ones.
-- stamped_until is when they end; files from before there was an archive have none, and are due at once.
ALTER TABLE excerpt_files ADD COLUMN stamped_until timestamptz NOT NULL DEFAULT '-infinity';
CREATE INDEX excerpt_files_due ON excerpt_files (stamped_until, sha256);

ALTER TABLE ledger_lines DROP CONSTRAINT ledger_lines_kind_check;
ALTER TABLE ledger_lines ADD CONSTRAINT ledger_lines_kind_check
    CHECK (kind IN ('entry', 'intent', 'excerpt', 'check', 'withdrawal', 'revocation', 'look', 'renewal')) NOT VALID;
ALTER TABLE ledger_lines VALIDATE CONSTRAINT ledger_lines_kind_check;
