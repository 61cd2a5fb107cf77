-- +goose Up
-- A form of the pages that is sent twice is one check, as a program's repeated request is. Its key stands for who asked
-- and all that was asked, so that nothing need stand beside it.
CREATE UNIQUE INDEX checks_form_once ON checks (idempotency_key) WHERE client_id IS NULL AND idempotency_key IS NOT NULL;
