-- +goose Up
-- What is counted of people's health or home is counted for whole quarters alone, so that no two periods can be subtracted (docs/adr/0023).
DROP FUNCTION inspection_counts(timestamptz, timestamptz);

-- How many cases were closed, of any period: nothing of anybody's health or home.
-- +goose StatementBegin
CREATE FUNCTION inspection_totals(since timestamptz, until timestamptz)
    RETURNS TABLE (dimension text, value text, cases bigint, days bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT v.dimension, v.value, count(*), coalesce(sum(extract(epoch FROM s.at - c.opened_at) / 86400), 0)::bigint
    FROM case_steps s
    JOIN cases c ON c.id = s.case_id AND c.seq = s.seq
    CROSS JOIN LATERAL (VALUES ('closed', c.kind || '.' || c.state), ('month', to_char(s.at AT TIME ZONE 'Asia/Baku', 'YYYY-MM'))) AS v (dimension, value)
    WHERE s.turn = 'nobody' AND s.at >= since AND s.at < until AND c.kind IN ('assessment', 'appeal')
    GROUP BY 1, 2
$$;
-- +goose StatementEnd

-- How many cases were decided how in the quarter that begins on a day; nothing where none begins. Way, outcome and region are of all decisions,
-- band, cause and term of those by which an adult has a disability: each splits them wholly. What is small is put together where it is read.
-- +goose StatementBegin
CREATE FUNCTION inspection_quarter(quarter date)
    RETURNS TABLE (dimension text, value text, cases bigint, days bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH decided AS MATERIALIZED (
        SELECT s.at - c.opened_at AS took, d.alone, x.outcome, x.loss, x.cause, x.until_day,
               (SELECT e.outcome #>> '{facts,Population,0,district}' FROM tseras_evidence e
                WHERE e.case_id = c.id AND e.register = 'population' AND e.answered ORDER BY e.n DESC LIMIT 1) AS district
        FROM case_steps s
        JOIN cases c ON c.id = s.case_id AND c.seq = s.seq
        JOIN tseras_decisions d ON d.case_id = c.id
        LEFT JOIN examinations x ON x.entry_id = d.entry_id
        WHERE s.turn = 'nobody' AND c.kind IN ('assessment', 'appeal') AND quarter = date_trunc('quarter', quarter)::date
          AND s.at >= quarter::timestamp AT TIME ZONE 'Asia/Baku' AND s.at < (quarter + interval '3 months')::timestamp AT TIME ZONE 'Asia/Baku'
    )
    SELECT v.dimension, v.value, count(*), coalesce(sum(extract(epoch FROM decided.took) / 86400), 0)::bigint
    FROM decided
    CROSS JOIN LATERAL (VALUES
        ('way', CASE WHEN decided.alone THEN 'alone' ELSE 'commission' END),
        ('outcome', coalesce(decided.outcome, 'kept')),
        ('region', coalesce(decided.district, '')),
        ('band', CASE WHEN decided.outcome = 'disability' THEN
            CASE WHEN decided.loss > 80 THEN '81-100' WHEN decided.loss > 60 THEN '61-80' WHEN decided.loss > 0 THEN '31-60' ELSE '' END END),
        ('cause', CASE WHEN decided.outcome = 'disability' THEN coalesce(decided.cause, '') END),
        ('term', CASE WHEN decided.outcome = 'disability' THEN CASE WHEN decided.until_day IS NULL THEN 'indefinite' ELSE 'limited' END END)
    ) AS v (dimension, value)
    WHERE v.value IS NOT NULL
    GROUP BY 1, 2
$$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION inspection_totals(timestamptz, timestamptz), inspection_quarter(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inspection_totals(timestamptz, timestamptz), inspection_quarter(date) TO tesdiq_inspection;
