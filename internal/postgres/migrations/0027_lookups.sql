-- +goose Up
-- The look-up without sign-in: by the number of an identity card and the day of birth, the status of somebody's last examination
-- (docs/adr/0019). All is appended; what only counts towards limits is removed when it counts no more.

-- Under this puzzles are signed, and cards and addresses counted without being kept; all processes of an installation share it.
CREATE TABLE lookup_secret (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    key bytea NOT NULL CHECK (length(key) = 32)
);
INSERT INTO lookup_secret (key)
    SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

-- Whether somebody lets himself be looked up; the last row counts, and without one he does. His first sign-in switches it off.
CREATE TABLE lookup_switches (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL CHECK (subject ~ '^[0-9A-HJ-NP-Z]{7}$'),
    open    boolean NOT NULL,
    cause   text NOT NULL CHECK (cause IN ('sign_in', 'choice')),
    at      timestamptz NOT NULL,
    CHECK (cause = 'choice' OR NOT open)
);
CREATE INDEX lookup_switches_subject ON lookup_switches (subject, id DESC);
CREATE UNIQUE INDEX lookup_switches_first ON lookup_switches (subject) WHERE cause = 'sign_in';

-- Each question, whatever came of it. card and address are HMACs.
CREATE TABLE lookup_tries (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL,
    day             date NOT NULL,
    way             text NOT NULL CHECK (way IN ('page', 'telephone', 'office')),
    card            bytea NOT NULL CHECK (length(card) = 32),
    address         bytea CHECK (length(address) = 32),
    organisation_id bigint,
    operator_fin    text,
    shown           boolean NOT NULL,
    CHECK ((way = 'office') = (address IS NULL)),
    CHECK ((way = 'office') = (organisation_id IS NOT NULL)),
    CHECK ((way = 'office') = (operator_fin IS NOT NULL))
);
CREATE INDEX lookup_tries_card ON lookup_tries (card, day);
CREATE INDEX lookup_tries_address ON lookup_tries (address, day) WHERE address IS NOT NULL;
CREATE INDEX lookup_tries_organisation ON lookup_tries (organisation_id, day) WHERE organisation_id IS NOT NULL;
CREATE INDEX lookup_tries_operator ON lookup_tries (operator_fin, at) WHERE operator_fin IS NOT NULL;
CREATE INDEX lookup_tries_misses ON lookup_tries (at) WHERE NOT shown AND way <> 'office';
CREATE INDEX lookup_tries_at ON lookup_tries (at);

-- Puzzles whose proof was given: each once.
CREATE TABLE lookup_proofs (
    id         bytea PRIMARY KEY CHECK (length(id) = 16),
    expires_at timestamptz NOT NULL
);
CREATE INDEX lookup_proofs_expiry ON lookup_proofs (expires_at);

-- Each question that matched somebody: who asked, and what was told. The person sees it.
CREATE TABLE lookups (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL,
    subject         text NOT NULL CHECK (subject ~ '^[0-9A-HJ-NP-Z]{7}$'),
    way             text NOT NULL CHECK (way IN ('page', 'telephone', 'office')),
    organisation_id bigint REFERENCES organisations,
    client_id       text REFERENCES api_clients,
    operator_fin    text CHECK (operator_fin ~ '^[0-9A-HJ-NP-Z]{7}$'),
    outcome         text NOT NULL CHECK (outcome IN ('decided', 'under_review', 'none', 'closed')),
    decided_on      date,
    next_on         date,
    indefinite      boolean NOT NULL,
    CHECK ((way = 'office') = (organisation_id IS NOT NULL)),
    CHECK ((way = 'office') = (client_id IS NOT NULL)),
    CHECK ((way = 'office') = (operator_fin IS NOT NULL)),
    CHECK (outcome <> 'decided' OR decided_on IS NOT NULL),
    CHECK (outcome IN ('decided', 'under_review') OR decided_on IS NULL),
    CHECK (decided_on IS NOT NULL OR (next_on IS NULL AND NOT indefinite)),
    CHECK (next_on IS NULL OR NOT indefinite)
);
CREATE INDEX lookups_subject ON lookups (subject, at DESC);

-- The keys under which an office's program asked: the same request again is the same question. No lookup_id: it matched nobody, or too much
-- was asked about the card.
CREATE TABLE lookup_requests (
    client_id      text NOT NULL REFERENCES api_clients,
    key            text NOT NULL CHECK (key <> ''),
    request_sha256 bytea NOT NULL CHECK (length(request_sha256) = 32),
    lookup_id      bigint REFERENCES lookups,
    at             timestamptz NOT NULL,
    PRIMARY KEY (client_id, key)
);
CREATE INDEX lookup_requests_at ON lookup_requests (at);

-- The only way from a card to a person, so that its role can read neither the book of persons nor that of examinations: who has not the day
-- of birth gets nothing. Two people with one card and birthday would be an error of the population register: nobody is shown another's.
-- +goose StatementBegin
CREATE FUNCTION lookup_find(card text, birthday date)
    RETURNS TABLE (subject text, open boolean, examined_on date, disability boolean, until_day date, next_from date, under_review boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT p.fin, coalesce(s.open, true), x.examined_on, coalesce(x.disability, false), x.until_day, x.next_from,
           EXISTS (SELECT FROM cases c WHERE c.subject = p.fin AND c.kind IN ('assessment', 'appeal') AND c.state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed'))
    FROM persons p
    JOIN entries e ON e.id = p.entry_id
    LEFT JOIN LATERAL (SELECT w.open FROM lookup_switches w WHERE w.subject = p.fin ORDER BY w.id DESC LIMIT 1) s ON true
    LEFT JOIN LATERAL (
        SELECT d.examined_on, d.outcome <> 'not_disability' AS disability, d.until_day, d.next_from
        FROM entries v JOIN examinations d ON d.entry_id = v.id
        WHERE v.book = 'examination' AND v.subject = p.fin AND v.act <> 'annul'
          AND NOT EXISTS (SELECT FROM entries later WHERE later.book = v.book AND later.number = v.number AND later.version > v.version)
        ORDER BY v.effective_on DESC, (SELECT f.id FROM entries f WHERE f.book = v.book AND f.number = v.number AND f.version = 1) DESC
        LIMIT 1) x ON true
    WHERE p.document = card AND p.born = birthday AND e.book = 'person' AND e.act <> 'annul'
      AND NOT EXISTS (SELECT FROM entries later WHERE later.book = e.book AND later.number = e.number AND later.version > e.version)
    LIMIT 2
$$;
-- +goose StatementEnd

ALTER TABLE ledger_lines DROP CONSTRAINT ledger_lines_kind_check;
ALTER TABLE ledger_lines ADD CONSTRAINT ledger_lines_kind_check
    CHECK (kind IN ('entry', 'intent', 'excerpt', 'check', 'withdrawal', 'revocation', 'look', 'renewal', 'certificate', 'reissue',
        'step', 'round', 'drawing', 'finding', 'decision', 'lookup')) NOT VALID;
ALTER TABLE ledger_lines VALIDATE CONSTRAINT ledger_lines_kind_check;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON FUNCTION lookup_find(text, date) FROM PUBLIC;

-- lookup: answers, counts and records; reads of people only what one question asks for, and of offices whether they may ask.
GRANT EXECUTE ON FUNCTION lookup_find(text, date) TO tesdiq_lookup;
GRANT SELECT ON lookup_secret TO tesdiq_lookup;
GRANT SELECT, INSERT ON lookup_tries, lookup_proofs, lookups, lookup_requests TO tesdiq_lookup;
GRANT SELECT ON api_tokens TO tesdiq_lookup;
GRANT SELECT (organisation_id, duty, ended_at) ON organisation_duties TO tesdiq_lookup;
GRANT SELECT (id, organisation_id, ended_at) ON api_clients TO tesdiq_lookup;
GRANT SELECT (id, name, closed_at) ON organisations TO tesdiq_lookup;
GRANT SELECT (organisation_id, fin, ended_at) ON members TO tesdiq_lookup;
GRANT INSERT (kind, object, key, mac) ON ledger_lines TO tesdiq_lookup;
GRANT INSERT ON messages TO tesdiq_lookup;
GRANT SELECT (id) ON messages TO tesdiq_lookup;
GRANT INSERT (message_id, at, due_at) ON outbox TO tesdiq_lookup;

-- cabinet: the person's switch, and who asked: the organisation and the moment, not its operator.
GRANT SELECT, INSERT ON lookup_switches TO tesdiq_cabinet;
GRANT SELECT (id, at, subject, way, organisation_id, outcome) ON lookups TO tesdiq_cabinet;

GRANT SELECT (at, id), DELETE ON lookup_tries TO tesdiq_worker;
GRANT SELECT (id, expires_at), DELETE ON lookup_proofs TO tesdiq_worker;
GRANT SELECT (client_id, key, at), DELETE ON lookup_requests TO tesdiq_worker;
