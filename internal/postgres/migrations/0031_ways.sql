-- +goose Up
-- The ways that cases may go, said so that it costs little: PostgreSQL reads a table's CHECKs anew for each statement, and long lists of rows
-- took half the time of writing a step. Each list becomes one array of "from>to>part"; what it allows is the same.
-- +goose StatementBegin
DO $$
DECLARE
    rule record;
    ways text[];
BEGIN
    FOR rule IN
        SELECT conname AS name, substr(conname, length('case_steps_ways_') + 1) AS kind, pg_get_constraintdef(oid) AS says
        FROM pg_constraint
        WHERE conrelid = 'case_steps'::regclass AND conname LIKE 'case\_steps\_ways\_%'
    LOOP
        SELECT array_agg(way[1] || '>' || way[2] || '>' || way[3] ORDER BY way) INTO ways
        FROM regexp_matches(rule.says, 'from_state = ''(\w*)''::text\) AND \(to_state = ''(\w*)''::text\) AND \(part = ''(\w*)''::text\)', 'g') AS way;
        IF ways IS NULL THEN
            RAISE EXCEPTION 'the ways of % cannot be read', rule.name;
        END IF;
        EXECUTE format('ALTER TABLE case_steps DROP CONSTRAINT %I', rule.name);
        EXECUTE format('ALTER TABLE case_steps ADD CONSTRAINT %I CHECK (procedure <> %L OR kind <> %L OR (from_state || %L || to_state || %L || part) = ANY (%L::text[]))',
            rule.name, 'tseras', rule.kind, '>', '>', ways);
    END LOOP;
END
$$;
-- +goose StatementEnd
