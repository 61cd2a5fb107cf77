-- +goose Up
-- A case does not stay with who is silent: a member who has not recorded or signed when the time is over, or who is a member no more, is
-- passed over, and others are drawn. What was drawn belongs to the step that called for it.

-- Nobody draws for a case until it suits: each step that calls for a draw has one.
ALTER TABLE drawings ADD COLUMN seq int,
    ADD COLUMN called text GENERATED ALWAYS AS (CASE drawing->'steps'->0->>'role' WHEN 'further' THEN 'further_member' ELSE 'awaiting_draw' END) STORED;
UPDATE drawings d SET seq = (SELECT max(s.seq) FROM case_steps s WHERE s.case_id = d.case_id AND s.to_state = d.called);
ALTER TABLE drawings ALTER COLUMN seq SET NOT NULL,
    ADD FOREIGN KEY (case_id, seq, called) REFERENCES case_steps (case_id, seq, to_state);
DROP INDEX drawings_once;
CREATE UNIQUE INDEX drawings_once ON drawings (case_id, seq);
DROP INDEX drawings_case; -- that of case and step serves

-- A seat belongs to the drawing that gave it; a commission that was drawn in place of one that said nothing has a chair of its own.
ALTER TABLE tseras_seats ADD COLUMN seq int;
UPDATE tseras_seats t SET seq = (
    SELECT max(s.seq) FROM tseras_blind b JOIN case_steps s ON s.case_id = b.case_id
    WHERE b.number = t.number AND s.to_state = CASE t.role WHEN 'further' THEN 'further_member' ELSE 'awaiting_draw' END);
ALTER TABLE tseras_seats ALTER COLUMN seq SET NOT NULL;
DROP INDEX tseras_seats_chair;
CREATE UNIQUE INDEX tseras_seats_chair ON tseras_seats (number, seq) WHERE role = 'chair';

-- Who was passed over, by which step of the case, and whether he was silent or is no member any more. What he has said before counts.
CREATE TABLE tseras_passed (
    number    text NOT NULL,
    member_id text NOT NULL,
    case_id   bigint NOT NULL,
    seq       int NOT NULL,
    why       text NOT NULL CHECK (why IN ('silent', 'ended')),
    at        timestamptz NOT NULL,
    PRIMARY KEY (number, member_id),
    FOREIGN KEY (number, member_id) REFERENCES tseras_seats,
    FOREIGN KEY (case_id, seq) REFERENCES case_steps
);
-- He says nothing afterwards, whoever writes.
-- +goose StatementBegin
CREATE FUNCTION passed_over_say_nothing() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM tseras_passed p WHERE p.number = NEW.number AND p.member_id = NEW.member_id) THEN
        RAISE EXCEPTION 'the member was passed over' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION passed_over_say_nothing() FROM PUBLIC;
CREATE TRIGGER passed_over_say_nothing BEFORE INSERT ON tseras_findings FOR EACH ROW EXECUTE FUNCTION passed_over_say_nothing();
CREATE TRIGGER passed_over_say_nothing BEFORE INSERT ON tseras_signatures FOR EACH ROW EXECUTE FUNCTION passed_over_say_nothing();

-- The slot at a commission that said nothing is given back, and does not count as the person's.
ALTER TABLE tseras_slot_returns DROP CONSTRAINT tseras_slot_returns_why_check;
ALTER TABLE tseras_slot_returns ADD CONSTRAINT tseras_slot_returns_why_check CHECK (why IN ('moved', 'cannot', 'absent', 'withdrawn', 'silent'));

ALTER TABLE case_steps DROP CONSTRAINT case_steps_ways_assessment;
ALTER TABLE case_steps ADD CONSTRAINT case_steps_ways_assessment CHECK (procedure <> 'tseras' OR kind <> 'assessment' OR (from_state || '>' || to_state || '>' || part) = ANY (
    '{>gathering>clerk,>gathering>institution,>gathering>subject,awaiting_draw>awaiting_draw>system,awaiting_draw>drawn>system,awaiting_draw>gathering>system,awaiting_draw>withdrawn>clerk,awaiting_draw>withdrawn>subject,awaiting_referral>declined>institution,awaiting_referral>gathering>institution,awaiting_referral>gathering>system,awaiting_referral>withdrawn>clerk,awaiting_referral>withdrawn>subject,drawn>awaiting_draw>system,drawn>drawn>chair,drawn>further_member>system,drawn>signing>system,drawn>withdrawn>clerk,drawn>withdrawn>subject,further_member>further_member>system,further_member>signing>system,gathering>awaiting_draw>system,gathering>awaiting_referral>system,gathering>decided>system,gathering>declined>system,gathering>gathering>system,gathering>withdrawn>clerk,gathering>withdrawn>subject,signing>decided>system,signing>further_member>chair,signing>further_member>member,signing>further_member>system,signing>signing>system}'::text[]));
ALTER TABLE case_steps DROP CONSTRAINT case_steps_ways_appeal;
ALTER TABLE case_steps ADD CONSTRAINT case_steps_ways_appeal CHECK (procedure <> 'tseras' OR kind <> 'appeal' OR (from_state || '>' || to_state || '>' || part) = ANY (
    '{>awaiting_draw>clerk,>awaiting_draw>subject,awaiting_draw>awaiting_draw>system,awaiting_draw>drawn>system,awaiting_draw>withdrawn>clerk,awaiting_draw>withdrawn>subject,drawn>awaiting_draw>system,drawn>drawn>chair,drawn>drawn>clerk,drawn>drawn>subject,drawn>further_member>system,drawn>lapsed>chair,drawn>signing>system,drawn>withdrawn>clerk,drawn>withdrawn>subject,further_member>further_member>system,further_member>signing>system,signing>decided>system,signing>further_member>chair,signing>further_member>member,signing>further_member>system,signing>signing>system}'::text[]));

-- Inspectors see who was passed over, when the case is closed: before that a member who knows an inspector would know whom he assesses.
CREATE VIEW inspection_passed AS
    SELECT c.number, p.at, k.name AS commission, p.member_id, p.why
    FROM tseras_passed p
    JOIN cases c ON c.id = p.case_id
    JOIN commission_members m ON m.id = p.member_id
    JOIN commissions k ON k.id = m.commission_id
    WHERE c.state IN ('decided', 'declined', 'withdrawn', 'lapsed');

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
GRANT SELECT, INSERT ON tseras_passed TO tesdiq_casework;
GRANT SELECT (number, member_id, at) ON tseras_passed TO tesdiq_commission;
GRANT SELECT ON inspection_passed TO tesdiq_inspection;
