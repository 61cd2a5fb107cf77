-- +goose Up
-- What the issuing process says to everybody under /pki, said before anybody asks: whoever answers strangers has no key, and whoever has
-- the keys reads nothing of strangers. A row is never changed; the newest of a path is what is said now.
CREATE TABLE publications (
    path        text        NOT NULL CHECK (path <> ''),                -- below /pki; an OCSP answer's ends with the SHA-256 of the CertID
    serial      text        CHECK (serial ~ '^[0-9a-f]+$'),             -- of the certificate that an OCSP answer is about
    revocations integer     NOT NULL CHECK (revocations >= 0),          -- how many it tells of
    body        bytea       NOT NULL,
    produced_at timestamptz NOT NULL,
    until       timestamptz,                                            -- it does not hold any more
    PRIMARY KEY (path, produced_at)
);

-- overtaken: it says that a certificate is good that was revoked meanwhile; nobody is told so any more, even if the issuing process is down.
CREATE VIEW current_publications AS
    SELECT DISTINCT ON (path) path, body, produced_at, until,
           revocations = 0 AND EXISTS (SELECT FROM certificate_revocations c WHERE c.serial = p.serial) AS overtaken
    FROM publications p
    ORDER BY path, produced_at DESC;

REVOKE ALL ON publications, current_publications FROM PUBLIC;
GRANT INSERT ON publications TO tesdiq_issuer;
GRANT SELECT ON current_publications TO tesdiq_verifier;
-- worker: removes what was said before.
GRANT SELECT (path, produced_at), DELETE ON publications TO tesdiq_worker;
