-- +goose Up
-- The salt of the commitment, in the step that draws a commission and so in the ledger, to what the commission was shown. Without it the commitment
-- would tell what a case is about by trying; no role of a commission reads it. What was shown before this has none.
ALTER TABLE tseras_blind ADD COLUMN salt bytea CHECK (length(salt) = 16);
ALTER TABLE tseras_blind_anew ADD COLUMN salt bytea CHECK (length(salt) = 16);
