-- +goose Up
-- A result that differs is one line, with the chair's words; with the further member's where the chair refused to sign.
CREATE OR REPLACE VIEW inspection_contradictions AS
    SELECT c.number, d.decided_at, k.name AS commission, g.member_id, g.explains
    FROM tseras_decisions d
    JOIN cases c ON c.id = d.case_id
    JOIN tseras_blind b ON b.case_id = d.case_id
    JOIN LATERAL (SELECT p.n, p.result FROM tseras_proposals p WHERE p.number = b.number ORDER BY p.n DESC LIMIT 1) p ON (p.result->>'differs')::boolean
    JOIN LATERAL (
        SELECT x.member_id, x.explains
        FROM tseras_signatures x
        JOIN tseras_seats s ON s.number = x.number AND s.member_id = x.member_id
        WHERE x.number = b.number AND x.n = p.n AND x.signs AND x.explains <> ''
        ORDER BY s.role -- chair, further
        LIMIT 1) g ON true
    JOIN commission_members m ON m.id = g.member_id
    JOIN commissions k ON k.id = m.commission_id;
