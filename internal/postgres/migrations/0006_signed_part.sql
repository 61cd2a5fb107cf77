-- +goose Up
-- What of an issued file is the signature's own: a file that was cut back to it, or to which somebody else added validation data of his
-- own instead of ours, is still what we signed. Renewed versions have the same, which stands with the first.
ALTER TABLE excerpt_files ADD COLUMN signed_sha256 bytea CHECK (length(signed_sha256) = 32);
CREATE INDEX excerpt_files_signed ON excerpt_files (signed_sha256) WHERE signed_sha256 IS NOT NULL;
GRANT SELECT (signed_sha256) ON excerpt_files TO tesdiq_verifier;
