-- +goose Up
-- The seals by which medical institutions sign referrals. One that ends stays: what it signed before stays explained.
CREATE TABLE institution_seals (
    thumbprint      bytea PRIMARY KEY CHECK (length(thumbprint) = 32), -- SHA-256 of the certificate
    organisation_id bigint NOT NULL REFERENCES medical_institutions,
    certificate     bytea NOT NULL,
    added_at        timestamptz NOT NULL,
    ended_at        timestamptz CHECK (ended_at >= added_at)
);
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
GRANT SELECT ON institution_seals TO tesdiq_casework;
GRANT SELECT, INSERT ON institution_seals TO tesdiq_operator;
GRANT UPDATE (ended_at) ON institution_seals TO tesdiq_operator;
