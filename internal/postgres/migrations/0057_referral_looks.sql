-- +goose Up
-- That somebody who acts for an institution named a person by FIN and birth date, and was told the name before he referred, or that the person has
-- an open case: once a day for each who asked and each person. The person sees it, whether or not there is a case.
CREATE TABLE tseras_referral_looks (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES medical_institutions,
    subject         text NOT NULL CHECK (subject ~ '^[0-9A-HJ-NP-Z]{7}$'),
    member          text CHECK (member ~ '^[0-9A-HJ-NP-Z]{7}$'),
    told            text NOT NULL CHECK (told IN ('name', 'open')),
    day             date NOT NULL,
    at              timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (organisation_id, day, subject, member, told)
);
CREATE INDEX tseras_referral_looks_subject ON tseras_referral_looks (subject, at DESC);

REVOKE ALL ON tseras_referral_looks FROM PUBLIC;
GRANT SELECT (id, organisation_id, subject, member, day), INSERT ON tseras_referral_looks TO tesdiq_casework;
GRANT SELECT (id, organisation_id, subject, told, at) ON tseras_referral_looks TO tesdiq_cabinet;

-- Inspectors count them as an institution's looks; what explains one is that the institution referred the person on that day.
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
        SELECT i.day, 'institution', i.organisation_id, i.member, count(*), count(DISTINCT i.what), count(DISTINCT i.what) FILTER (WHERE NOT i.explained), count(*) FILTER (WHERE i.what IS NULL)
        FROM (
            SELECT l.day, l.organisation_id, l.member, 'case ' || l.case_id AS what, false AS explained
            FROM tseras_result_looks l
            UNION ALL
            SELECT l.day, l.organisation_id, l.member, l.subject, EXISTS (
                SELECT FROM tseras_referrals r JOIN cases c ON c.id = r.case_id
                WHERE r.organisation_id = l.organisation_id AND c.subject = l.subject AND (r.received_at AT TIME ZONE 'Asia/Baku')::date = l.day)
            FROM tseras_referral_looks l
            UNION ALL
            SELECT g.day, g.organisation_id, g.member, NULL, false
            FROM tseras_referral_misses g) AS i
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
