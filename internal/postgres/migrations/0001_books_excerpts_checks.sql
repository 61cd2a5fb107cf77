-- +goose Up
-- The whole of the first version: books of record, excerpts, checks, the ledger's lines, organisations, sessions, messages.
-- Nearly every table is append-only: what happened is inserted, and what is so now is derived from it.

-- The ledger: one line per change. Lines are inserted and read, never changed.
CREATE TABLE ledger_lines (
    seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind   text  NOT NULL CHECK (kind IN ('entry', 'intent', 'excerpt', 'check', 'withdrawal', 'revocation', 'look')),
    object text  NOT NULL CHECK (object <> ''),
    key    bytea NOT NULL CHECK (length(key) = 32),
    mac    bytea NOT NULL CHECK (length(mac) = 32)
);

-- The books of record. A head for every entry, and one table per book for what it says.
CREATE TABLE entries (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book         text NOT NULL CHECK (book IN ('person', 'examination', 'contract')),
    number       text NOT NULL CHECK (number <> ''),
    version      int  NOT NULL CHECK (version >= 1),
    act          text NOT NULL CHECK (act IN ('append', 'correct', 'annul')),
    subject      text NOT NULL CHECK (subject ~ '^[0-9A-HJ-NP-Z]{7}$'),
    chain        text NOT NULL,
    effective_on date NOT NULL,
    entered_at   timestamptz NOT NULL,
    entered_by   text NOT NULL CHECK (entered_by <> ''),
    reason       text NOT NULL DEFAULT '',
    UNIQUE (book, number, version),
    CHECK (act = 'append' OR version > 1),
    CHECK ((act = 'append') = (reason = ''))
);
CREATE INDEX entries_chain ON entries (book, chain);
CREATE INDEX entries_subject ON entries (subject, book);

CREATE TABLE persons (
    entry_id bigint PRIMARY KEY REFERENCES entries,
    fin      text NOT NULL,
    surname  text NOT NULL CHECK (surname <> ''),
    given    text NOT NULL CHECK (given <> ''),
    father   text NOT NULL,
    sex      text NOT NULL CHECK (sex IN ('m', 'f')),
    born     date NOT NULL,
    document text NOT NULL CHECK (document ~ '^(AZE\d{8}|A[A-Z]\d{7})$')
);
CREATE INDEX persons_document ON persons (document, born);

CREATE TABLE examinations (
    entry_id    bigint PRIMARY KEY REFERENCES entries,
    commission  text NOT NULL CHECK (commission <> ''),
    examined_on date NOT NULL,
    repeat      boolean NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('disability', 'child', 'not_disability')),
    loss        int  NOT NULL CHECK (loss BETWEEN 0 AND 100 AND loss % 5 = 0),
    degree      text NOT NULL CHECK (degree IN ('', 'I', 'II', 'III')),
    old_group   text NOT NULL CHECK (old_group IN ('', 'I', 'II', 'III')),
    cause       text NOT NULL,
    from_day    date,
    until_day   date,
    next_from   date,
    CHECK (until_day IS NULL OR until_day > from_day),
    CHECK (next_from IS NULL OR until_day IS NOT NULL),
    CHECK ((outcome = 'not_disability') = (from_day IS NULL)),
    -- Each period of the law has its own measure: groups, degrees, or percent.
    CHECK (outcome <> 'disability' OR CASE
        WHEN examined_on < DATE '2015-12-30' THEN old_group <> '' AND degree = '' AND loss = 0
        WHEN examined_on < DATE '2022-07-01' THEN degree <> '' AND old_group = '' AND loss = 0
        ELSE loss >= 35 AND degree = '' AND old_group = '' END)
);

CREATE TABLE contracts (
    entry_id      bigint PRIMARY KEY REFERENCES entries,
    employer      text NOT NULL CHECK (employer <> ''),
    employer_voen text NOT NULL CHECK (employer_voen ~ '^\d{10}$'),
    workplace     text NOT NULL,
    position      text NOT NULL CHECK (position <> ''),
    main          boolean NOT NULL,
    part_time     boolean NOT NULL,
    salary        bigint NOT NULL CHECK (salary >= 0),
    concluded     date NOT NULL,
    from_day      date NOT NULL,
    until_day     date,
    state         text NOT NULL CHECK (state IN ('active', 'terminated')),
    terminated    date,
    ground        text NOT NULL,
    CHECK ((state = 'terminated') = (terminated IS NOT NULL)),
    CHECK (until_day IS NULL OR until_day >= from_day)
);

-- A look is somebody's reading of a person's entries in the course of office; the person sees it.
CREATE TABLE looks (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    office  text NOT NULL CHECK (office <> ''),
    by      text NOT NULL CHECK (by <> ''),
    purpose text NOT NULL CHECK (purpose <> ''),
    at      timestamptz NOT NULL
);
CREATE INDEX looks_subject ON looks (subject, at DESC);

-- Issuing: an intent is what the citizen asked for; an attempt is committed before a key is called; an excerpt is what
-- was signed, checked and stored; a void says why there will be none.
CREATE SEQUENCE excerpt_numbers AS bigint MINVALUE 1;

CREATE TABLE intents (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request        text NOT NULL CHECK (request <> ''),
    code           text NOT NULL UNIQUE CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{17}$'),
    number         text NOT NULL UNIQUE,
    kind           text NOT NULL,
    template       int  NOT NULL,
    lang           text NOT NULL CHECK (lang IN ('az', 'en', 'ru')),
    subject        text NOT NULL,
    entry_id       bigint NOT NULL REFERENCES entries,
    person_id      bigint NOT NULL REFERENCES entries,
    recipient      text NOT NULL,
    purpose        text NOT NULL,
    with_salary    boolean NOT NULL,
    valid_until    date NOT NULL,
    asked_at       timestamptz NOT NULL,
    UNIQUE (subject, request)
);

CREATE TABLE attempts (
    intent_id    bigint NOT NULL REFERENCES intents,
    n            int NOT NULL CHECK (n BETWEEN 1 AND 8),
    attempted_at timestamptz NOT NULL,
    PRIMARY KEY (intent_id, n)
);

CREATE TABLE voids (
    intent_id bigint PRIMARY KEY REFERENCES intents,
    reason    text NOT NULL CHECK (reason <> ''),
    voided_at timestamptz NOT NULL
);

CREATE TABLE excerpts (
    id          bigint PRIMARY KEY REFERENCES intents,
    code        text NOT NULL UNIQUE,
    number      text NOT NULL UNIQUE,
    kind        text NOT NULL,
    lang        text NOT NULL,
    subject     text NOT NULL,
    entry_id    bigint NOT NULL REFERENCES entries,
    statement   jsonb NOT NULL,
    valid_until date NOT NULL,
    issued_at   timestamptz NOT NULL
);
CREATE INDEX excerpts_subject ON excerpts (subject, issued_at DESC);
CREATE INDEX excerpts_entry ON excerpts (entry_id);

-- Every version of a file that was handed out, by its hash.
CREATE TABLE excerpt_files (
    sha256     bytea PRIMARY KEY CHECK (length(sha256) = 32),
    excerpt_id bigint NOT NULL REFERENCES excerpts,
    size       int NOT NULL CHECK (size > 0),
    bytes      bytea NOT NULL,
    stored_at  timestamptz NOT NULL
);
CREATE INDEX excerpt_files_excerpt ON excerpt_files (excerpt_id);
-- A PDF does not shrink: compressing it again costs more than it saves.
ALTER TABLE excerpt_files ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE withdrawals (
    excerpt_id   bigint PRIMARY KEY REFERENCES excerpts,
    withdrawn_at timestamptz NOT NULL
);

CREATE TABLE revocations (
    excerpt_id bigint PRIMARY KEY REFERENCES excerpts,
    reason     text NOT NULL CHECK (reason <> ''),
    by         text NOT NULL CHECK (by <> ''),
    revoked_at timestamptz NOT NULL
);

-- Organisations that check, their members, and their programs.
CREATE TABLE organisations (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    voen      text NOT NULL UNIQUE CHECK (voen ~ '^\d{10}$'),
    name      text NOT NULL CHECK (name <> ''),
    sort      text NOT NULL CHECK (sort IN ('bank', 'employer', 'office')),
    added_at  timestamptz NOT NULL,
    closed_at timestamptz
);

CREATE TABLE members (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    fin             text NOT NULL,
    name            text NOT NULL CHECK (name <> ''),
    role            text NOT NULL CHECK (role IN ('clerk', 'manager')),
    added_at        timestamptz NOT NULL,
    ended_at        timestamptz
);
CREATE UNIQUE INDEX members_current ON members (organisation_id, fin) WHERE ended_at IS NULL;
CREATE INDEX members_fin ON members (fin) WHERE ended_at IS NULL;

CREATE TABLE api_clients (
    id              text PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    name            text NOT NULL CHECK (name <> ''),
    secret_sha256   bytea NOT NULL CHECK (length(secret_sha256) = 32),
    added_at        timestamptz NOT NULL,
    ended_at        timestamptz
);

CREATE TABLE api_tokens (
    sha256     bytea PRIMARY KEY CHECK (length(sha256) = 32),
    client_id  text NOT NULL REFERENCES api_clients,
    expires_at timestamptz NOT NULL
);
CREATE INDEX api_tokens_expiry ON api_tokens (expires_at);

-- Checks: inserted before their result is shown, and read; never changed. organisation_id and client_id refer to rows
-- that are never deleted. They are no foreign keys, because every check of a bank would lock the bank's own row.
CREATE TABLE checks (
    id              text PRIMARY KEY CHECK (id ~ '^[0-9A-HJKMNP-TV-Z]{16}$'),
    at              timestamptz NOT NULL,
    way             text NOT NULL CHECK (way IN ('code', 'qr', 'file')),
    excerpt_id      bigint REFERENCES excerpts,
    subject         text,
    code            text,
    sha256          bytea CHECK (length(sha256) = 32),
    sort            text NOT NULL CHECK (sort IN ('organisation', 'person', 'anonymous')),
    organisation_id bigint,
    member_fin      text,
    client_id       text,
    visitor         text,
    purpose         text NOT NULL,
    note            text NOT NULL DEFAULT '',
    verdict         text NOT NULL CHECK (verdict IN ('altered', 'revoked', 'withdrawn', 'superseded', 'expired', 'valid', 'unknown')),
    reason          text NOT NULL,
    idempotency_key text,
    request_sha256  bytea,
    CHECK ((excerpt_id IS NULL) = (subject IS NULL)),
    CHECK ((verdict = 'unknown') = (excerpt_id IS NULL)),
    CHECK ((sort = 'organisation') = (organisation_id IS NOT NULL)),
    CHECK (sort <> 'organisation' OR (member_fin IS NULL) <> (client_id IS NULL)),
    CHECK (sort <> 'person' OR member_fin IS NOT NULL),
    CHECK (sort <> 'anonymous' OR (member_fin IS NULL AND client_id IS NULL AND note = '')),
    CHECK ((idempotency_key IS NULL) = (request_sha256 IS NULL))
);
CREATE INDEX checks_subject ON checks (subject, at DESC) WHERE subject IS NOT NULL;
CREATE INDEX checks_organisation ON checks (organisation_id, at DESC) WHERE organisation_id IS NOT NULL;
CREATE INDEX checks_member ON checks (member_fin, at DESC) WHERE member_fin IS NOT NULL;
CREATE INDEX checks_excerpt ON checks (excerpt_id) WHERE excerpt_id IS NOT NULL;
CREATE UNIQUE INDEX checks_once ON checks (client_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Cabinet messages. The text is a key of the locale files and what the sentence needs.
CREATE TABLE messages (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fin     text NOT NULL,
    key     text NOT NULL CHECK (key <> ''),
    args    jsonb NOT NULL,
    link    text NOT NULL DEFAULT '',
    sent_at timestamptz NOT NULL,
    read_at timestamptz
);
CREATE INDEX messages_fin ON messages (fin, sent_at DESC);
CREATE INDEX messages_unread ON messages (fin) WHERE read_at IS NULL;

-- Sessions, in the form that the session library wants; the token is stored hashed.
CREATE TABLE sessions (
    token  text PRIMARY KEY,
    data   bytea NOT NULL,
    expiry timestamptz NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expiry);

-- Least rights. One role per component; nobody but the owner may change a table.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC;

GRANT INSERT (kind, object, key, mac) ON ledger_lines TO tesdiq_registry, tesdiq_issuer, tesdiq_verifier, tesdiq_cabinet, tesdiq_operator;

-- registry: writes the books.
GRANT SELECT, INSERT ON entries, persons, examinations, contracts TO tesdiq_registry;
GRANT USAGE ON SEQUENCE entries_id_seq TO tesdiq_registry; -- bulk loading numbers its entries before it copies them
GRANT INSERT ON messages TO tesdiq_registry;

-- issuer: reads the books and intents, writes attempts, excerpts, files, voids.
GRANT SELECT ON entries, persons, examinations, contracts, intents TO tesdiq_issuer;
GRANT SELECT, INSERT ON attempts, voids, excerpts, excerpt_files TO tesdiq_issuer;
GRANT INSERT ON messages TO tesdiq_issuer;

-- verifier: reads what it needs for a verdict, writes checks. It sees no person's or contract's table, no file, and of an
-- entry neither whom it is about nor why.
GRANT SELECT (id, book, number, version, act, chain, effective_on, entered_at) ON entries TO tesdiq_verifier;
GRANT SELECT ON excerpts, withdrawals TO tesdiq_verifier;
GRANT SELECT (excerpt_id, revoked_at) ON revocations TO tesdiq_verifier;
GRANT SELECT (id, name, closed_at) ON organisations TO tesdiq_verifier;
GRANT SELECT (id, organisation_id, fin, name) ON members TO tesdiq_verifier;
GRANT SELECT (id, organisation_id, name, secret_sha256, ended_at) ON api_clients TO tesdiq_verifier;
GRANT SELECT (sha256, excerpt_id, size) ON excerpt_files TO tesdiq_verifier;
GRANT SELECT, INSERT ON checks TO tesdiq_verifier;
GRANT INSERT ON messages TO tesdiq_verifier;
GRANT SELECT, INSERT ON api_tokens TO tesdiq_verifier;

-- cabinet: what a signed-in person reads and asks for. Not who looked or revoked in an office, nor by which session, code
-- or program somebody checked.
GRANT SELECT ON entries, persons, examinations, contracts, excerpts, excerpt_files, voids TO tesdiq_cabinet;
GRANT SELECT (excerpt_id, reason, revoked_at) ON revocations TO tesdiq_cabinet;
GRANT SELECT (id, at, way, excerpt_id, subject, sort, organisation_id, member_fin, purpose, note, verdict) ON checks TO tesdiq_cabinet;
GRANT SELECT (id, subject, office, purpose, at) ON looks TO tesdiq_cabinet;
GRANT SELECT (id, voen, name, closed_at) ON organisations TO tesdiq_cabinet;
GRANT SELECT (organisation_id, fin, role, ended_at) ON members TO tesdiq_cabinet;
GRANT SELECT, INSERT ON intents, withdrawals TO tesdiq_cabinet;
GRANT USAGE ON SEQUENCE excerpt_numbers TO tesdiq_cabinet;
GRANT SELECT, INSERT ON messages TO tesdiq_cabinet;
GRANT UPDATE (read_at) ON messages TO tesdiq_cabinet;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO tesdiq_cabinet;

-- operator: organisations, revocations, looks; reads the books only together with a look that it writes, and of an
-- excerpt not what it says.
GRANT SELECT, INSERT ON organisations, members, api_clients, revocations, looks TO tesdiq_operator;
GRANT UPDATE (closed_at) ON organisations TO tesdiq_operator;
GRANT UPDATE (ended_at) ON members, api_clients TO tesdiq_operator;
GRANT SELECT ON entries, persons, examinations, contracts, withdrawals TO tesdiq_operator;
GRANT SELECT (id, code, number, kind, lang, subject, valid_until, issued_at) ON excerpts TO tesdiq_operator;
GRANT INSERT ON messages TO tesdiq_operator;

-- worker: housekeeping of what expires.
GRANT SELECT (token, expiry), DELETE ON sessions TO tesdiq_worker;
GRANT SELECT (sha256, expires_at), DELETE ON api_tokens TO tesdiq_worker;
