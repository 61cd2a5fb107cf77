-- +goose Up
-- Messages that go out by SMS or e-mail: where to, what was tried, what became of it. All of it is appended; only the moment at which
-- a message of the outbox is next looked at moves.

-- An address that somebody gave. It is used for nothing but its code until it is confirmed.
CREATE TABLE contacts (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fin      text NOT NULL,
    channel  text NOT NULL CHECK (channel IN ('sms', 'email')),
    address  text NOT NULL CHECK (CASE channel WHEN 'sms' THEN address ~ '^\+994\d{9}$' ELSE address ~ '^[!-~]+@[!-~]+$' AND length(address) <= 254 END),
    lang     text NOT NULL CHECK (lang IN ('az', 'en', 'ru')),
    given_at timestamptz NOT NULL,
    UNIQUE (id, fin, channel)
);
CREATE INDEX contacts_fin ON contacts (fin, given_at DESC);
CREATE INDEX contacts_address ON contacts (address, given_at DESC);

-- The codes that were sent to it. The sender draws a code when it sends it; here is only what tells whether one is right.
CREATE TABLE contact_codes (
    contact_id bigint NOT NULL REFERENCES contacts,
    n          smallint NOT NULL CHECK (n BETWEEN 1 AND 5),
    salt       bytea NOT NULL CHECK (length(salt) = 16),
    hash       bytea NOT NULL CHECK (length(hash) = 32), -- PBKDF2-SHA-256
    drawn_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > drawn_at),
    PRIMARY KEY (contact_id, n)
);

-- Each guess, right or wrong: there cannot be a sixth.
CREATE TABLE contact_guesses (
    contact_id bigint NOT NULL REFERENCES contacts,
    n          smallint NOT NULL CHECK (n BETWEEN 1 AND 5),
    guessed_at timestamptz NOT NULL,
    PRIMARY KEY (contact_id, n)
);

CREATE TABLE contact_confirmations (
    contact_id   bigint PRIMARY KEY,
    fin          text NOT NULL,
    channel      text NOT NULL,
    confirmed_at timestamptz NOT NULL,
    FOREIGN KEY (contact_id, fin, channel) REFERENCES contacts (id, fin, channel),
    UNIQUE (contact_id, fin, channel)
);

-- By what somebody wants messages, besides the cabinet, and in which language; the last row counts. Nobody can choose an address that is
-- not confirmed, or another's.
CREATE TABLE channel_choices (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fin        text NOT NULL,
    channel    text NOT NULL CHECK (channel IN ('sms', 'email', 'cabinet')),
    contact_id bigint,
    lang       text NOT NULL CHECK (lang IN ('az', 'en', 'ru')),
    chosen_at  timestamptz NOT NULL,
    CHECK ((channel = 'cabinet') = (contact_id IS NULL)),
    FOREIGN KEY (contact_id, fin, channel) REFERENCES contact_confirmations (contact_id, fin, channel)
);
CREATE INDEX channel_choices_fin ON channel_choices (fin, id DESC);

-- A message that is to go out, written with the change that it tells of. Without message_id it is a code for an address; without
-- contact_id it goes by what the person has chosen when it is sent.
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id bigint REFERENCES messages,
    contact_id bigint REFERENCES contacts,
    at         timestamptz NOT NULL,
    due_at     timestamptz, -- when to look at it next; null: never again
    CHECK (message_id IS NOT NULL OR contact_id IS NOT NULL)
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL AND message_id IS NOT NULL;
CREATE INDEX outbox_codes ON outbox (due_at) WHERE due_at IS NOT NULL AND message_id IS NULL;
CREATE INDEX outbox_message ON outbox (message_id);

-- One part of a message that is handed to a carrier; committed before anything leaves.
CREATE TABLE dispatches (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    outbox_id     bigint NOT NULL REFERENCES outbox,
    contact_id    bigint NOT NULL REFERENCES contacts,
    part          smallint NOT NULL CHECK (part BETWEEN 1 AND parts),
    parts         smallint NOT NULL CHECK (parts BETWEEN 1 AND 10),
    attempt       smallint NOT NULL CHECK (attempt BETWEEN 1 AND 1000),
    dispatched_at timestamptz NOT NULL,
    UNIQUE (outbox_id, part, attempt)
);
CREATE INDEX dispatches_contact ON dispatches (contact_id, dispatched_at DESC);

-- What became of it. unsent: surely nothing left; refused: the carrier did not take it; unsure: it left, and no answer came.
-- delivered, failed, expired: what a receipt said.
CREATE TABLE dispatch_events (
    dispatch_id bigint NOT NULL REFERENCES dispatches,
    event       text NOT NULL CHECK (event IN ('accepted', 'unsent', 'refused', 'unsure', 'delivered', 'failed', 'expired')),
    carrier_id  text NOT NULL DEFAULT '', -- the carrier's own id, by which a receipt speaks of it
    reason      text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL,
    PRIMARY KEY (dispatch_id, event)
);
CREATE INDEX dispatch_events_carrier ON dispatch_events (carrier_id) WHERE event = 'accepted' AND carrier_id <> '';

-- Receipts as they came, before it is known what they are about: one may come before the answer to what was sent. A second one that
-- says the same is no further row.
CREATE TABLE receipts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier_id text NOT NULL,
    address    text NOT NULL,
    reference  int CHECK (reference BETWEEN 0 AND 65535), -- what we gave with it, where the carrier says it again
    event      text NOT NULL CHECK (event IN ('delivered', 'failed', 'expired')),
    reason     text NOT NULL,
    at         timestamptz NOT NULL,
    UNIQUE (carrier_id, address, event)
);
CREATE INDEX receipts_at ON receipts (at);
CREATE INDEX receipts_address ON receipts (address, at);

-- How it ended for us. none: the person wants no more than the cabinet, or there is no way out. unsure: it may have arrived.
CREATE TABLE outbox_ends (
    outbox_id bigint PRIMARY KEY REFERENCES outbox,
    outcome   text NOT NULL CHECK (outcome IN ('none', 'sent', 'unsure', 'refused', 'expired')),
    ended_at  timestamptz NOT NULL
);

-- What the person sees of it: a receipt is the last word, whatever we thought before it came.
CREATE VIEW outbox_states AS
    SELECT o.id, o.message_id, c.channel, c.address, d.dispatched_at,
        CASE
            WHEN v.delivered = d.parts THEN 'delivered'
            WHEN v.failed > 0 THEN 'failed'
            WHEN v.expired > 0 OR e.outcome = 'expired' THEN 'expired'
            WHEN e.outcome = 'refused' THEN 'failed'
            WHEN e.outcome IS NULL THEN 'waiting'
            ELSE e.outcome
        END AS state,
        greatest(v.at, e.ended_at, d.dispatched_at) AS at
    FROM outbox o
    CROSS JOIN LATERAL (SELECT p.contact_id, p.parts, p.dispatched_at FROM dispatches p WHERE p.outbox_id = o.id ORDER BY p.id DESC LIMIT 1) d
    JOIN contacts c ON c.id = d.contact_id
    LEFT JOIN outbox_ends e ON e.outbox_id = o.id
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT p.part) FILTER (WHERE x.event = 'delivered') AS delivered,
            count(*) FILTER (WHERE x.event = 'failed') AS failed,
            count(*) FILTER (WHERE x.event = 'expired') AS expired,
            max(x.at) AS at
        FROM dispatches p JOIN dispatch_events x ON x.dispatch_id = p.id
        WHERE p.outbox_id = o.id
    ) v;

REVOKE ALL ON contacts, contact_codes, contact_guesses, contact_confirmations, channel_choices, outbox, dispatches, dispatch_events, receipts,
    outbox_ends, outbox_states FROM PUBLIC;

-- Whoever writes messages may say that one is to go out, and learns nothing of where to.
GRANT SELECT (id) ON messages TO tesdiq_registry, tesdiq_issuer, tesdiq_verifier, tesdiq_operator;
GRANT INSERT (message_id, at, due_at) ON outbox TO tesdiq_registry, tesdiq_issuer, tesdiq_verifier, tesdiq_operator, tesdiq_cabinet;

-- cabinet: what somebody chooses, and what became of his messages.
GRANT INSERT (contact_id), SELECT (message_id, contact_id, at) ON outbox TO tesdiq_cabinet; -- how many codes somebody asked for
GRANT SELECT, INSERT ON contacts, contact_guesses, contact_confirmations, channel_choices TO tesdiq_cabinet;
GRANT SELECT ON contact_codes, outbox_states TO tesdiq_cabinet;

-- sender: what is to go out and where to. Not what the cabinet's note leads to, nor whether it was read.
GRANT SELECT (id, fin, key, args) ON messages TO tesdiq_sender;
GRANT SELECT, UPDATE (due_at) ON outbox TO tesdiq_sender;
GRANT SELECT ON contacts, channel_choices TO tesdiq_sender;
GRANT SELECT, INSERT ON contact_codes, dispatches, dispatch_events, receipts, outbox_ends TO tesdiq_sender;
