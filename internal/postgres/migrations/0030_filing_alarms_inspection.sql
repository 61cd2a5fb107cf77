-- +goose Up
-- Clerks who file for a person who is present; alarms of clocks; what inspectors see, and that they looked (docs/adr/0023). All is appended.

-- Each time that a clerk typed what stands on a card. A hit opens the person's page to that clerk for some minutes; a miss keeps nothing of
-- what was typed. Subject and office stand here as they are told to the person.
CREATE TABLE filing_tries (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    visit           text UNIQUE CHECK (visit ~ '^[0-9A-Z]{26}$'),
    organisation_id bigint NOT NULL REFERENCES organisations,
    office          text NOT NULL CHECK (office <> ''),
    clerk_fin       text NOT NULL CHECK (clerk_fin ~ '^[0-9A-HJ-NP-Z]{7}$'),
    clerk           text NOT NULL CHECK (clerk <> ''),
    subject         text CHECK (subject ~ '^[0-9A-HJ-NP-Z]{7}$'),
    at              timestamptz NOT NULL,
    CHECK ((visit IS NULL) = (subject IS NULL)),
    CHECK (subject <> clerk_fin)
);
CREATE INDEX filing_tries_clerk ON filing_tries (clerk_fin, at);
CREATE INDEX filing_tries_organisation ON filing_tries (organisation_id, at);
CREATE INDEX filing_tries_subject ON filing_tries (subject, at) WHERE subject IS NOT NULL;
CREATE INDEX filing_tries_at ON filing_tries (at);
-- The clerk says that the person has gone.
CREATE TABLE filing_ends (
    visit text PRIMARY KEY REFERENCES filing_tries (visit),
    at    timestamptz NOT NULL
);

-- Each alarm of a clock once. A clock is told by case, turn and last day: it may run on through several steps.
CREATE TABLE case_alarms (
    case_id bigint NOT NULL,
    turn    text NOT NULL CHECK (turn <> 'nobody'),
    due_by  date NOT NULL,
    alarm   text NOT NULL CHECK (alarm IN ('soon', 'overdue')),
    seq     int NOT NULL, -- the step at which it rang
    at      timestamptz NOT NULL,
    PRIMARY KEY (case_id, turn, due_by, alarm),
    FOREIGN KEY (case_id, seq) REFERENCES case_steps (case_id, seq)
);
CREATE INDEX case_alarms_at ON case_alarms (at);
CREATE INDEX cases_open ON cases (id) INCLUDE (seq)
    WHERE state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed', 'entered', 'corrected', 'refused');

-- An inspector's look at one case by name, for a purpose. It is committed, and the person told, before a name is read: see inspection_person.
CREATE TABLE inspection_looks (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token           text NOT NULL UNIQUE CHECK (token ~ '^[0-9A-Z]{26}$'),
    case_id         bigint NOT NULL REFERENCES cases,
    organisation_id bigint NOT NULL REFERENCES organisations,
    office          text NOT NULL CHECK (office <> ''),
    officer_fin     text NOT NULL CHECK (officer_fin ~ '^[0-9A-HJ-NP-Z]{7}$'),
    officer         text NOT NULL CHECK (officer <> ''),
    purpose         text NOT NULL CHECK (purpose IN ('complaint', 'overdue', 'contradiction', 'conflict', 'court')),
    at              timestamptz NOT NULL,
    xact            bigint NOT NULL DEFAULT txid_current() -- no role may write it
);
CREATE INDEX inspection_looks_case ON inspection_looks (case_id);
CREATE INDEX inspection_looks_officer ON inspection_looks (officer_fin, at);

-- No look without a word to the person.
-- +goose StatementBegin
CREATE FUNCTION tell_of_inspection() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO messages (fin, key, args, link, sent_at)
    SELECT c.subject, 'inspection.message.look',
           jsonb_build_object('Number', c.number, 'Office', NEW.office, 'Purpose.key', 'inspection.purpose.' || NEW.purpose),
           '/cabinet/cases/' || c.number, NEW.at
    FROM cases c WHERE c.id = NEW.case_id;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER tell_of_inspection AFTER INSERT ON inspection_looks FOR EACH ROW EXECUTE FUNCTION tell_of_inspection();

-- The only way from a case to a name: by a look that is committed, has its ledger line, is the asker's and at most a quarter of an hour old. A
-- look of the same transaction does not do: it could be rolled back after the name was read.
-- +goose StatementBegin
CREATE FUNCTION inspection_person(look text, officer text)
    RETURNS TABLE (surname text, given text, father text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT p.surname, p.given, p.father
    FROM inspection_looks l
    JOIN cases c ON c.id = l.case_id
    JOIN entries e ON e.book = 'person' AND e.number = c.subject
    JOIN persons p ON p.entry_id = e.id
    WHERE l.token = look AND l.officer_fin = officer AND l.at > now() - interval '15 minutes'
      AND l.xact <> txid_current()
      AND EXISTS (SELECT FROM ledger_lines g WHERE g.kind = 'look' AND g.object = 'inspection/' || l.id)
      AND NOT EXISTS (SELECT FROM entries v WHERE v.book = e.book AND v.number = e.number AND v.version > e.version)
$$;
-- +goose StatementEnd

-- What inspectors see of cases: when, where they stand, whose turn it is. Whom they are about is in none of these views, nor in what state
-- of health anybody is.
CREATE VIEW inspection_cases AS
    SELECT c.id, c.number, c.kind, c.state, c.opened_at, s.seq, s.at AS since, s.turn, s.began, s.due_by, s.provisional,
           c.state IN ('decided', 'declined', 'withdrawn', 'lapsed', 'entered', 'corrected', 'refused') AS closed
    FROM cases c
    JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq;
CREATE VIEW inspection_steps AS
    SELECT case_id, seq, from_state, to_state, at, part, office, what, turn, began, due_by, provisional
    FROM case_steps;
-- Decisions that differ from the last one by the same findings under the same law, with what the chair says to the person.
CREATE VIEW inspection_contradictions AS
    SELECT c.number, d.decided_at, k.name AS commission, g.member_id, g.explains
    FROM tseras_decisions d
    JOIN cases c ON c.id = d.case_id
    JOIN tseras_blind b ON b.case_id = d.case_id
    JOIN LATERAL (SELECT p.n, p.result FROM tseras_proposals p WHERE p.number = b.number ORDER BY p.n DESC LIMIT 1) p ON (p.result->>'differs')::boolean
    JOIN tseras_signatures g ON g.number = b.number AND g.n = p.n AND g.signs AND g.explains <> ''
    JOIN commission_members m ON m.id = g.member_id
    JOIN commissions k ON k.id = m.commission_id;
CREATE VIEW inspection_refusals AS
    SELECT c.number, g.signed_at, k.name AS commission, g.member_id, s.role, g.reason
    FROM tseras_signatures g
    JOIN tseras_blind b ON b.number = g.number
    JOIN cases c ON c.id = b.case_id
    JOIN tseras_seats s ON s.number = g.number AND s.member_id = g.member_id
    JOIN commission_members m ON m.id = g.member_id
    JOIN commissions k ON k.id = m.commission_id
    WHERE NOT g.signs;
CREATE VIEW inspection_further AS
    SELECT c.number, s.seated_at, k.name AS commission, s.member_id
    FROM tseras_seats s
    JOIN tseras_blind b ON b.number = s.number
    JOIN cases c ON c.id = b.case_id
    JOIN commission_members m ON m.id = s.member_id
    JOIN commissions k ON k.id = m.commission_id
    WHERE s.role = 'further';
-- Each candidate of each step of each drawing: how many were drawn of how many, and whether he was. Which case it was for is not said.
CREATE VIEW inspection_lots AS
    SELECT d.round, o.opened_at, step->>'role' AS role, candidate, json_array_length(step->'drawn') AS places,
           json_array_length(step->'candidates') AS candidates,
           EXISTS (SELECT FROM json_array_elements_text(step->'drawn') AS x WHERE x = candidate) AS drawn
    FROM drawings d
    JOIN draw_seeds o ON o.round = d.round
    CROSS JOIN LATERAL json_array_elements(d.drawing->'steps') AS step
    CROSS JOIN LATERAL json_array_elements_text(step->'candidates') AS candidate;
CREATE VIEW inspection_rounds AS
    SELECT r.round, r.committed_at, o.opened_at, (SELECT count(*) FROM drawings d WHERE d.round = r.round) AS drawings
    FROM draw_rounds r
    LEFT JOIN draw_seeds o ON o.round = r.round;
-- Who looked at how many cases on a day. Of a member's cases those are unrelated that were closed when he looked; of a clerk's and an
-- inspector's nothing else than a page says what he looked for, so that each counts.
CREATE VIEW inspection_lookers AS
    SELECT (l.at AT TIME ZONE 'Asia/Baku')::date AS day, 'member' AS part, k.name AS office, l.member_id AS who,
           count(*) AS looks, count(DISTINCT l.number) AS cases,
           count(DISTINCT l.number) FILTER (WHERE EXISTS (
               SELECT FROM tseras_blind b JOIN case_steps s ON s.case_id = b.case_id
               WHERE b.number = l.number AND s.turn = 'nobody' AND s.at < l.at)) AS unrelated,
           0::bigint AS misses
    FROM tseras_looks l
    JOIN commission_members m ON m.id = l.member_id
    JOIN commissions k ON k.id = m.commission_id
    GROUP BY 1, 3, 4
    UNION ALL
    SELECT (l.at AT TIME ZONE 'Asia/Baku')::date, 'inspector', l.office, max(l.officer), count(*), count(DISTINCT l.case_id), count(DISTINCT l.case_id), 0
    FROM inspection_looks l
    GROUP BY 1, 3, l.officer_fin
    UNION ALL
    SELECT (f.at AT TIME ZONE 'Asia/Baku')::date, 'clerk', f.office, max(f.clerk), count(*), count(DISTINCT f.subject),
           count(DISTINCT f.subject) FILTER (WHERE NOT EXISTS (
               SELECT FROM cases c JOIN case_steps s ON s.case_id = c.id
               WHERE c.subject = f.subject AND s.part = 'clerk' AND s.actor_fin = f.clerk_fin AND s.at BETWEEN f.at AND f.at + interval '15 minutes')),
           count(*) FILTER (WHERE f.subject IS NULL)
    FROM filing_tries f
    GROUP BY 1, 3, f.clerk_fin;
-- How many cases were decided how, by several dimensions; of no case by itself. Small numbers are hidden where they are shown.
-- +goose StatementBegin
CREATE FUNCTION inspection_counts(since timestamptz, until timestamptz)
    RETURNS TABLE (dimension text, value text, cases bigint, days bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH closed AS MATERIALIZED (
        SELECT c.kind, c.state, s.at, s.at - c.opened_at AS took, d.alone, d.case_id IS NOT NULL AS decided, x.outcome, x.loss, x.cause, x.from_day, x.until_day,
               (SELECT e.outcome #>> '{facts,Population,0,district}' FROM tseras_evidence e
                WHERE e.case_id = c.id AND e.register = 'population' AND e.answered ORDER BY e.n DESC LIMIT 1) AS district
        FROM case_steps s
        JOIN cases c ON c.id = s.case_id AND c.seq = s.seq
        LEFT JOIN tseras_decisions d ON d.case_id = c.id
        LEFT JOIN examinations x ON x.entry_id = d.entry_id
        WHERE s.turn = 'nobody' AND s.at >= since AND s.at < until AND c.kind IN ('assessment', 'appeal')
    )
    SELECT v.dimension, v.value, count(*), coalesce(sum(extract(epoch FROM closed.took) / 86400), 0)::bigint
    FROM closed
    CROSS JOIN LATERAL (VALUES
        ('closed', closed.kind || '.' || closed.state),
        ('month', to_char(closed.at AT TIME ZONE 'Asia/Baku', 'YYYY-MM')),
        ('way', CASE WHEN closed.decided THEN CASE WHEN closed.alone THEN 'alone' ELSE 'commission' END END),
        ('outcome', CASE WHEN closed.decided THEN coalesce(closed.outcome, 'kept') END),
        ('region', CASE WHEN closed.decided THEN coalesce(closed.district, '') END),
        ('band', CASE WHEN closed.outcome = 'disability' AND closed.loss > 0 THEN
            CASE WHEN closed.loss <= 60 THEN '31-60' WHEN closed.loss <= 80 THEN '61-80' ELSE '81-100' END END),
        ('cause', CASE WHEN closed.outcome IN ('disability', 'child') THEN closed.cause END),
        ('term', CASE WHEN closed.outcome IN ('disability', 'child') THEN CASE WHEN closed.until_day IS NULL THEN 'indefinite' ELSE 'limited' END END)
    ) AS v (dimension, value)
    WHERE v.value IS NOT NULL
    GROUP BY 1, 2
$$;
-- +goose StatementEnd
CREATE INDEX case_steps_closed ON case_steps (at) WHERE turn = 'nobody';

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON FUNCTION tell_of_inspection(), inspection_person(text, text), inspection_counts(timestamptz, timestamptz) FROM PUBLIC;

-- casework: records clerks' tries and alarms, and shows the person who looked.
GRANT SELECT, INSERT ON filing_tries, filing_ends, case_alarms TO tesdiq_casework;
GRANT SELECT (case_id, office, purpose, at) ON inspection_looks TO tesdiq_casework;

-- inspection: reads no person, and no case's content; a name by a committed look alone.
GRANT SELECT ON inspection_cases, inspection_steps, inspection_contradictions, inspection_refusals, inspection_further, inspection_lots,
    inspection_rounds, inspection_lookers, case_alarms TO tesdiq_inspection;
GRANT SELECT (id, name) ON commissions TO tesdiq_inspection;
GRANT SELECT (id, token, case_id, organisation_id, office, officer_fin, officer, purpose, at) ON inspection_looks TO tesdiq_inspection;
GRANT INSERT (token, case_id, organisation_id, office, officer_fin, officer, purpose, at) ON inspection_looks TO tesdiq_inspection;
GRANT EXECUTE ON FUNCTION inspection_person(text, text), inspection_counts(timestamptz, timestamptz) TO tesdiq_inspection;
GRANT INSERT (kind, object, key, mac) ON ledger_lines TO tesdiq_inspection;
