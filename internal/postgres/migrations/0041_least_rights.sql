-- +goose Up
-- What three roles could read beyond what they answer for.

-- lookup: an answer that was given before is given again by its request; of whom it was, the role need not read. With the whole table, whoever
-- owned it could list everybody who was ever looked up.
REVOKE SELECT ON lookups FROM tesdiq_lookup;
GRANT SELECT (id, outcome, decided_on, next_on, indefinite) ON lookups TO tesdiq_lookup;

-- inspection: the moment of a look is the program's word, so that it can be shown beside others. A name is given for a quarter of an hour by the
-- database's own clock, too: a look that is dated next year opens no longer than others.
-- The officer is the one who asks: without the function's name before it, "officer" was the column of names, and nobody's look opened anything.
ALTER TABLE inspection_looks ADD COLUMN written timestamptz NOT NULL DEFAULT clock_timestamp(); -- no role may write it
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION inspection_person(look text, officer text)
    RETURNS TABLE (surname text, given text, father text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT p.surname, p.given, p.father
    FROM inspection_looks l
    JOIN cases c ON c.id = l.case_id
    JOIN entries e ON e.book = 'person' AND e.number = c.subject
    JOIN persons p ON p.entry_id = e.id
    WHERE l.token = inspection_person.look AND l.officer_fin = inspection_person.officer AND l.at > now() - interval '15 minutes' AND l.written > clock_timestamp() - interval '15 minutes'
      AND l.xact <> txid_current()
      AND EXISTS (SELECT FROM ledger_lines g WHERE g.kind = 'look' AND g.object = 'inspection/' || l.id)
      AND NOT EXISTS (SELECT FROM entries v WHERE v.book = e.book AND v.number = e.number AND v.version > e.version)
$$;
-- +goose StatementEnd

-- Which member had which case is shown only when the case is closed: a look opens a name by the number of a case, and before that a member who
-- knows an inspector would know whom he assesses.
CREATE OR REPLACE VIEW inspection_refusals AS
    SELECT c.number, g.signed_at, k.name AS commission, g.member_id, s.role, g.reason
    FROM tseras_signatures g
    JOIN tseras_blind b ON b.number = g.number
    JOIN cases c ON c.id = b.case_id
    JOIN tseras_seats s ON s.number = g.number AND s.member_id = g.member_id
    JOIN commission_members m ON m.id = g.member_id
    JOIN commissions k ON k.id = m.commission_id
    WHERE NOT g.signs AND c.state IN ('decided', 'declined', 'withdrawn', 'lapsed');
CREATE OR REPLACE VIEW inspection_further AS
    SELECT c.number, s.seated_at, k.name AS commission, s.member_id
    FROM tseras_seats s
    JOIN tseras_blind b ON b.number = s.number
    JOIN cases c ON c.id = b.case_id
    JOIN commission_members m ON m.id = s.member_id
    JOIN commissions k ON k.id = m.commission_id
    WHERE s.role = 'further' AND c.state IN ('decided', 'declined', 'withdrawn', 'lapsed');
