-- +goose Up
-- Whom the lot drew is counted of closed cases alone: of an open one a member who knows an inspector would learn how many wait for him.
CREATE OR REPLACE VIEW inspection_lots AS
    SELECT d.round, o.opened_at, step->>'role' AS role, candidate, json_array_length(step->'drawn') AS places,
           json_array_length(step->'candidates') AS candidates,
           EXISTS (SELECT FROM json_array_elements_text(step->'drawn') AS x WHERE x = candidate) AS drawn
    FROM drawings d
    JOIN draw_seeds o ON o.round = d.round
    JOIN cases c ON c.id = d.case_id AND c.state IN ('decided', 'declined', 'withdrawn', 'lapsed')
    CROSS JOIN LATERAL json_array_elements(d.drawing->'steps') AS step
    CROSS JOIN LATERAL json_array_elements_text(step->'candidates') AS candidate;

-- Who looked at how many cases or persons on a day, of all kinds of people who may. Those are unrelated for which nothing explains the look:
-- for a member cases that were closed when he looked; for a clerk persons for whom he did nothing then; for a rehabilitation body's specialist
-- cases in which he did nothing on that day; for an inspector, an institution that reads results and an operator who answers calls each, as
-- nothing that they do afterwards shows. Misses are a clerk's and an operator's; an operator's are kept for two days.
CREATE OR REPLACE VIEW inspection_lookers AS
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
    GROUP BY 1, 3, f.clerk_fin
    UNION ALL
    SELECT d.day, d.part, o.name, coalesce((SELECT m.name FROM members m WHERE m.organisation_id = d.organisation_id AND m.fin = d.fin ORDER BY m.id DESC LIMIT 1), ''),
           d.looks, d.cases, d.unrelated, d.misses
    FROM (
        SELECT (l.at AT TIME ZONE 'Asia/Baku')::date AS day, 'rehabilitation' AS part, l.organisation_id, l.fin, count(*) AS looks, count(DISTINCT l.case_id) AS cases,
               count(DISTINCT l.case_id) FILTER (WHERE NOT EXISTS (
                   SELECT FROM case_steps s
                   WHERE s.case_id = l.case_id AND s.part = 'office' AND s.actor_fin = l.fin
                     AND (s.at AT TIME ZONE 'Asia/Baku')::date = (l.at AT TIME ZONE 'Asia/Baku')::date)) AS unrelated,
               0::bigint AS misses
        FROM tseras_programme_looks l
        GROUP BY 1, 3, 4
        UNION ALL
        SELECT l.day, 'institution', l.organisation_id, l.member, count(*), count(DISTINCT l.case_id), count(DISTINCT l.case_id), 0
        FROM tseras_result_looks l
        GROUP BY 1, 3, 4
        UNION ALL
        SELECT q.day, 'call_centre', q.organisation_id, q.operator_fin, count(*), count(DISTINCT q.subject), count(DISTINCT q.subject), count(*) FILTER (WHERE q.subject IS NULL)
        FROM (
            SELECT (l.at AT TIME ZONE 'Asia/Baku')::date AS day, l.organisation_id, l.operator_fin, l.subject
            FROM lookups l
            WHERE l.way = 'office' AND l.outcome IN ('decided', 'under_review')
            UNION ALL
            SELECT t.day, t.organisation_id, t.operator_fin, NULL
            FROM lookup_tries t
            WHERE t.way = 'office' AND NOT t.shown) AS q
        GROUP BY 1, 3, 4) AS d
    JOIN organisations o ON o.id = d.organisation_id;
