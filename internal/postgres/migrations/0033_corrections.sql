-- +goose Up
-- Corrections of what a register answered: what is asked of the agency, and what it said.

-- What a question disputes; empty of any other question.
ALTER TABLE gateway_questions ADD COLUMN disputes uuid REFERENCES gateway_questions;
ALTER TABLE gateway_questions ADD COLUMN wrong text NOT NULL DEFAULT '';
ALTER TABLE gateway_questions ADD COLUMN words text NOT NULL DEFAULT '' CHECK (length(words) <= 500);
ALTER TABLE gateway_questions ADD CONSTRAINT gateway_questions_dispute CHECK ((purpose = 'correction') = (disputes IS NOT NULL) AND (disputes IS NULL) = (wrong = '') AND (wrong = '') = (words = ''));

-- A case whose registers are asked already asks them anew, too, when one was corrected.
ALTER TABLE case_steps DROP CONSTRAINT case_steps_ways_assessment;
ALTER TABLE case_steps ADD CONSTRAINT case_steps_ways_assessment CHECK (procedure <> 'tseras' OR kind <> 'assessment' OR (from_state || '>' || to_state || '>' || part) = ANY (
    '{>gathering>clerk,>gathering>institution,>gathering>subject,awaiting_draw>drawn>system,awaiting_draw>gathering>system,awaiting_draw>withdrawn>clerk,awaiting_draw>withdrawn>subject,awaiting_referral>declined>institution,awaiting_referral>gathering>institution,awaiting_referral>gathering>system,awaiting_referral>withdrawn>clerk,awaiting_referral>withdrawn>subject,drawn>drawn>chair,drawn>further_member>system,drawn>signing>system,drawn>withdrawn>clerk,drawn>withdrawn>subject,further_member>signing>system,gathering>awaiting_draw>system,gathering>awaiting_referral>system,gathering>decided>system,gathering>declined>system,gathering>gathering>system,gathering>withdrawn>clerk,gathering>withdrawn>subject,signing>decided>system,signing>further_member>chair,signing>further_member>member}'::text[]));

CREATE TABLE tseras_corrections (
    case_id  bigint PRIMARY KEY REFERENCES cases,
    about    bigint NOT NULL REFERENCES cases,
    register text NOT NULL CHECK (register <> ''),
    disputes uuid NOT NULL, -- the gateway's question whose answer is disputed
    wrong    text NOT NULL CHECK (wrong <> ''),
    words    text NOT NULL CHECK (length(words) BETWEEN 1 AND 500)
);
CREATE INDEX tseras_corrections_about ON tseras_corrections (about);
-- What became of each asking; the latest counts.
CREATE TABLE tseras_correction_outcomes (
    case_id  bigint NOT NULL REFERENCES tseras_corrections,
    n        int NOT NULL CHECK (n >= 1),
    answered boolean NOT NULL,
    outcome  text NOT NULL, -- corrected, refused, later; or why there is no answer
    reason   text NOT NULL,
    at       timestamptz NOT NULL,
    again_at timestamptz,   -- when it is asked again
    PRIMARY KEY (case_id, n)
);

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
GRANT SELECT, INSERT ON tseras_corrections, tseras_correction_outcomes TO tesdiq_casework;
