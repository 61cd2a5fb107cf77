-- +goose Up
-- A case may have several chairs one after the other (docs/adr/0025): each asks for the longer term once.
ALTER TABLE tseras_extensions DROP CONSTRAINT tseras_extensions_pkey;
ALTER TABLE tseras_extensions ADD PRIMARY KEY (number, member_id);
