-- +goose Up
-- The other kinds of cases: appeals, rehabilitation programmes, corrections of what a register answered; and what organisations do
-- beside checking excerpts.

ALTER TABLE cases DROP CONSTRAINT cases_kind_check;
ALTER TABLE cases ADD CONSTRAINT cases_kind_check CHECK ((procedure, kind) IN (
    ('tseras', 'assessment'), ('tseras', 'appeal'), ('tseras', 'programme'), ('tseras', 'correction')));
ALTER TABLE cases ADD COLUMN about bigint REFERENCES cases;
ALTER TABLE cases ADD CHECK ((about IS NULL) = (kind = 'assessment'));
CREATE INDEX cases_about ON cases (about, id) WHERE about IS NOT NULL;
DROP INDEX cases_at_work;
CREATE INDEX cases_at_work ON cases (procedure, kind, state, id)
    WHERE state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed', 'entered', 'corrected', 'refused');
-- Nobody is assessed in two cases at a time, and a decision has one programme.
DROP INDEX cases_one_assessment;
CREATE UNIQUE INDEX cases_one_assessment ON cases (subject)
    WHERE kind IN ('assessment', 'appeal') AND state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed');
CREATE UNIQUE INDEX cases_one_programme ON cases (about) WHERE kind = 'programme';

ALTER TABLE case_steps DROP CONSTRAINT case_steps_turn_check;
ALTER TABLE case_steps ADD CONSTRAINT case_steps_turn_check
    CHECK (turn IN ('subject', 'institution', 'agencies', 'commission', 'office', 'nobody'));
-- One CHECK for each kind, so that each can be read, and changed, alone.
ALTER TABLE case_steps DROP CONSTRAINT case_steps_ways;
ALTER TABLE case_steps ADD CONSTRAINT case_steps_ways_assessment CHECK ((procedure, kind) <> ('tseras', 'assessment') OR (from_state, to_state, part) IN (
    ('', 'gathering', 'subject'),
    ('', 'gathering', 'clerk'),
    ('', 'gathering', 'institution'),
    ('gathering', 'decided', 'system'),
    ('gathering', 'awaiting_referral', 'system'),
    ('gathering', 'awaiting_draw', 'system'),
    ('gathering', 'declined', 'system'),
    ('gathering', 'withdrawn', 'subject'),
    ('gathering', 'withdrawn', 'clerk'),
    ('awaiting_referral', 'gathering', 'institution'),
    ('awaiting_referral', 'gathering', 'system'),
    ('awaiting_referral', 'declined', 'institution'),
    ('awaiting_referral', 'withdrawn', 'subject'),
    ('awaiting_referral', 'withdrawn', 'clerk'),
    ('awaiting_draw', 'gathering', 'system'),
    ('awaiting_draw', 'drawn', 'system'),
    ('awaiting_draw', 'withdrawn', 'subject'),
    ('awaiting_draw', 'withdrawn', 'clerk'),
    ('drawn', 'drawn', 'chair'),
    ('drawn', 'further_member', 'system'),
    ('drawn', 'signing', 'system'),
    ('drawn', 'withdrawn', 'subject'),
    ('drawn', 'withdrawn', 'clerk'),
    ('further_member', 'signing', 'system'),
    ('signing', 'further_member', 'member'),
    ('signing', 'further_member', 'chair'),
    ('signing', 'decided', 'system')));
ALTER TABLE case_steps ADD CONSTRAINT case_steps_ways_appeal CHECK ((procedure, kind) <> ('tseras', 'appeal') OR (from_state, to_state, part) IN (
    ('', 'awaiting_draw', 'subject'),
    ('', 'awaiting_draw', 'clerk'),
    ('awaiting_draw', 'drawn', 'system'),
    ('awaiting_draw', 'withdrawn', 'subject'),
    ('awaiting_draw', 'withdrawn', 'clerk'),
    ('drawn', 'drawn', 'subject'),
    ('drawn', 'drawn', 'clerk'),
    ('drawn', 'drawn', 'chair'),
    ('drawn', 'further_member', 'system'),
    ('drawn', 'signing', 'system'),
    ('drawn', 'lapsed', 'chair'),
    ('drawn', 'withdrawn', 'subject'),
    ('drawn', 'withdrawn', 'clerk'),
    ('further_member', 'signing', 'system'),
    ('signing', 'further_member', 'member'),
    ('signing', 'further_member', 'chair'),
    ('signing', 'decided', 'system')));
ALTER TABLE case_steps ADD CONSTRAINT case_steps_ways_programme CHECK ((procedure, kind) <> ('tseras', 'programme') OR (from_state, to_state, part) IN (
    ('', 'awaiting_invitation', 'system'),
    ('awaiting_invitation', 'awaiting_meeting', 'office'),
    ('awaiting_invitation', 'withdrawn', 'subject'),
    ('awaiting_invitation', 'withdrawn', 'clerk'),
    ('awaiting_invitation', 'declined', 'system'),
    ('awaiting_meeting', 'awaiting_meeting', 'subject'),
    ('awaiting_meeting', 'awaiting_meeting', 'clerk'),
    ('awaiting_meeting', 'awaiting_meeting', 'office'),
    ('awaiting_meeting', 'drafted', 'office'),
    ('awaiting_meeting', 'lapsed', 'office'),
    ('awaiting_meeting', 'withdrawn', 'subject'),
    ('awaiting_meeting', 'withdrawn', 'clerk'),
    ('drafted', 'drafted', 'office'),
    ('drafted', 'entered', 'office'),
    ('drafted', 'withdrawn', 'subject'),
    ('drafted', 'withdrawn', 'clerk')));
ALTER TABLE case_steps ADD CONSTRAINT case_steps_ways_correction CHECK ((procedure, kind) <> ('tseras', 'correction') OR (from_state, to_state, part) IN (
    ('', 'asked', 'subject'),
    ('', 'asked', 'clerk'),
    ('asked', 'corrected', 'system'),
    ('asked', 'refused', 'system'),
    ('asked', 'withdrawn', 'subject'),
    ('asked', 'withdrawn', 'clerk')));

-- Duties: files for people who are present; answers calls; inspects; makes rehabilitation programmes.
CREATE TABLE organisation_duties (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    duty            text NOT NULL CHECK (duty IN ('filing', 'call_centre', 'inspection', 'rehabilitation')),
    added_at        timestamptz NOT NULL,
    ended_at        timestamptz CHECK (ended_at >= added_at)
);
CREATE UNIQUE INDEX organisation_duties_current ON organisation_duties (organisation_id, duty) WHERE ended_at IS NULL;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC;
GRANT SELECT (organisation_id, duty, ended_at) ON organisation_duties TO tesdiq_cabinet, tesdiq_reception, tesdiq_verifier, tesdiq_casework;
GRANT SELECT, INSERT ON organisation_duties TO tesdiq_operator;
GRANT UPDATE (ended_at) ON organisation_duties TO tesdiq_operator;
