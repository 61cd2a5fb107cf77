-- +goose Up
-- What the operator changes in the lists of who may be drawn, when commissions examine, who refers and by which seals, and for whose people a body
-- makes programmes. Each change has a line in the ledger. written_at is the database's own clock, which the operator's role cannot set: by the times in the lists themselves, which it can, a
-- member could seem to have been one for long.
CREATE TABLE list_changes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list       text NOT NULL CHECK (list IN ('commission', 'member', 'hours', 'institution', 'seal', 'district')),
    act        text NOT NULL CHECK (act IN ('added', 'ended', 'coded')),
    content    json NOT NULL, -- the list's row as it was then
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE ledger_lines DROP CONSTRAINT ledger_lines_kind_check;
ALTER TABLE ledger_lines ADD CONSTRAINT ledger_lines_kind_check
    CHECK (kind IN ('entry', 'intent', 'excerpt', 'check', 'withdrawal', 'revocation', 'look', 'renewal', 'certificate', 'reissue',
        'step', 'round', 'drawing', 'finding', 'decision', 'lookup', 'list')) NOT VALID;
ALTER TABLE ledger_lines VALIDATE CONSTRAINT ledger_lines_kind_check;

REVOKE ALL ON list_changes FROM PUBLIC;
REVOKE ALL ON SEQUENCE list_changes_id_seq FROM PUBLIC;
GRANT SELECT, INSERT (list, act, content) ON list_changes TO tesdiq_operator;
