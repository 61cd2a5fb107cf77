-- +goose Up
-- Which certificates a file rests on, and which of ours were revoked. What a revoked one signed from a moment on does not count: that is
-- derived at each check, and no row is touched for it.

-- Of the document signer and of the time stamp that dates its signature, lower-case hexadecimal; signed_at is that date. Files from
-- before these columns have none and count as signed by whichever signer was revoked: better one reissued too many.
ALTER TABLE excerpt_files
    ADD COLUMN signer_serial text CHECK (signer_serial ~ '^[0-9a-f]+$'),
    ADD COLUMN stamp_serial  text CHECK (stamp_serial ~ '^[0-9a-f]+$'),
    ADD COLUMN signed_at     timestamptz;

CREATE TABLE certificate_revocations (
    serial       text PRIMARY KEY CHECK (serial ~ '^[0-9a-f]+$'),
    role         text NOT NULL CHECK (role IN ('document-signer', 'time-stamp-signer')),
    reason       text NOT NULL CHECK (reason IN ('unspecified', 'keyCompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation')),
    why          text NOT NULL CHECK (why <> ''),
    by           text NOT NULL CHECK (by <> ''),
    invalid_from timestamptz NOT NULL,
    revoked_at   timestamptz NOT NULL,
    CHECK (invalid_from <= revoked_at)
);

-- The files that do not count.
CREATE VIEW revoked_files AS
    SELECT f.sha256, f.excerpt_id, f.stored_at, c.serial, c.revoked_at
    FROM certificate_revocations c
    JOIN excerpt_files f ON coalesce(f.signed_at, f.stored_at) >= c.invalid_from
                        AND (f.signer_serial IS NULL OR c.serial IN (f.signer_serial, f.stamp_serial));

-- An excerpt whose files do not count is issued anew under its number; this is written before a key is called for it.
CREATE TABLE reissue_attempts (
    excerpt_id   bigint NOT NULL REFERENCES excerpts,
    attempted_at timestamptz NOT NULL,
    PRIMARY KEY (excerpt_id, attempted_at)
);

ALTER TABLE ledger_lines DROP CONSTRAINT ledger_lines_kind_check;
ALTER TABLE ledger_lines ADD CONSTRAINT ledger_lines_kind_check
    CHECK (kind IN ('entry', 'intent', 'excerpt', 'check', 'withdrawal', 'revocation', 'look', 'renewal', 'certificate', 'reissue')) NOT VALID;
ALTER TABLE ledger_lines VALIDATE CONSTRAINT ledger_lines_kind_check;

REVOKE ALL ON certificate_revocations, revoked_files, reissue_attempts FROM PUBLIC;
GRANT SELECT, INSERT ON certificate_revocations TO tesdiq_operator;
GRANT SELECT ON revoked_files TO tesdiq_operator, tesdiq_verifier, tesdiq_cabinet, tesdiq_issuer;
-- operator: tells persons whose check rests on a revoked certificate.
GRANT SELECT (excerpt_id, sort, member_fin) ON checks TO tesdiq_operator;
-- issuer: answers what was revoked, and issues anew what still holds.
GRANT SELECT ON certificate_revocations TO tesdiq_issuer;
GRANT SELECT, INSERT ON reissue_attempts TO tesdiq_issuer;
GRANT SELECT (excerpt_id) ON withdrawals, revocations TO tesdiq_issuer;
