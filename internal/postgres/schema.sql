-- What the migrations make, for readers: never edited, written by make schema, checked by make lint.
-- Every object belongs to tesdiq_owner; who may do what is in privileges.txt. Tables river_… are the job queue's. PostgreSQL 15.

CREATE TYPE public.river_job_state AS ENUM (
    'available',
    'cancelled',
    'completed',
    'discarded',
    'pending',
    'retryable',
    'running',
    'scheduled'
);

CREATE FUNCTION public.drawn_by_an_older_promise() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM draw_rounds r JOIN case_steps t ON t.case_id = NEW.case_id AND t.seq = NEW.seq
               WHERE r.round = NEW.round AND r.committed_at > t.at) THEN
        RAISE EXCEPTION 'a round draws for no case that called for it before its commitment' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM draw_seeds s WHERE s.round = NEW.round) THEN
        RAISE EXCEPTION 'a round whose seed is open draws for nobody' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION public.inspection_person(look text, officer text) RETURNS TABLE(surname text, given text, father text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
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

CREATE FUNCTION public.inspection_quarter(quarter date) RETURNS TABLE(dimension text, value text, cases bigint, days bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
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

CREATE FUNCTION public.inspection_totals(since timestamp with time zone, until timestamp with time zone) RETURNS TABLE(dimension text, value text, cases bigint, days bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT v.dimension, v.value, count(*), coalesce(sum(extract(epoch FROM s.at - c.opened_at) / 86400), 0)::bigint
    FROM case_steps s
    JOIN cases c ON c.id = s.case_id AND c.seq = s.seq
    CROSS JOIN LATERAL (VALUES ('closed', c.kind || '.' || c.state), ('month', to_char(s.at AT TIME ZONE 'Asia/Baku', 'YYYY-MM'))) AS v (dimension, value)
    WHERE s.turn = 'nobody' AND s.at >= since AND s.at < until AND c.kind IN ('assessment', 'appeal')
    GROUP BY 1, 2
$$;

CREATE FUNCTION public.keep_what_is_said_now() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM publications n WHERE n.path = OLD.path AND n.produced_at > OLD.produced_at
               AND (n.produced_at <= now() + interval '5 minutes' OR OLD.produced_at > now() + interval '5 minutes')) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'what is said now stays' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION public.lookup_find(card text, birthday date) RETURNS TABLE(subject text, open boolean, examined_on date, disability boolean, until_day date, next_from date, under_review boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT p.fin, coalesce(s.open, true), x.examined_on, coalesce(x.disability, false), x.until_day, x.next_from,
           EXISTS (SELECT FROM cases c WHERE c.subject = p.fin AND c.kind IN ('assessment', 'appeal') AND c.state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed'))
    FROM persons p
    JOIN entries e ON e.id = p.entry_id
    LEFT JOIN LATERAL (SELECT w.open FROM lookup_switches w WHERE w.subject = p.fin ORDER BY w.id DESC LIMIT 1) s ON true
    LEFT JOIN LATERAL (
        SELECT d.examined_on, d.outcome <> 'not_disability' AS disability, d.until_day, d.next_from
        FROM entries v JOIN examinations d ON d.entry_id = v.id
        WHERE v.book = 'examination' AND v.subject = p.fin AND v.act <> 'annul'
          AND NOT EXISTS (SELECT FROM entries later WHERE later.book = v.book AND later.number = v.number AND later.version > v.version)
        ORDER BY v.effective_on DESC, (SELECT f.id FROM entries f WHERE f.book = v.book AND f.number = v.number AND f.version = 1) DESC
        LIMIT 1) x ON true
    WHERE p.document = card AND p.born = birthday AND e.book = 'person' AND e.act <> 'annul'
      AND NOT EXISTS (SELECT FROM entries later WHERE later.book = e.book AND later.number = e.number AND later.version > e.version)
    LIMIT 2
$$;

CREATE FUNCTION public.passed_over_say_nothing() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF EXISTS (SELECT FROM tseras_passed p WHERE p.number = NEW.number AND p.member_id = NEW.member_id) THEN
        RAISE EXCEPTION 'the member was passed over' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION public.river_job_state_in_bitmask(bitmask bit, state public.river_job_state) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE state
        WHEN 'available' THEN get_bit(bitmask, 7)
        WHEN 'cancelled' THEN get_bit(bitmask, 6)
        WHEN 'completed' THEN get_bit(bitmask, 5)
        WHEN 'discarded' THEN get_bit(bitmask, 4)
        WHEN 'pending'   THEN get_bit(bitmask, 3)
        WHEN 'retryable' THEN get_bit(bitmask, 2)
        WHEN 'running'   THEN get_bit(bitmask, 1)
        WHEN 'scheduled' THEN get_bit(bitmask, 0)
        ELSE 0
    END = 1;
$$;

CREATE FUNCTION public.steps_go_forward() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.seq > 1 AND NEW.at < (SELECT s.at FROM case_steps s WHERE s.case_id = NEW.case_id AND s.seq = NEW.seq - 1) THEN
        RAISE EXCEPTION 'a step is not earlier than the one before it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION public.tell_of_inspection() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO messages (fin, key, args, link, sent_at)
    SELECT c.subject, 'inspection.message.look',
           jsonb_build_object('Number', c.number, 'Office', NEW.office, 'Purpose.key', 'inspection.purpose.' || NEW.purpose),
           '/cabinet/cases/' || c.number, NEW.at
    FROM cases c WHERE c.id = NEW.case_id;
    RETURN NEW;
END
$$;

CREATE TABLE public.api_clients (
    id text NOT NULL,
    organisation_id bigint NOT NULL,
    name text NOT NULL,
    secret_sha256 bytea NOT NULL,
    added_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT api_clients_name_check CHECK ((name <> ''::text)),
    CONSTRAINT api_clients_secret_sha256_check CHECK ((length(secret_sha256) = 32))
);

CREATE TABLE public.api_tokens (
    sha256 bytea NOT NULL,
    client_id text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT api_tokens_sha256_check CHECK ((length(sha256) = 32))
);

CREATE TABLE public.attempts (
    intent_id bigint NOT NULL,
    n integer NOT NULL,
    attempted_at timestamp with time zone NOT NULL,
    CONSTRAINT attempts_n_check CHECK ((n >= 1))
);

CREATE TABLE public.case_alarms (
    case_id bigint NOT NULL,
    turn text NOT NULL,
    due_by date NOT NULL,
    alarm text NOT NULL,
    seq integer NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT case_alarms_alarm_check CHECK ((alarm = ANY (ARRAY['soon'::text, 'overdue'::text]))),
    CONSTRAINT case_alarms_turn_check CHECK ((turn <> 'nobody'::text))
);

CREATE SEQUENCE public.case_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.case_steps (
    case_id bigint NOT NULL,
    procedure text NOT NULL,
    kind text NOT NULL,
    seq integer NOT NULL,
    before integer GENERATED ALWAYS AS (NULLIF((seq - 1), 0)) STORED,
    from_state text NOT NULL,
    to_state text NOT NULL,
    at timestamp with time zone NOT NULL,
    part text NOT NULL,
    actor_fin text,
    office text NOT NULL,
    what text NOT NULL,
    args jsonb NOT NULL,
    turn text NOT NULL,
    began date NOT NULL,
    due_by date,
    provisional boolean NOT NULL,
    CONSTRAINT case_steps_actor_fin_check CHECK ((actor_fin ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT case_steps_check CHECK ((due_by >= began)),
    CONSTRAINT case_steps_check1 CHECK (((seq = 1) = (from_state = ''::text))),
    CONSTRAINT case_steps_check2 CHECK (((actor_fin IS NULL) = (part = ANY (ARRAY['institution'::text, 'system'::text])))),
    CONSTRAINT case_steps_check3 CHECK (((office = ''::text) = (part = ANY (ARRAY['subject'::text, 'system'::text])))),
    CONSTRAINT case_steps_seq_check CHECK ((seq >= 1)),
    CONSTRAINT case_steps_turn_check CHECK ((turn = ANY (ARRAY['subject'::text, 'institution'::text, 'agencies'::text, 'commission'::text, 'office'::text, 'nobody'::text]))),
    CONSTRAINT case_steps_ways_appeal CHECK (((procedure <> 'tseras'::text) OR (kind <> 'appeal'::text) OR (((((from_state || '>'::text) || to_state) || '>'::text) || part) = ANY ('{>awaiting_draw>clerk,>awaiting_draw>subject,awaiting_draw>awaiting_draw>system,awaiting_draw>drawn>system,awaiting_draw>withdrawn>clerk,awaiting_draw>withdrawn>subject,drawn>awaiting_draw>system,drawn>drawn>chair,drawn>drawn>clerk,drawn>drawn>subject,drawn>further_member>system,drawn>lapsed>chair,drawn>signing>system,drawn>withdrawn>clerk,drawn>withdrawn>subject,further_member>further_member>system,further_member>signing>system,signing>decided>system,signing>further_member>chair,signing>further_member>member,signing>further_member>system,signing>signing>system}'::text[])))),
    CONSTRAINT case_steps_ways_assessment CHECK (((procedure <> 'tseras'::text) OR (kind <> 'assessment'::text) OR (((((from_state || '>'::text) || to_state) || '>'::text) || part) = ANY ('{>gathering>clerk,>gathering>institution,>gathering>subject,awaiting_draw>awaiting_draw>system,awaiting_draw>drawn>system,awaiting_draw>gathering>system,awaiting_draw>withdrawn>clerk,awaiting_draw>withdrawn>subject,awaiting_referral>declined>institution,awaiting_referral>gathering>institution,awaiting_referral>gathering>system,awaiting_referral>withdrawn>clerk,awaiting_referral>withdrawn>subject,drawn>awaiting_draw>system,drawn>drawn>chair,drawn>further_member>system,drawn>signing>system,drawn>withdrawn>clerk,drawn>withdrawn>subject,further_member>further_member>system,further_member>signing>system,gathering>awaiting_draw>system,gathering>awaiting_referral>system,gathering>decided>system,gathering>declined>system,gathering>gathering>system,gathering>withdrawn>clerk,gathering>withdrawn>subject,signing>decided>system,signing>further_member>chair,signing>further_member>member,signing>further_member>system,signing>signing>system}'::text[])))),
    CONSTRAINT case_steps_ways_correction CHECK (((procedure <> 'tseras'::text) OR (kind <> 'correction'::text) OR (((((from_state || '>'::text) || to_state) || '>'::text) || part) = ANY ('{>asked>clerk,>asked>subject,asked>corrected>system,asked>refused>system,asked>withdrawn>clerk,asked>withdrawn>subject}'::text[])))),
    CONSTRAINT case_steps_ways_programme CHECK (((procedure <> 'tseras'::text) OR (kind <> 'programme'::text) OR (((((from_state || '>'::text) || to_state) || '>'::text) || part) = ANY ('{>awaiting_invitation>clerk,>awaiting_invitation>subject,>awaiting_invitation>system,awaiting_invitation>awaiting_invitation>office,awaiting_invitation>awaiting_meeting>office,awaiting_invitation>declined>system,awaiting_invitation>withdrawn>clerk,awaiting_invitation>withdrawn>subject,awaiting_meeting>awaiting_meeting>clerk,awaiting_meeting>awaiting_meeting>office,awaiting_meeting>awaiting_meeting>subject,awaiting_meeting>declined>system,awaiting_meeting>drafted>office,awaiting_meeting>lapsed>office,awaiting_meeting>withdrawn>clerk,awaiting_meeting>withdrawn>subject,drafted>declined>system,drafted>drafted>clerk,drafted>drafted>office,drafted>drafted>subject,drafted>entered>office,drafted>withdrawn>clerk,drafted>withdrawn>subject}'::text[])))),
    CONSTRAINT case_steps_what_check CHECK ((what <> ''::text))
);

CREATE TABLE public.cases (
    id bigint NOT NULL,
    number text NOT NULL,
    procedure text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    law_on date NOT NULL,
    request text NOT NULL,
    seq integer NOT NULL,
    state text NOT NULL,
    about bigint,
    CONSTRAINT cases_check CHECK (((about IS NULL) = (kind = 'assessment'::text))),
    CONSTRAINT cases_kind_check CHECK ((((((procedure = 'tseras'::text) AND (kind = 'assessment'::text)) OR ((procedure = 'tseras'::text) AND (kind = 'appeal'::text))) OR ((procedure = 'tseras'::text) AND (kind = 'programme'::text))) OR ((procedure = 'tseras'::text) AND (kind = 'correction'::text)))),
    CONSTRAINT cases_number_check CHECK ((number ~ '^T-\d{4}-\d{6,}$'::text)),
    CONSTRAINT cases_procedure_check CHECK ((procedure = 'tseras'::text)),
    CONSTRAINT cases_request_check CHECK ((request <> ''::text)),
    CONSTRAINT cases_seq_check CHECK ((seq >= 1)),
    CONSTRAINT cases_state_check CHECK ((state <> ''::text)),
    CONSTRAINT cases_subject_check CHECK ((subject ~ '^[0-9A-HJ-NP-Z]{7}$'::text))
);

ALTER TABLE public.cases ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.cases_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.certificate_revocations (
    serial text NOT NULL,
    role text NOT NULL,
    reason text NOT NULL,
    why text NOT NULL,
    by text NOT NULL,
    invalid_from timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone NOT NULL,
    CONSTRAINT certificate_revocations_by_check CHECK ((by <> ''::text)),
    CONSTRAINT certificate_revocations_check CHECK ((invalid_from <= revoked_at)),
    CONSTRAINT certificate_revocations_reason_check CHECK ((reason = ANY (ARRAY['unspecified'::text, 'keyCompromise'::text, 'affiliationChanged'::text, 'superseded'::text, 'cessationOfOperation'::text]))),
    CONSTRAINT certificate_revocations_role_check CHECK ((role = ANY (ARRAY['document-signer'::text, 'time-stamp-signer'::text]))),
    CONSTRAINT certificate_revocations_serial_check CHECK ((serial ~ '^[0-9a-f]+$'::text)),
    CONSTRAINT certificate_revocations_why_check CHECK ((why <> ''::text))
);

CREATE TABLE public.channel_choices (
    id bigint NOT NULL,
    fin text NOT NULL,
    channel text NOT NULL,
    contact_id bigint,
    lang text NOT NULL,
    chosen_at timestamp with time zone NOT NULL,
    CONSTRAINT channel_choices_channel_check CHECK ((channel = ANY (ARRAY['sms'::text, 'email'::text, 'cabinet'::text]))),
    CONSTRAINT channel_choices_check CHECK (((channel = 'cabinet'::text) = (contact_id IS NULL))),
    CONSTRAINT channel_choices_lang_check CHECK ((lang = ANY (ARRAY['az'::text, 'en'::text, 'ru'::text])))
);

ALTER TABLE public.channel_choices ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.channel_choices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.checks (
    id text NOT NULL,
    at timestamp with time zone NOT NULL,
    way text NOT NULL,
    excerpt_id bigint,
    subject text,
    code text,
    sha256 bytea,
    sort text NOT NULL,
    organisation_id bigint,
    member_fin text,
    client_id text,
    visitor text,
    purpose text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    verdict text NOT NULL,
    reason text NOT NULL,
    idempotency_key text,
    request_sha256 bytea,
    CONSTRAINT checks_check CHECK (((excerpt_id IS NULL) = (subject IS NULL))),
    CONSTRAINT checks_check1 CHECK (((verdict = 'unknown'::text) = (excerpt_id IS NULL))),
    CONSTRAINT checks_check2 CHECK (((sort = 'organisation'::text) = (organisation_id IS NOT NULL))),
    CONSTRAINT checks_check3 CHECK (((sort <> 'organisation'::text) OR ((member_fin IS NULL) <> (client_id IS NULL)))),
    CONSTRAINT checks_check4 CHECK (((sort <> 'person'::text) OR (member_fin IS NOT NULL))),
    CONSTRAINT checks_check5 CHECK (((sort <> 'anonymous'::text) OR ((member_fin IS NULL) AND (client_id IS NULL) AND (note = ''::text)))),
    CONSTRAINT checks_check6 CHECK (((idempotency_key IS NULL) = (request_sha256 IS NULL))),
    CONSTRAINT checks_id_check CHECK ((id ~ '^[0-9A-HJKMNP-TV-Z]{16}$'::text)),
    CONSTRAINT checks_sha256_check CHECK ((length(sha256) = 32)),
    CONSTRAINT checks_sort_check CHECK ((sort = ANY (ARRAY['organisation'::text, 'person'::text, 'anonymous'::text]))),
    CONSTRAINT checks_verdict_check CHECK ((verdict = ANY (ARRAY['altered'::text, 'revoked'::text, 'withdrawn'::text, 'superseded'::text, 'expired'::text, 'valid'::text, 'unknown'::text]))),
    CONSTRAINT checks_way_check CHECK ((way = ANY (ARRAY['code'::text, 'qr'::text, 'file'::text])))
);

CREATE TABLE public.commission_hours (
    id bigint NOT NULL,
    commission_id text NOT NULL,
    weekday integer NOT NULL,
    opens integer NOT NULL,
    closes integer NOT NULL,
    minutes integer NOT NULL,
    at_a_time integer NOT NULL,
    place text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT commission_hours_at_a_time_check CHECK (((at_a_time >= 1) AND (at_a_time <= 20))),
    CONSTRAINT commission_hours_check CHECK ((((minutes >= 5) AND (minutes <= 240)) AND ((opens + minutes) <= closes))),
    CONSTRAINT commission_hours_check1 CHECK ((ended_at >= added_at)),
    CONSTRAINT commission_hours_closes_check CHECK ((closes <= 1440)),
    CONSTRAINT commission_hours_opens_check CHECK ((opens >= 0)),
    CONSTRAINT commission_hours_place_check CHECK ((place <> ''::text)),
    CONSTRAINT commission_hours_weekday_check CHECK (((weekday >= 1) AND (weekday <= 7)))
);

ALTER TABLE public.commission_hours ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.commission_hours_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.commission_members (
    id text NOT NULL,
    commission_id text NOT NULL,
    fin text NOT NULL,
    name text NOT NULL,
    chair boolean NOT NULL,
    added_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT commission_members_check CHECK (starts_with(id, (commission_id || '-'::text))),
    CONSTRAINT commission_members_fin_check CHECK ((fin ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT commission_members_id_check CHECK ((id ~ '^K\d{2,3}-\d+$'::text)),
    CONSTRAINT commission_members_name_check CHECK ((name <> ''::text))
);

CREATE TABLE public.commissions (
    id text NOT NULL,
    name text NOT NULL,
    districts text[] NOT NULL,
    added_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT commissions_id_check CHECK ((id ~ '^K\d{2,3}$'::text)),
    CONSTRAINT commissions_name_check CHECK ((name <> ''::text))
);

CREATE TABLE public.contact_codes (
    contact_id bigint NOT NULL,
    n smallint NOT NULL,
    salt bytea NOT NULL,
    hash bytea NOT NULL,
    drawn_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT contact_codes_check CHECK ((expires_at > drawn_at)),
    CONSTRAINT contact_codes_hash_check CHECK ((length(hash) = 32)),
    CONSTRAINT contact_codes_n_check CHECK (((n >= 1) AND (n <= 5))),
    CONSTRAINT contact_codes_salt_check CHECK ((length(salt) = 16))
);

CREATE TABLE public.contact_confirmations (
    contact_id bigint NOT NULL,
    fin text NOT NULL,
    channel text NOT NULL,
    confirmed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.contact_guesses (
    contact_id bigint NOT NULL,
    n smallint NOT NULL,
    guessed_at timestamp with time zone NOT NULL,
    CONSTRAINT contact_guesses_n_check CHECK (((n >= 1) AND (n <= 5)))
);

CREATE TABLE public.contacts (
    id bigint NOT NULL,
    fin text NOT NULL,
    channel text NOT NULL,
    address text NOT NULL,
    lang text NOT NULL,
    given_at timestamp with time zone NOT NULL,
    CONSTRAINT contacts_channel_check CHECK ((channel = ANY (ARRAY['sms'::text, 'email'::text]))),
    CONSTRAINT contacts_check CHECK (
CASE channel
    WHEN 'sms'::text THEN (address ~ '^\+994\d{9}$'::text)
    ELSE ((address ~ '^[!-~]+@[!-~]+$'::text) AND (length(address) <= 254))
END),
    CONSTRAINT contacts_lang_check CHECK ((lang = ANY (ARRAY['az'::text, 'en'::text, 'ru'::text])))
);

ALTER TABLE public.contacts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.contacts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.contracts (
    entry_id bigint NOT NULL,
    employer text NOT NULL,
    employer_voen text NOT NULL,
    workplace text NOT NULL,
    "position" text NOT NULL,
    main boolean NOT NULL,
    part_time boolean NOT NULL,
    salary bigint NOT NULL,
    concluded date NOT NULL,
    from_day date NOT NULL,
    until_day date,
    state text NOT NULL,
    terminated date,
    ground text NOT NULL,
    CONSTRAINT contracts_check CHECK (((state = 'terminated'::text) = (terminated IS NOT NULL))),
    CONSTRAINT contracts_check1 CHECK (((until_day IS NULL) OR (until_day >= from_day))),
    CONSTRAINT contracts_employer_check CHECK ((employer <> ''::text)),
    CONSTRAINT contracts_employer_voen_check CHECK ((employer_voen ~ '^\d{10}$'::text)),
    CONSTRAINT contracts_position_check CHECK (("position" <> ''::text)),
    CONSTRAINT contracts_salary_check CHECK ((salary >= 0)),
    CONSTRAINT contracts_state_check CHECK ((state = ANY (ARRAY['active'::text, 'terminated'::text])))
);

CREATE TABLE public.publications (
    path text NOT NULL,
    serial text,
    revocations integer NOT NULL,
    body bytea NOT NULL,
    produced_at timestamp with time zone NOT NULL,
    until timestamp with time zone,
    CONSTRAINT publications_path_check CHECK ((path <> ''::text)),
    CONSTRAINT publications_revocations_check CHECK ((revocations >= 0)),
    CONSTRAINT publications_serial_check CHECK ((serial ~ '^[0-9a-f]+$'::text))
);

CREATE VIEW public.current_publications AS
 SELECT DISTINCT ON (p.path) p.path,
    p.body,
    p.produced_at,
    p.until,
    ((p.revocations = 0) AND (EXISTS ( SELECT
           FROM public.certificate_revocations c
          WHERE (c.serial = p.serial)))) AS overtaken
   FROM public.publications p
  ORDER BY p.path, (p.produced_at <= (now() + '00:05:00'::interval)) DESC, p.produced_at DESC;

CREATE TABLE public.dispatch_events (
    dispatch_id bigint NOT NULL,
    event text NOT NULL,
    carrier_id text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT dispatch_events_event_check CHECK ((event = ANY (ARRAY['accepted'::text, 'unsent'::text, 'refused'::text, 'unsure'::text, 'delivered'::text, 'failed'::text, 'expired'::text])))
);

CREATE TABLE public.dispatches (
    id bigint NOT NULL,
    outbox_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    part smallint NOT NULL,
    parts smallint NOT NULL,
    attempt smallint NOT NULL,
    dispatched_at timestamp with time zone NOT NULL,
    CONSTRAINT dispatches_attempt_check CHECK (((attempt >= 1) AND (attempt <= 1000))),
    CONSTRAINT dispatches_check CHECK (((part >= 1) AND (part <= parts))),
    CONSTRAINT dispatches_parts_check CHECK (((parts >= 1) AND (parts <= 10)))
);

ALTER TABLE public.dispatches ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dispatches_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.ledger_lines (
    seq bigint NOT NULL,
    kind text NOT NULL,
    object text NOT NULL,
    key bytea NOT NULL,
    mac bytea NOT NULL,
    CONSTRAINT ledger_lines_key_check CHECK ((length(key) = 32)),
    CONSTRAINT ledger_lines_kind_check CHECK ((kind = ANY (ARRAY['entry'::text, 'intent'::text, 'excerpt'::text, 'check'::text, 'withdrawal'::text, 'revocation'::text, 'look'::text, 'renewal'::text, 'certificate'::text, 'reissue'::text, 'step'::text, 'round'::text, 'drawing'::text, 'finding'::text, 'decision'::text, 'lookup'::text, 'list'::text]))),
    CONSTRAINT ledger_lines_mac_check CHECK ((length(mac) = 32)),
    CONSTRAINT ledger_lines_object_check CHECK ((object <> ''::text))
);

CREATE VIEW public.draw_lines AS
 SELECT ledger_lines.kind,
    ledger_lines.object,
    ledger_lines.key,
    ledger_lines.mac
   FROM public.ledger_lines
  WHERE (ledger_lines.kind = 'round'::text);

CREATE TABLE public.draw_rounds (
    round bigint NOT NULL,
    commitment bytea NOT NULL,
    committed_at timestamp with time zone NOT NULL,
    CONSTRAINT draw_rounds_commitment_check CHECK ((length(commitment) = 32)),
    CONSTRAINT draw_rounds_round_check CHECK ((round >= 1))
);

CREATE TABLE public.draw_seeds (
    round bigint NOT NULL,
    seed bytea NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    CONSTRAINT draw_seeds_seed_check CHECK ((length(seed) = 32))
);

CREATE TABLE public.drawings (
    round bigint NOT NULL,
    ref text NOT NULL,
    case_id bigint NOT NULL,
    commitment bytea NOT NULL,
    salt bytea NOT NULL,
    drawing json NOT NULL,
    seq integer NOT NULL,
    called text GENERATED ALWAYS AS (
CASE (((drawing -> 'steps'::text) -> 0) ->> 'role'::text)
    WHEN 'further'::text THEN 'further_member'::text
    ELSE 'awaiting_draw'::text
END) STORED,
    CONSTRAINT drawings_commitment_check CHECK ((length(commitment) = 32)),
    CONSTRAINT drawings_ref_check CHECK ((ref <> ''::text)),
    CONSTRAINT drawings_salt_check CHECK ((length(salt) = 16))
);

CREATE TABLE public.entries (
    id bigint NOT NULL,
    book text NOT NULL,
    number text NOT NULL,
    version integer NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    chain text NOT NULL,
    effective_on date NOT NULL,
    entered_at timestamp with time zone NOT NULL,
    entered_by text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT entries_act_check CHECK ((act = ANY (ARRAY['append'::text, 'correct'::text, 'annul'::text]))),
    CONSTRAINT entries_book_check CHECK ((book = ANY (ARRAY['person'::text, 'examination'::text, 'contract'::text]))),
    CONSTRAINT entries_check CHECK (((act = 'append'::text) OR (version > 1))),
    CONSTRAINT entries_check1 CHECK (((act = 'append'::text) = (reason = ''::text))),
    CONSTRAINT entries_entered_by_check CHECK ((entered_by <> ''::text)),
    CONSTRAINT entries_number_check CHECK ((number <> ''::text)),
    CONSTRAINT entries_subject_check CHECK ((subject ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT entries_version_check CHECK ((version >= 1))
);

ALTER TABLE public.entries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.entries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.examinations (
    entry_id bigint NOT NULL,
    commission text NOT NULL,
    examined_on date NOT NULL,
    repeat boolean NOT NULL,
    outcome text NOT NULL,
    loss integer NOT NULL,
    degree text NOT NULL,
    old_group text NOT NULL,
    cause text NOT NULL,
    from_day date,
    until_day date,
    next_from date,
    CONSTRAINT examinations_check CHECK (((until_day IS NULL) OR (until_day > from_day))),
    CONSTRAINT examinations_check1 CHECK (((next_from IS NULL) OR (until_day IS NOT NULL))),
    CONSTRAINT examinations_check2 CHECK (((outcome = 'not_disability'::text) = (from_day IS NULL))),
    CONSTRAINT examinations_check3 CHECK (((outcome <> 'disability'::text) OR
CASE
    WHEN (examined_on < '2015-12-30'::date) THEN ((old_group <> ''::text) AND (degree = ''::text) AND (loss = 0))
    WHEN (examined_on < '2022-07-01'::date) THEN ((degree <> ''::text) AND (old_group = ''::text) AND (loss = 0))
    ELSE ((loss >= 35) AND (degree = ''::text) AND (old_group = ''::text))
END)),
    CONSTRAINT examinations_commission_check CHECK ((commission <> ''::text)),
    CONSTRAINT examinations_degree_check CHECK ((degree = ANY (ARRAY[''::text, 'I'::text, 'II'::text, 'III'::text]))),
    CONSTRAINT examinations_loss_check CHECK ((((loss >= 0) AND (loss <= 100)) AND ((loss % 5) = 0))),
    CONSTRAINT examinations_old_group_check CHECK ((old_group = ANY (ARRAY[''::text, 'I'::text, 'II'::text, 'III'::text]))),
    CONSTRAINT examinations_outcome_check CHECK ((outcome = ANY (ARRAY['disability'::text, 'child'::text, 'not_disability'::text])))
);

CREATE TABLE public.excerpt_files (
    sha256 bytea NOT NULL,
    excerpt_id bigint NOT NULL,
    size integer NOT NULL,
    bytes bytea NOT NULL,
    stored_at timestamp with time zone NOT NULL,
    stamped_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    signed_sha256 bytea,
    signer_serial text,
    stamp_serial text,
    signed_at timestamp with time zone,
    CONSTRAINT excerpt_files_sha256_check CHECK ((length(sha256) = 32)),
    CONSTRAINT excerpt_files_signed_sha256_check CHECK ((length(signed_sha256) = 32)),
    CONSTRAINT excerpt_files_signer_serial_check CHECK ((signer_serial ~ '^[0-9a-f]+$'::text)),
    CONSTRAINT excerpt_files_size_check CHECK ((size > 0)),
    CONSTRAINT excerpt_files_stamp_serial_check CHECK ((stamp_serial ~ '^[0-9a-f]+$'::text))
);
ALTER TABLE ONLY public.excerpt_files ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE SEQUENCE public.excerpt_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.excerpts (
    id bigint NOT NULL,
    code text NOT NULL,
    number text NOT NULL,
    kind text NOT NULL,
    lang text NOT NULL,
    subject text NOT NULL,
    entry_id bigint NOT NULL,
    statement jsonb NOT NULL,
    valid_until date NOT NULL,
    issued_at timestamp with time zone NOT NULL
);

CREATE TABLE public.filing_ends (
    visit text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.filing_tries (
    id bigint NOT NULL,
    visit text,
    organisation_id bigint NOT NULL,
    office text NOT NULL,
    clerk_fin text NOT NULL,
    clerk text NOT NULL,
    subject text,
    at timestamp with time zone NOT NULL,
    CONSTRAINT filing_tries_check CHECK (((visit IS NULL) = (subject IS NULL))),
    CONSTRAINT filing_tries_check1 CHECK ((subject <> clerk_fin)),
    CONSTRAINT filing_tries_clerk_check CHECK ((clerk <> ''::text)),
    CONSTRAINT filing_tries_clerk_fin_check CHECK ((clerk_fin ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT filing_tries_office_check CHECK ((office <> ''::text)),
    CONSTRAINT filing_tries_subject_check CHECK ((subject ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT filing_tries_visit_check CHECK ((visit ~ '^[0-9A-Z]{26}$'::text))
);

ALTER TABLE public.filing_tries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.filing_tries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.gateway_answers (
    question_id uuid NOT NULL,
    leaf bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT gateway_answers_leaf_check CHECK ((length(leaf) = 32))
);

CREATE TABLE public.gateway_attempts (
    id bigint NOT NULL,
    question_id uuid NOT NULL,
    sent boolean NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT gateway_attempts_check CHECK ((ended_at >= began_at)),
    CONSTRAINT gateway_attempts_detail_check CHECK ((length(detail) <= 200)),
    CONSTRAINT gateway_attempts_reason_check CHECK ((reason ~ '^[a-z-]*$'::text))
);

ALTER TABLE public.gateway_attempts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.gateway_attempts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.gateway_exchanges (
    question_id uuid NOT NULL,
    case_number text NOT NULL,
    exchange bytea NOT NULL
);

CREATE TABLE public.gateway_questions (
    id uuid NOT NULL,
    case_number text NOT NULL,
    register text NOT NULL,
    service text NOT NULL,
    purpose text NOT NULL,
    person text NOT NULL,
    since date,
    asked_at timestamp with time zone NOT NULL,
    disputes uuid,
    wrong text DEFAULT ''::text NOT NULL,
    words text DEFAULT ''::text NOT NULL,
    CONSTRAINT gateway_questions_asked_at_check CHECK ((asked_at = date_trunc('second'::text, asked_at))),
    CONSTRAINT gateway_questions_dispute CHECK ((((purpose = 'correction'::text) = (disputes IS NOT NULL)) AND ((disputes IS NULL) = (wrong = ''::text)) AND ((wrong = ''::text) = (words = ''::text)))),
    CONSTRAINT gateway_questions_person_check CHECK ((person ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT gateway_questions_purpose_check CHECK ((purpose <> ''::text)),
    CONSTRAINT gateway_questions_register_check CHECK ((register ~ '^[a-z]+$'::text)),
    CONSTRAINT gateway_questions_words_check CHECK ((length(words) <= 500))
);

CREATE TABLE public.gateway_stamped (
    question_id uuid NOT NULL,
    stamp_id bigint NOT NULL,
    place integer NOT NULL,
    path bytea[] NOT NULL,
    CONSTRAINT gateway_stamped_place_check CHECK ((place >= 0))
);

CREATE TABLE public.gateway_stamps (
    id bigint NOT NULL,
    size integer NOT NULL,
    token bytea NOT NULL,
    stamped_at timestamp with time zone NOT NULL,
    CONSTRAINT gateway_stamps_size_check CHECK (((size >= 1) AND (size <= 65536)))
);

ALTER TABLE public.gateway_stamps ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.gateway_stamps_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.inspection_cases AS
 SELECT c.id,
    c.number,
    c.kind,
    c.state,
    c.opened_at,
    s.seq,
    s.at AS since,
    s.turn,
    s.began,
    s.due_by,
    s.provisional,
    (c.state = ANY (ARRAY['decided'::text, 'declined'::text, 'withdrawn'::text, 'lapsed'::text, 'entered'::text, 'corrected'::text, 'refused'::text])) AS closed
   FROM (public.cases c
     JOIN public.case_steps s ON (((s.case_id = c.id) AND (s.seq = c.seq))));

CREATE TABLE public.tseras_blind (
    number text NOT NULL,
    case_id bigint NOT NULL,
    referral jsonb NOT NULL,
    salt bytea,
    CONSTRAINT tseras_blind_number_check CHECK ((number ~ '^\d{8}$'::text)),
    CONSTRAINT tseras_blind_salt_check CHECK ((length(salt) = 16))
);

CREATE TABLE public.tseras_decisions (
    case_id bigint NOT NULL,
    entry_id bigint,
    alone boolean NOT NULL,
    package bytea NOT NULL,
    decided_at timestamp with time zone NOT NULL
);

CREATE TABLE public.tseras_proposals (
    number text NOT NULL,
    n integer NOT NULL,
    result jsonb NOT NULL,
    digest bytea NOT NULL,
    salt bytea NOT NULL,
    package bytea NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_proposals_digest_check CHECK ((length(digest) = 32)),
    CONSTRAINT tseras_proposals_n_check CHECK ((n >= 1)),
    CONSTRAINT tseras_proposals_salt_check CHECK ((length(salt) = 16))
);

CREATE TABLE public.tseras_seats (
    number text NOT NULL,
    member_id text NOT NULL,
    role text NOT NULL,
    seated_at timestamp with time zone NOT NULL,
    seq integer NOT NULL,
    CONSTRAINT tseras_seats_role_check CHECK ((role = ANY (ARRAY['chair'::text, 'member'::text, 'further'::text])))
);

CREATE TABLE public.tseras_signatures (
    number text NOT NULL,
    n integer NOT NULL,
    member_id text NOT NULL,
    signs boolean NOT NULL,
    reason text NOT NULL,
    explains text NOT NULL,
    evidence text NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_signatures_check CHECK ((signs = (reason = ''::text)))
);

CREATE VIEW public.inspection_contradictions AS
 SELECT c.number,
    d.decided_at,
    k.name AS commission,
    g.member_id,
    g.explains
   FROM ((((((public.tseras_decisions d
     JOIN public.cases c ON ((c.id = d.case_id)))
     JOIN public.tseras_blind b ON ((b.case_id = d.case_id)))
     JOIN LATERAL ( SELECT p_1.n,
            p_1.result
           FROM public.tseras_proposals p_1
          WHERE (p_1.number = b.number)
          ORDER BY p_1.n DESC
         LIMIT 1) p ON (((p.result ->> 'differs'::text))::boolean))
     JOIN LATERAL ( SELECT x.member_id,
            x.explains
           FROM (public.tseras_signatures x
             JOIN public.tseras_seats s ON (((s.number = x.number) AND (s.member_id = x.member_id))))
          WHERE ((x.number = b.number) AND (x.n = p.n) AND x.signs AND (x.explains <> ''::text))
          ORDER BY s.role
         LIMIT 1) g ON (true))
     JOIN public.commission_members m ON ((m.id = g.member_id)))
     JOIN public.commissions k ON ((k.id = m.commission_id)));

CREATE VIEW public.inspection_further AS
 SELECT c.number,
    s.seated_at,
    k.name AS commission,
    s.member_id
   FROM ((((public.tseras_seats s
     JOIN public.tseras_blind b ON ((b.number = s.number)))
     JOIN public.cases c ON ((c.id = b.case_id)))
     JOIN public.commission_members m ON ((m.id = s.member_id)))
     JOIN public.commissions k ON ((k.id = m.commission_id)))
  WHERE ((s.role = 'further'::text) AND (c.state = ANY (ARRAY['decided'::text, 'declined'::text, 'withdrawn'::text, 'lapsed'::text])));

CREATE TABLE public.inspection_looks (
    id bigint NOT NULL,
    token text NOT NULL,
    case_id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    office text NOT NULL,
    officer_fin text NOT NULL,
    officer text NOT NULL,
    purpose text NOT NULL,
    at timestamp with time zone NOT NULL,
    xact bigint DEFAULT txid_current() NOT NULL,
    written timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT inspection_looks_office_check CHECK ((office <> ''::text)),
    CONSTRAINT inspection_looks_officer_check CHECK ((officer <> ''::text)),
    CONSTRAINT inspection_looks_officer_fin_check CHECK ((officer_fin ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT inspection_looks_purpose_check CHECK ((purpose = ANY (ARRAY['complaint'::text, 'overdue'::text, 'contradiction'::text, 'conflict'::text, 'court'::text]))),
    CONSTRAINT inspection_looks_token_check CHECK ((token ~ '^[0-9A-Z]{26}$'::text))
);

CREATE TABLE public.lookup_tries (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    day date NOT NULL,
    way text NOT NULL,
    card bytea NOT NULL,
    address bytea,
    organisation_id bigint,
    operator_fin text,
    shown boolean NOT NULL,
    CONSTRAINT lookup_tries_address_check CHECK ((length(address) = 32)),
    CONSTRAINT lookup_tries_card_check CHECK ((length(card) = 32)),
    CONSTRAINT lookup_tries_check CHECK (((way = 'office'::text) = (address IS NULL))),
    CONSTRAINT lookup_tries_check1 CHECK (((way = 'office'::text) = (organisation_id IS NOT NULL))),
    CONSTRAINT lookup_tries_check2 CHECK (((way = 'office'::text) = (operator_fin IS NOT NULL))),
    CONSTRAINT lookup_tries_way_check CHECK ((way = ANY (ARRAY['page'::text, 'telephone'::text, 'office'::text])))
);

CREATE TABLE public.lookups (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    subject text NOT NULL,
    way text NOT NULL,
    organisation_id bigint,
    client_id text,
    operator_fin text,
    outcome text NOT NULL,
    decided_on date,
    next_on date,
    indefinite boolean NOT NULL,
    CONSTRAINT lookups_check CHECK (((way = 'office'::text) = (organisation_id IS NOT NULL))),
    CONSTRAINT lookups_check1 CHECK (((way = 'office'::text) = (client_id IS NOT NULL))),
    CONSTRAINT lookups_check2 CHECK (((way = 'office'::text) = (operator_fin IS NOT NULL))),
    CONSTRAINT lookups_check3 CHECK (((outcome <> 'decided'::text) OR (decided_on IS NOT NULL))),
    CONSTRAINT lookups_check4 CHECK (((outcome = ANY (ARRAY['decided'::text, 'under_review'::text])) OR (decided_on IS NULL))),
    CONSTRAINT lookups_check5 CHECK (((decided_on IS NOT NULL) OR ((next_on IS NULL) AND (NOT indefinite)))),
    CONSTRAINT lookups_check6 CHECK (((next_on IS NULL) OR (NOT indefinite))),
    CONSTRAINT lookups_operator_fin_check CHECK ((operator_fin ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT lookups_outcome_check CHECK ((outcome = ANY (ARRAY['decided'::text, 'under_review'::text, 'none'::text, 'closed'::text]))),
    CONSTRAINT lookups_subject_check CHECK ((subject ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT lookups_way_check CHECK ((way = ANY (ARRAY['page'::text, 'telephone'::text, 'office'::text])))
);

CREATE TABLE public.members (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    fin text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT members_name_check CHECK ((name <> ''::text)),
    CONSTRAINT members_role_check CHECK ((role = ANY (ARRAY['clerk'::text, 'manager'::text])))
);

CREATE TABLE public.organisations (
    id bigint NOT NULL,
    voen text NOT NULL,
    name text NOT NULL,
    sort text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT organisations_name_check CHECK ((name <> ''::text)),
    CONSTRAINT organisations_sort_check CHECK ((sort = ANY (ARRAY['bank'::text, 'employer'::text, 'office'::text, 'medical'::text]))),
    CONSTRAINT organisations_voen_check CHECK ((voen ~ '^\d{10}$'::text))
);

CREATE TABLE public.tseras_looks (
    id bigint NOT NULL,
    number text NOT NULL,
    member_id text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.tseras_programme_looks (
    id bigint NOT NULL,
    case_id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    fin text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_programme_looks_fin_check CHECK ((fin ~ '^[0-9A-HJ-NP-Z]{7}$'::text))
);

CREATE TABLE public.tseras_referral_looks (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    subject text NOT NULL,
    member text,
    told text NOT NULL,
    day date NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_referral_looks_member_check CHECK ((member ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT tseras_referral_looks_subject_check CHECK ((subject ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT tseras_referral_looks_told_check CHECK ((told = ANY (ARRAY['name'::text, 'open'::text])))
);

CREATE TABLE public.tseras_referral_misses (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    subject text NOT NULL,
    member text,
    day date NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_referral_misses_member_check CHECK ((member ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT tseras_referral_misses_subject_check CHECK ((subject ~ '^[0-9A-HJ-NP-Z]{7}$'::text))
);

CREATE TABLE public.tseras_referrals (
    case_id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    district text NOT NULL,
    number text NOT NULL,
    referral jsonb NOT NULL,
    signed text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    member text,
    CONSTRAINT tseras_referrals_member_check CHECK ((member ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT tseras_referrals_number_check CHECK ((number <> ''::text)),
    CONSTRAINT tseras_referrals_signed_check CHECK ((signed <> ''::text))
);

CREATE TABLE public.tseras_result_looks (
    id bigint NOT NULL,
    case_id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    member text,
    day date NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_result_looks_member_check CHECK ((member ~ '^[0-9A-HJ-NP-Z]{7}$'::text))
);

CREATE VIEW public.inspection_lookers AS
 SELECT ((l.at AT TIME ZONE 'Asia/Baku'::text))::date AS day,
    'member'::text AS part,
    k.name AS office,
    l.member_id AS who,
    count(*) AS looks,
    count(DISTINCT l.number) AS cases,
    count(DISTINCT l.number) FILTER (WHERE (EXISTS ( SELECT
           FROM (public.tseras_blind b
             JOIN public.case_steps s ON ((s.case_id = b.case_id)))
          WHERE ((b.number = l.number) AND (s.turn = 'nobody'::text) AND (s.at < l.at))))) AS unrelated,
    (0)::bigint AS misses
   FROM ((public.tseras_looks l
     JOIN public.commission_members m ON ((m.id = l.member_id)))
     JOIN public.commissions k ON ((k.id = m.commission_id)))
  GROUP BY (((l.at AT TIME ZONE 'Asia/Baku'::text))::date), k.name, l.member_id
UNION ALL
 SELECT ((l.at AT TIME ZONE 'Asia/Baku'::text))::date AS day,
    'inspector'::text AS part,
    l.office,
    max(l.officer) AS who,
    count(*) AS looks,
    count(DISTINCT l.case_id) AS cases,
    count(DISTINCT l.case_id) AS unrelated,
    0 AS misses
   FROM public.inspection_looks l
  GROUP BY (((l.at AT TIME ZONE 'Asia/Baku'::text))::date), l.office, l.officer_fin
UNION ALL
 SELECT ((f.at AT TIME ZONE 'Asia/Baku'::text))::date AS day,
    'clerk'::text AS part,
    f.office,
    max(f.clerk) AS who,
    count(*) AS looks,
    count(DISTINCT f.subject) AS cases,
    count(DISTINCT f.subject) FILTER (WHERE (NOT (EXISTS ( SELECT
           FROM (public.cases c
             JOIN public.case_steps s ON ((s.case_id = c.id)))
          WHERE ((c.subject = f.subject) AND (s.part = 'clerk'::text) AND (s.actor_fin = f.clerk_fin) AND ((s.at >= f.at) AND (s.at <= (f.at + '00:15:00'::interval)))))))) AS unrelated,
    count(*) FILTER (WHERE (f.subject IS NULL)) AS misses
   FROM public.filing_tries f
  GROUP BY (((f.at AT TIME ZONE 'Asia/Baku'::text))::date), f.office, f.clerk_fin
UNION ALL
 SELECT d.day,
    d.part,
    o.name AS office,
    COALESCE(( SELECT m.name
           FROM public.members m
          WHERE ((m.organisation_id = d.organisation_id) AND (m.fin = d.fin))
          ORDER BY m.id DESC
         LIMIT 1), ''::text) AS who,
    d.looks,
    d.cases,
    d.unrelated,
    d.misses
   FROM (( SELECT ((l.at AT TIME ZONE 'Asia/Baku'::text))::date AS day,
            'rehabilitation'::text AS part,
            l.organisation_id,
            l.fin,
            count(*) AS looks,
            count(DISTINCT l.case_id) AS cases,
            count(DISTINCT l.case_id) FILTER (WHERE (NOT (EXISTS ( SELECT
                   FROM public.case_steps s
                  WHERE ((s.case_id = l.case_id) AND (s.part = 'office'::text) AND (s.actor_fin = l.fin) AND (((s.at AT TIME ZONE 'Asia/Baku'::text))::date = ((l.at AT TIME ZONE 'Asia/Baku'::text))::date)))))) AS unrelated,
            (0)::bigint AS misses
           FROM public.tseras_programme_looks l
          GROUP BY (((l.at AT TIME ZONE 'Asia/Baku'::text))::date), l.organisation_id, l.fin
        UNION ALL
         SELECT i.day,
            'institution'::text,
            i.organisation_id,
            i.member,
            count(*) AS count,
            count(DISTINCT i.what) AS count,
            count(DISTINCT i.what) FILTER (WHERE (NOT i.explained)) AS count,
            count(*) FILTER (WHERE (i.what IS NULL)) AS count
           FROM ( SELECT l.day,
                    l.organisation_id,
                    l.member,
                    ('case '::text || l.case_id) AS what,
                    false AS explained
                   FROM public.tseras_result_looks l
                UNION ALL
                 SELECT l.day,
                    l.organisation_id,
                    l.member,
                    l.subject,
                    (EXISTS ( SELECT
                           FROM (public.tseras_referrals r
                             JOIN public.cases c ON ((c.id = r.case_id)))
                          WHERE ((r.organisation_id = l.organisation_id) AND (c.subject = l.subject) AND (((r.received_at AT TIME ZONE 'Asia/Baku'::text))::date = l.day)))) AS "exists"
                   FROM public.tseras_referral_looks l
                UNION ALL
                 SELECT g.day,
                    g.organisation_id,
                    g.member,
                    NULL::text,
                    false
                   FROM public.tseras_referral_misses g) i
          GROUP BY i.day, i.organisation_id, i.member
        UNION ALL
         SELECT q.day,
            'call_centre'::text,
            q.organisation_id,
            q.operator_fin,
            count(*) AS count,
            count(DISTINCT q.subject) AS count,
            count(DISTINCT q.subject) AS count,
            count(*) FILTER (WHERE (q.subject IS NULL)) AS count
           FROM ( SELECT ((l.at AT TIME ZONE 'Asia/Baku'::text))::date AS day,
                    l.organisation_id,
                    l.operator_fin,
                    l.subject
                   FROM public.lookups l
                  WHERE ((l.way = 'office'::text) AND (l.outcome = ANY (ARRAY['decided'::text, 'under_review'::text])))
                UNION ALL
                 SELECT t.day,
                    t.organisation_id,
                    t.operator_fin,
                    NULL::text
                   FROM public.lookup_tries t
                  WHERE ((t.way = 'office'::text) AND (NOT t.shown))) q
          GROUP BY q.day, q.organisation_id, q.operator_fin) d
     JOIN public.organisations o ON ((o.id = d.organisation_id)));

ALTER TABLE public.inspection_looks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.inspection_looks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.inspection_lots AS
 SELECT d.round,
    o.opened_at,
    (step.value ->> 'role'::text) AS role,
    candidate.value AS candidate,
    json_array_length((step.value -> 'drawn'::text)) AS places,
    json_array_length((step.value -> 'candidates'::text)) AS candidates,
    (EXISTS ( SELECT
           FROM json_array_elements_text((step.value -> 'drawn'::text)) x(value)
          WHERE (x.value = candidate.value))) AS drawn
   FROM ((((public.drawings d
     JOIN public.draw_seeds o ON ((o.round = d.round)))
     JOIN public.cases c ON (((c.id = d.case_id) AND (c.state = ANY (ARRAY['decided'::text, 'declined'::text, 'withdrawn'::text, 'lapsed'::text])))))
     CROSS JOIN LATERAL json_array_elements((d.drawing -> 'steps'::text)) step(value))
     CROSS JOIN LATERAL json_array_elements_text((step.value -> 'candidates'::text)) candidate(value));

CREATE TABLE public.tseras_passed (
    number text NOT NULL,
    member_id text NOT NULL,
    case_id bigint NOT NULL,
    seq integer NOT NULL,
    why text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_passed_why_check CHECK ((why = ANY (ARRAY['silent'::text, 'ended'::text])))
);

CREATE VIEW public.inspection_passed AS
 SELECT c.number,
    p.at,
    k.name AS commission,
    p.member_id,
    p.why
   FROM (((public.tseras_passed p
     JOIN public.cases c ON ((c.id = p.case_id)))
     JOIN public.commission_members m ON ((m.id = p.member_id)))
     JOIN public.commissions k ON ((k.id = m.commission_id)))
  WHERE (c.state = ANY (ARRAY['decided'::text, 'declined'::text, 'withdrawn'::text, 'lapsed'::text]));

CREATE VIEW public.inspection_refusals AS
 SELECT c.number,
    g.signed_at,
    k.name AS commission,
    g.member_id,
    s.role,
    g.reason
   FROM (((((public.tseras_signatures g
     JOIN public.tseras_blind b ON ((b.number = g.number)))
     JOIN public.cases c ON ((c.id = b.case_id)))
     JOIN public.tseras_seats s ON (((s.number = g.number) AND (s.member_id = g.member_id))))
     JOIN public.commission_members m ON ((m.id = g.member_id)))
     JOIN public.commissions k ON ((k.id = m.commission_id)))
  WHERE ((NOT g.signs) AND (c.state = ANY (ARRAY['decided'::text, 'declined'::text, 'withdrawn'::text, 'lapsed'::text])));

CREATE VIEW public.inspection_rounds AS
 SELECT r.round,
    r.committed_at,
    o.opened_at,
    ( SELECT count(*) AS count
           FROM public.drawings d
          WHERE (d.round = r.round)) AS drawings
   FROM (public.draw_rounds r
     LEFT JOIN public.draw_seeds o ON ((o.round = r.round)));

CREATE VIEW public.inspection_steps AS
 SELECT case_steps.case_id,
    case_steps.seq,
    case_steps.from_state,
    case_steps.to_state,
    case_steps.at,
    case_steps.part,
    case_steps.office,
    case_steps.what,
    case_steps.turn,
    case_steps.began,
    case_steps.due_by,
    case_steps.provisional
   FROM public.case_steps;

CREATE TABLE public.institution_seals (
    thumbprint bytea NOT NULL,
    organisation_id bigint NOT NULL,
    certificate bytea NOT NULL,
    added_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT institution_seals_check CHECK ((ended_at >= added_at)),
    CONSTRAINT institution_seals_thumbprint_check CHECK ((length(thumbprint) = 32))
);

CREATE TABLE public.intents (
    id bigint NOT NULL,
    request text NOT NULL,
    code text NOT NULL,
    number text NOT NULL,
    kind text NOT NULL,
    template integer NOT NULL,
    lang text NOT NULL,
    subject text NOT NULL,
    entry_id bigint NOT NULL,
    person_id bigint NOT NULL,
    recipient text NOT NULL,
    purpose text NOT NULL,
    with_salary boolean NOT NULL,
    valid_until date NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    CONSTRAINT intents_code_check CHECK ((code ~ '^[0-9A-HJKMNP-TV-Z]{17}$'::text)),
    CONSTRAINT intents_lang_check CHECK ((lang = ANY (ARRAY['az'::text, 'en'::text, 'ru'::text]))),
    CONSTRAINT intents_request_check CHECK ((request <> ''::text))
);

ALTER TABLE public.intents ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.intents_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.key_absences (
    intent_id bigint NOT NULL,
    n integer NOT NULL,
    noted_at timestamp with time zone NOT NULL
);

CREATE TABLE public.key_uses (
    run text NOT NULL,
    role text NOT NULL,
    serial text NOT NULL,
    purpose text NOT NULL,
    calls bigint NOT NULL,
    counted_at timestamp with time zone NOT NULL,
    CONSTRAINT key_uses_calls_check CHECK ((calls > 0)),
    CONSTRAINT key_uses_purpose_check CHECK ((purpose <> ''::text)),
    CONSTRAINT key_uses_role_check CHECK ((role <> ''::text)),
    CONSTRAINT key_uses_run_check CHECK ((run <> ''::text)),
    CONSTRAINT key_uses_serial_check CHECK ((serial ~ '^[0-9a-f]+$'::text))
);

ALTER TABLE public.ledger_lines ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ledger_lines_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.list_changes (
    id bigint NOT NULL,
    list text NOT NULL,
    act text NOT NULL,
    content json NOT NULL,
    written_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT list_changes_act_check CHECK ((act = ANY (ARRAY['added'::text, 'ended'::text, 'coded'::text]))),
    CONSTRAINT list_changes_list_check CHECK ((list = ANY (ARRAY['commission'::text, 'member'::text, 'hours'::text, 'institution'::text, 'seal'::text, 'district'::text])))
);

ALTER TABLE public.list_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.list_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.looks (
    id bigint NOT NULL,
    subject text NOT NULL,
    office text NOT NULL,
    by text NOT NULL,
    purpose text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT looks_by_check CHECK ((by <> ''::text)),
    CONSTRAINT looks_office_check CHECK ((office <> ''::text)),
    CONSTRAINT looks_purpose_check CHECK ((purpose <> ''::text))
);

ALTER TABLE public.looks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.looks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.lookup_proofs (
    id bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT lookup_proofs_id_check CHECK ((length(id) = 16))
);

CREATE TABLE public.lookup_requests (
    client_id text NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    lookup_id bigint,
    at timestamp with time zone NOT NULL,
    CONSTRAINT lookup_requests_key_check CHECK ((key <> ''::text)),
    CONSTRAINT lookup_requests_request_sha256_check CHECK ((length(request_sha256) = 32))
);

CREATE TABLE public.lookup_secret (
    one boolean DEFAULT true NOT NULL,
    key bytea NOT NULL,
    CONSTRAINT lookup_secret_key_check CHECK ((length(key) = 32)),
    CONSTRAINT lookup_secret_one_check CHECK (one)
);

CREATE TABLE public.lookup_switches (
    id bigint NOT NULL,
    subject text NOT NULL,
    open boolean NOT NULL,
    cause text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT lookup_switches_cause_check CHECK ((cause = ANY (ARRAY['sign_in'::text, 'choice'::text]))),
    CONSTRAINT lookup_switches_check CHECK (((cause = 'choice'::text) OR (NOT open))),
    CONSTRAINT lookup_switches_subject_check CHECK ((subject ~ '^[0-9A-HJ-NP-Z]{7}$'::text))
);

ALTER TABLE public.lookup_switches ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.lookup_switches_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.lookup_tries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.lookup_tries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.lookups ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.lookups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.medical_institutions (
    organisation_id bigint NOT NULL,
    district text NOT NULL,
    code text,
    CONSTRAINT medical_institutions_code_check CHECK ((code ~ '^[A-Z0-9][A-Z0-9-]{0,15}$'::text)),
    CONSTRAINT medical_institutions_district_check CHECK ((district <> ''::text))
);

ALTER TABLE public.members ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.members_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.messages (
    id bigint NOT NULL,
    fin text NOT NULL,
    key text NOT NULL,
    args jsonb NOT NULL,
    link text DEFAULT ''::text NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone,
    CONSTRAINT messages_key_check CHECK ((key <> ''::text))
);

ALTER TABLE public.messages ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.organisation_districts (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    district text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT organisation_districts_check CHECK ((ended_at >= added_at)),
    CONSTRAINT organisation_districts_district_check CHECK ((district <> ''::text))
);

ALTER TABLE public.organisation_districts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.organisation_districts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.organisation_duties (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    duty text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT organisation_duties_check CHECK ((ended_at >= added_at)),
    CONSTRAINT organisation_duties_duty_check CHECK ((duty = ANY (ARRAY['filing'::text, 'call_centre'::text, 'inspection'::text, 'rehabilitation'::text])))
);

ALTER TABLE public.organisation_duties ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.organisation_duties_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.organisations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.organisations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.outbox (
    id bigint NOT NULL,
    message_id bigint,
    contact_id bigint,
    at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    CONSTRAINT outbox_check CHECK (((message_id IS NOT NULL) OR (contact_id IS NOT NULL)))
);

CREATE TABLE public.outbox_ends (
    outbox_id bigint NOT NULL,
    outcome text NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    CONSTRAINT outbox_ends_outcome_check CHECK ((outcome = ANY (ARRAY['none'::text, 'sent'::text, 'unsure'::text, 'refused'::text, 'expired'::text])))
);

ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.outbox_states AS
 SELECT o.id,
    o.message_id,
    c.channel,
    c.address,
    d.dispatched_at,
        CASE
            WHEN (v.delivered = d.parts) THEN 'delivered'::text
            WHEN (v.failed > 0) THEN 'failed'::text
            WHEN ((v.expired > 0) OR (e.outcome = 'expired'::text)) THEN 'expired'::text
            WHEN (e.outcome = 'refused'::text) THEN 'failed'::text
            WHEN (e.outcome IS NULL) THEN 'waiting'::text
            ELSE e.outcome
        END AS state,
    GREATEST(v.at, e.ended_at, d.dispatched_at) AS at
   FROM ((((public.outbox o
     CROSS JOIN LATERAL ( SELECT p.contact_id,
            p.parts,
            p.dispatched_at
           FROM public.dispatches p
          WHERE (p.outbox_id = o.id)
          ORDER BY p.id DESC
         LIMIT 1) d)
     JOIN public.contacts c ON ((c.id = d.contact_id)))
     LEFT JOIN public.outbox_ends e ON ((e.outbox_id = o.id)))
     CROSS JOIN LATERAL ( SELECT count(DISTINCT p.part) FILTER (WHERE (x.event = 'delivered'::text)) AS delivered,
            count(*) FILTER (WHERE (x.event = 'failed'::text)) AS failed,
            count(*) FILTER (WHERE (x.event = 'expired'::text)) AS expired,
            max(x.at) AS at
           FROM (public.dispatches p
             JOIN public.dispatch_events x ON ((x.dispatch_id = p.id)))
          WHERE (p.outbox_id = o.id)) v);

CREATE TABLE public.persons (
    entry_id bigint NOT NULL,
    fin text NOT NULL,
    surname text NOT NULL,
    given text NOT NULL,
    father text NOT NULL,
    sex text NOT NULL,
    born date NOT NULL,
    document text NOT NULL,
    CONSTRAINT persons_document_check CHECK ((document ~ '^(AZE\d{8}|A[A-Z]\d{7})$'::text)),
    CONSTRAINT persons_given_check CHECK ((given <> ''::text)),
    CONSTRAINT persons_sex_check CHECK ((sex = ANY (ARRAY['m'::text, 'f'::text]))),
    CONSTRAINT persons_surname_check CHECK ((surname <> ''::text))
);

CREATE TABLE public.receipts (
    id bigint NOT NULL,
    carrier_id text NOT NULL,
    address text NOT NULL,
    reference integer,
    event text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT receipts_event_check CHECK ((event = ANY (ARRAY['delivered'::text, 'failed'::text, 'expired'::text]))),
    CONSTRAINT receipts_reference_check CHECK (((reference >= 0) AND (reference <= 65535)))
);

ALTER TABLE public.receipts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.receipts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.reissue_attempts (
    excerpt_id bigint NOT NULL,
    attempted_at timestamp with time zone NOT NULL
);

CREATE TABLE public.renewal_attempts (
    sha256 bytea NOT NULL,
    attempted_at timestamp with time zone NOT NULL
);

CREATE TABLE public.revocations (
    excerpt_id bigint NOT NULL,
    reason text NOT NULL,
    by text NOT NULL,
    revoked_at timestamp with time zone NOT NULL,
    CONSTRAINT revocations_by_check CHECK ((by <> ''::text)),
    CONSTRAINT revocations_reason_check CHECK ((reason <> ''::text))
);

CREATE VIEW public.revoked_files AS
 SELECT f.sha256,
    f.excerpt_id,
    f.stored_at,
    c.serial,
    c.revoked_at
   FROM (public.certificate_revocations c
     JOIN public.excerpt_files f ON (((COALESCE(f.signed_at, f.stored_at) >= c.invalid_from) AND ((f.signer_serial IS NULL) OR ((c.serial = f.signer_serial) OR (c.serial = f.stamp_serial))))));

CREATE TABLE public.river_job (
    id bigint NOT NULL,
    state public.river_job_state DEFAULT 'available'::public.river_job_state NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL,
    max_attempts smallint DEFAULT 25 NOT NULL,
    attempted_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    finalized_at timestamp with time zone,
    scheduled_at timestamp with time zone DEFAULT now() NOT NULL,
    priority smallint DEFAULT 1 NOT NULL,
    args jsonb NOT NULL,
    attempted_by text[],
    errors jsonb[],
    kind text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    queue text DEFAULT 'default'::text NOT NULL,
    tags character varying(255)[] DEFAULT '{}'::character varying[] NOT NULL,
    unique_key bytea,
    unique_states bit(8),
    CONSTRAINT finalized_or_finalized_at_null CHECK ((((finalized_at IS NULL) AND (state <> ALL (ARRAY['cancelled'::public.river_job_state, 'completed'::public.river_job_state, 'discarded'::public.river_job_state]))) OR ((finalized_at IS NOT NULL) AND (state = ANY (ARRAY['cancelled'::public.river_job_state, 'completed'::public.river_job_state, 'discarded'::public.river_job_state]))))),
    CONSTRAINT kind_length CHECK (((char_length(kind) > 0) AND (char_length(kind) < 128))),
    CONSTRAINT max_attempts_is_positive CHECK ((max_attempts > 0)),
    CONSTRAINT priority_in_range CHECK (((priority >= 1) AND (priority <= 4))),
    CONSTRAINT queue_length CHECK (((char_length(queue) > 0) AND (char_length(queue) < 128)))
);

CREATE SEQUENCE public.river_job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.river_job_id_seq OWNED BY public.river_job.id;

CREATE UNLOGGED TABLE public.river_leader (
    elected_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    leader_id text NOT NULL,
    name text DEFAULT 'default'::text NOT NULL,
    CONSTRAINT leader_id_length CHECK (((char_length(leader_id) > 0) AND (char_length(leader_id) < 128))),
    CONSTRAINT name_length CHECK ((name = 'default'::text))
);

CREATE TABLE public.river_migration (
    line text NOT NULL,
    version bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT line_length CHECK (((char_length(line) > 0) AND (char_length(line) < 128))),
    CONSTRAINT version_gte_1 CHECK ((version >= 1))
);

CREATE TABLE public.river_notification (
    id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    payload text NOT NULL,
    topic text NOT NULL,
    CONSTRAINT topic_length CHECK (((length(topic) > 0) AND (length(topic) < 128)))
);

CREATE SEQUENCE public.river_notification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.river_notification_id_seq OWNED BY public.river_notification.id;

CREATE TABLE public.river_queue (
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    paused_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);

CREATE TABLE public.sessions (
    token text NOT NULL,
    data bytea NOT NULL,
    expiry timestamp with time zone NOT NULL
);

CREATE TABLE public.term_notices (
    entry_id bigint NOT NULL,
    notice text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT term_notices_notice_check CHECK ((notice = ANY (ARRAY['invited'::text, 'reminded'::text, 'ended'::text])))
);

CREATE TABLE public.tseras_absences (
    number text NOT NULL,
    n integer NOT NULL,
    member_id text NOT NULL,
    said_at timestamp with time zone NOT NULL
);

CREATE TABLE public.tseras_appeals (
    case_id bigint NOT NULL,
    points text[] NOT NULL,
    words text NOT NULL,
    CONSTRAINT tseras_appeals_points_check CHECK ((((cardinality(points) >= 1) AND (cardinality(points) <= 5)) AND (points <@ ARRAY['condition'::text, 'activities'::text, 'cause'::text, 'term'::text, 'other'::text]))),
    CONSTRAINT tseras_appeals_words_check CHECK ((length(words) <= 1000))
);

CREATE TABLE public.tseras_blind_anew (
    number text NOT NULL,
    case_id bigint NOT NULL,
    seq integer NOT NULL,
    referral jsonb NOT NULL,
    salt bytea,
    CONSTRAINT tseras_blind_anew_salt_check CHECK ((length(salt) = 16))
);

CREATE VIEW public.tseras_blind_cases AS
 SELECT b.number,
    c.state,
    s.began,
    s.due_by,
    s.provisional,
    c.kind
   FROM ((public.tseras_blind b
     JOIN public.cases c ON ((c.id = b.case_id)))
     JOIN public.case_steps s ON (((s.case_id = c.id) AND (s.seq = c.seq))));

CREATE TABLE public.tseras_correction_outcomes (
    case_id bigint NOT NULL,
    n integer NOT NULL,
    answered boolean NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone NOT NULL,
    again_at timestamp with time zone,
    CONSTRAINT tseras_correction_outcomes_n_check CHECK ((n >= 1))
);

CREATE TABLE public.tseras_corrections (
    case_id bigint NOT NULL,
    about bigint NOT NULL,
    register text NOT NULL,
    disputes uuid NOT NULL,
    wrong text NOT NULL,
    words text NOT NULL,
    CONSTRAINT tseras_corrections_register_check CHECK ((register <> ''::text)),
    CONSTRAINT tseras_corrections_words_check CHECK (((length(words) >= 1) AND (length(words) <= 500))),
    CONSTRAINT tseras_corrections_wrong_check CHECK ((wrong <> ''::text))
);

CREATE TABLE public.tseras_evidence (
    case_id bigint NOT NULL,
    register text NOT NULL,
    n integer NOT NULL,
    answered boolean NOT NULL,
    outcome jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_evidence_n_check CHECK ((n >= 1)),
    CONSTRAINT tseras_evidence_register_check CHECK ((register <> ''::text))
);

CREATE TABLE public.tseras_extensions (
    number text NOT NULL,
    member_id text NOT NULL,
    reason text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_extensions_reason_check CHECK ((reason <> ''::text))
);

CREATE TABLE public.tseras_findings (
    number text NOT NULL,
    member_id text NOT NULL,
    findings jsonb NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);

ALTER TABLE public.tseras_looks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tseras_looks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tseras_programme_bodies (
    case_id bigint NOT NULL,
    n integer NOT NULL,
    organisation_id bigint NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_programme_bodies_n_check CHECK ((n >= 1))
);

CREATE TABLE public.tseras_programme_drafts (
    case_id bigint NOT NULL,
    n integer NOT NULL,
    draft jsonb NOT NULL,
    CONSTRAINT tseras_programme_drafts_n_check CHECK ((n >= 1))
);

ALTER TABLE public.tseras_programme_looks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tseras_programme_looks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.tseras_programme_telephones AS
 SELECT c.id AS case_id,
    k.address
   FROM ((public.cases c
     JOIN LATERAL ( SELECT h_1.contact_id,
            h_1.channel
           FROM public.channel_choices h_1
          WHERE (h_1.fin = c.subject)
          ORDER BY h_1.id DESC
         LIMIT 1) h ON ((h.channel = 'sms'::text)))
     JOIN public.contacts k ON ((k.id = h.contact_id)))
  WHERE ((c.kind = 'programme'::text) AND (c.state = ANY (ARRAY['awaiting_invitation'::text, 'awaiting_meeting'::text, 'drafted'::text])));

CREATE TABLE public.tseras_programmes (
    case_id bigint NOT NULL,
    decision bigint NOT NULL,
    district text NOT NULL
);

ALTER TABLE public.tseras_referral_looks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tseras_referral_looks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.tseras_referral_misses ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tseras_referral_misses_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tseras_referral_requests (
    case_id bigint NOT NULL,
    seq integer NOT NULL,
    organisation_id bigint NOT NULL
);

CREATE TABLE public.tseras_refusals (
    case_id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    reason text NOT NULL,
    words text NOT NULL,
    member text,
    signed text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_refusals_check CHECK (((reason <> 'no_ground'::text) OR (words <> ''::text))),
    CONSTRAINT tseras_refusals_member_check CHECK ((member ~ '^[0-9A-HJ-NP-Z]{7}$'::text)),
    CONSTRAINT tseras_refusals_reason_check CHECK ((reason = ANY (ARRAY['no_ground'::text, 'diagnostics_refused'::text, 'did_not_come'::text]))),
    CONSTRAINT tseras_refusals_signed_check CHECK ((signed <> ''::text))
);

ALTER TABLE public.tseras_result_looks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tseras_result_looks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tseras_slot_reminders (
    number text NOT NULL,
    n integer NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.tseras_slot_returns (
    number text NOT NULL,
    n integer NOT NULL,
    commission_id text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    lane integer NOT NULL,
    turn integer NOT NULL,
    why text NOT NULL,
    returned_at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_slot_returns_why_check CHECK ((why = ANY (ARRAY['moved'::text, 'cannot'::text, 'absent'::text, 'withdrawn'::text, 'silent'::text])))
);

CREATE TABLE public.tseras_slots (
    number text NOT NULL,
    n integer NOT NULL,
    before_n integer GENERATED ALWAYS AS (NULLIF((n - 1), 0)) STORED,
    commission_id text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    lane integer NOT NULL,
    turn integer NOT NULL,
    before_turn integer GENERATED ALWAYS AS (NULLIF((turn - 1), 0)) STORED,
    ends_at timestamp with time zone NOT NULL,
    place text NOT NULL,
    given_at timestamp with time zone NOT NULL,
    CONSTRAINT tseras_slots_check CHECK ((ends_at > starts_at)),
    CONSTRAINT tseras_slots_lane_check CHECK (((lane >= 1) AND (lane <= 20))),
    CONSTRAINT tseras_slots_n_check CHECK ((n >= 1)),
    CONSTRAINT tseras_slots_place_check CHECK ((place <> ''::text)),
    CONSTRAINT tseras_slots_turn_check CHECK ((turn >= 1))
);

CREATE VIEW public.tseras_slots_held AS
 SELECT s.number,
    s.n,
    s.commission_id,
    s.starts_at,
    s.ends_at,
    s.lane,
    s.place,
    s.given_at
   FROM public.tseras_slots s
  WHERE (NOT (EXISTS ( SELECT
           FROM public.tseras_slot_returns r
          WHERE ((r.number = s.number) AND (r.n = s.n)))));

CREATE TABLE public.visits (
    token text NOT NULL,
    data bytea NOT NULL,
    expiry timestamp with time zone NOT NULL
);

CREATE TABLE public.voids (
    intent_id bigint NOT NULL,
    reason text NOT NULL,
    voided_at timestamp with time zone NOT NULL,
    CONSTRAINT voids_reason_check CHECK ((reason <> ''::text))
);

CREATE TABLE public.withdrawals (
    excerpt_id bigint NOT NULL,
    withdrawn_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.river_job ALTER COLUMN id SET DEFAULT nextval('public.river_job_id_seq'::regclass);

ALTER TABLE ONLY public.river_notification ALTER COLUMN id SET DEFAULT nextval('public.river_notification_id_seq'::regclass);

ALTER TABLE ONLY public.api_clients
    ADD CONSTRAINT api_clients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_pkey PRIMARY KEY (sha256);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (intent_id, n);

ALTER TABLE ONLY public.case_alarms
    ADD CONSTRAINT case_alarms_pkey PRIMARY KEY (case_id, turn, due_by, alarm);

ALTER TABLE ONLY public.case_steps
    ADD CONSTRAINT case_steps_case_id_seq_to_state_key UNIQUE (case_id, seq, to_state);

ALTER TABLE ONLY public.case_steps
    ADD CONSTRAINT case_steps_pkey PRIMARY KEY (case_id, seq);

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT cases_id_procedure_kind_key UNIQUE (id, procedure, kind);

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT cases_number_key UNIQUE (number);

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT cases_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT cases_request_key UNIQUE (request);

ALTER TABLE ONLY public.certificate_revocations
    ADD CONSTRAINT certificate_revocations_pkey PRIMARY KEY (serial);

ALTER TABLE ONLY public.channel_choices
    ADD CONSTRAINT channel_choices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.checks
    ADD CONSTRAINT checks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.commission_hours
    ADD CONSTRAINT commission_hours_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.commission_members
    ADD CONSTRAINT commission_members_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.commissions
    ADD CONSTRAINT commissions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contact_codes
    ADD CONSTRAINT contact_codes_pkey PRIMARY KEY (contact_id, n);

ALTER TABLE ONLY public.contact_confirmations
    ADD CONSTRAINT contact_confirmations_contact_id_fin_channel_key UNIQUE (contact_id, fin, channel);

ALTER TABLE ONLY public.contact_confirmations
    ADD CONSTRAINT contact_confirmations_pkey PRIMARY KEY (contact_id);

ALTER TABLE ONLY public.contact_guesses
    ADD CONSTRAINT contact_guesses_pkey PRIMARY KEY (contact_id, n);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_id_fin_channel_key UNIQUE (id, fin, channel);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contracts
    ADD CONSTRAINT contracts_pkey PRIMARY KEY (entry_id);

ALTER TABLE ONLY public.dispatch_events
    ADD CONSTRAINT dispatch_events_pkey PRIMARY KEY (dispatch_id, event);

ALTER TABLE ONLY public.dispatches
    ADD CONSTRAINT dispatches_outbox_id_part_attempt_key UNIQUE (outbox_id, part, attempt);

ALTER TABLE ONLY public.dispatches
    ADD CONSTRAINT dispatches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.draw_rounds
    ADD CONSTRAINT draw_rounds_commitment_key UNIQUE (commitment);

ALTER TABLE ONLY public.draw_rounds
    ADD CONSTRAINT draw_rounds_pkey PRIMARY KEY (round);

ALTER TABLE ONLY public.draw_seeds
    ADD CONSTRAINT draw_seeds_pkey PRIMARY KEY (round);

ALTER TABLE ONLY public.drawings
    ADD CONSTRAINT drawings_pkey PRIMARY KEY (round, ref);

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_book_number_version_key UNIQUE (book, number, version);

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.examinations
    ADD CONSTRAINT examinations_pkey PRIMARY KEY (entry_id);

ALTER TABLE ONLY public.excerpt_files
    ADD CONSTRAINT excerpt_files_pkey PRIMARY KEY (sha256);

ALTER TABLE ONLY public.excerpts
    ADD CONSTRAINT excerpts_code_key UNIQUE (code);

ALTER TABLE ONLY public.excerpts
    ADD CONSTRAINT excerpts_number_key UNIQUE (number);

ALTER TABLE ONLY public.excerpts
    ADD CONSTRAINT excerpts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.filing_ends
    ADD CONSTRAINT filing_ends_pkey PRIMARY KEY (visit);

ALTER TABLE ONLY public.filing_tries
    ADD CONSTRAINT filing_tries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.filing_tries
    ADD CONSTRAINT filing_tries_visit_key UNIQUE (visit);

ALTER TABLE ONLY public.gateway_answers
    ADD CONSTRAINT gateway_answers_pkey PRIMARY KEY (question_id);

ALTER TABLE ONLY public.gateway_attempts
    ADD CONSTRAINT gateway_attempts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gateway_exchanges
    ADD CONSTRAINT gateway_exchanges_pkey PRIMARY KEY (question_id);

ALTER TABLE ONLY public.gateway_questions
    ADD CONSTRAINT gateway_questions_id_case_number_key UNIQUE (id, case_number);

ALTER TABLE ONLY public.gateway_questions
    ADD CONSTRAINT gateway_questions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gateway_stamped
    ADD CONSTRAINT gateway_stamped_pkey PRIMARY KEY (question_id);

ALTER TABLE ONLY public.gateway_stamped
    ADD CONSTRAINT gateway_stamped_stamp_id_place_key UNIQUE (stamp_id, place);

ALTER TABLE ONLY public.gateway_stamps
    ADD CONSTRAINT gateway_stamps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.inspection_looks
    ADD CONSTRAINT inspection_looks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.inspection_looks
    ADD CONSTRAINT inspection_looks_token_key UNIQUE (token);

ALTER TABLE ONLY public.institution_seals
    ADD CONSTRAINT institution_seals_pkey PRIMARY KEY (thumbprint);

ALTER TABLE ONLY public.intents
    ADD CONSTRAINT intents_code_key UNIQUE (code);

ALTER TABLE ONLY public.intents
    ADD CONSTRAINT intents_number_key UNIQUE (number);

ALTER TABLE ONLY public.intents
    ADD CONSTRAINT intents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.intents
    ADD CONSTRAINT intents_subject_request_key UNIQUE (subject, request);

ALTER TABLE ONLY public.key_absences
    ADD CONSTRAINT key_absences_pkey PRIMARY KEY (intent_id, n);

ALTER TABLE ONLY public.key_uses
    ADD CONSTRAINT key_uses_pkey PRIMARY KEY (run, serial, purpose, counted_at);

ALTER TABLE ONLY public.ledger_lines
    ADD CONSTRAINT ledger_lines_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY public.list_changes
    ADD CONSTRAINT list_changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.looks
    ADD CONSTRAINT looks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lookup_proofs
    ADD CONSTRAINT lookup_proofs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lookup_requests
    ADD CONSTRAINT lookup_requests_pkey PRIMARY KEY (client_id, key);

ALTER TABLE ONLY public.lookup_secret
    ADD CONSTRAINT lookup_secret_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.lookup_switches
    ADD CONSTRAINT lookup_switches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lookup_tries
    ADD CONSTRAINT lookup_tries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lookups
    ADD CONSTRAINT lookups_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.medical_institutions
    ADD CONSTRAINT medical_institutions_code_key UNIQUE (code);

ALTER TABLE ONLY public.medical_institutions
    ADD CONSTRAINT medical_institutions_pkey PRIMARY KEY (organisation_id);

ALTER TABLE ONLY public.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organisation_districts
    ADD CONSTRAINT organisation_districts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organisation_duties
    ADD CONSTRAINT organisation_duties_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organisations
    ADD CONSTRAINT organisations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organisations
    ADD CONSTRAINT organisations_voen_key UNIQUE (voen);

ALTER TABLE ONLY public.outbox_ends
    ADD CONSTRAINT outbox_ends_pkey PRIMARY KEY (outbox_id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.persons
    ADD CONSTRAINT persons_pkey PRIMARY KEY (entry_id);

ALTER TABLE ONLY public.publications
    ADD CONSTRAINT publications_pkey PRIMARY KEY (path, produced_at);

ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_carrier_id_address_event_key UNIQUE (carrier_id, address, event);

ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reissue_attempts
    ADD CONSTRAINT reissue_attempts_pkey PRIMARY KEY (excerpt_id, attempted_at);

ALTER TABLE ONLY public.renewal_attempts
    ADD CONSTRAINT renewal_attempts_pkey PRIMARY KEY (sha256, attempted_at);

ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_pkey PRIMARY KEY (excerpt_id);

ALTER TABLE ONLY public.river_job
    ADD CONSTRAINT river_job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.river_leader
    ADD CONSTRAINT river_leader_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.river_migration
    ADD CONSTRAINT river_migration_pkey1 PRIMARY KEY (line, version);

ALTER TABLE ONLY public.river_notification
    ADD CONSTRAINT river_notification_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.river_queue
    ADD CONSTRAINT river_queue_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (token);

ALTER TABLE ONLY public.term_notices
    ADD CONSTRAINT term_notices_pkey PRIMARY KEY (entry_id, notice);

ALTER TABLE ONLY public.tseras_absences
    ADD CONSTRAINT tseras_absences_pkey PRIMARY KEY (number, n);

ALTER TABLE ONLY public.tseras_appeals
    ADD CONSTRAINT tseras_appeals_pkey PRIMARY KEY (case_id);

ALTER TABLE ONLY public.tseras_blind_anew
    ADD CONSTRAINT tseras_blind_anew_pkey PRIMARY KEY (number, seq);

ALTER TABLE ONLY public.tseras_blind
    ADD CONSTRAINT tseras_blind_case_id_key UNIQUE (case_id);

ALTER TABLE ONLY public.tseras_blind
    ADD CONSTRAINT tseras_blind_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.tseras_correction_outcomes
    ADD CONSTRAINT tseras_correction_outcomes_pkey PRIMARY KEY (case_id, n);

ALTER TABLE ONLY public.tseras_corrections
    ADD CONSTRAINT tseras_corrections_pkey PRIMARY KEY (case_id);

ALTER TABLE ONLY public.tseras_decisions
    ADD CONSTRAINT tseras_decisions_entry_id_key UNIQUE (entry_id);

ALTER TABLE ONLY public.tseras_decisions
    ADD CONSTRAINT tseras_decisions_pkey PRIMARY KEY (case_id);

ALTER TABLE ONLY public.tseras_evidence
    ADD CONSTRAINT tseras_evidence_pkey PRIMARY KEY (case_id, register, n);

ALTER TABLE ONLY public.tseras_extensions
    ADD CONSTRAINT tseras_extensions_pkey PRIMARY KEY (number, member_id);

ALTER TABLE ONLY public.tseras_findings
    ADD CONSTRAINT tseras_findings_pkey PRIMARY KEY (number, member_id);

ALTER TABLE ONLY public.tseras_looks
    ADD CONSTRAINT tseras_looks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tseras_passed
    ADD CONSTRAINT tseras_passed_pkey PRIMARY KEY (number, member_id);

ALTER TABLE ONLY public.tseras_programme_bodies
    ADD CONSTRAINT tseras_programme_bodies_pkey PRIMARY KEY (case_id, n);

ALTER TABLE ONLY public.tseras_programme_drafts
    ADD CONSTRAINT tseras_programme_drafts_pkey PRIMARY KEY (case_id, n);

ALTER TABLE ONLY public.tseras_programme_looks
    ADD CONSTRAINT tseras_programme_looks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tseras_programmes
    ADD CONSTRAINT tseras_programmes_pkey PRIMARY KEY (case_id);

ALTER TABLE ONLY public.tseras_proposals
    ADD CONSTRAINT tseras_proposals_pkey PRIMARY KEY (number, n);

ALTER TABLE ONLY public.tseras_referral_looks
    ADD CONSTRAINT tseras_referral_looks_organisation_id_day_subject_member_to_key UNIQUE NULLS NOT DISTINCT (organisation_id, day, subject, member, told);

ALTER TABLE ONLY public.tseras_referral_looks
    ADD CONSTRAINT tseras_referral_looks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tseras_referral_misses
    ADD CONSTRAINT tseras_referral_misses_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tseras_referral_requests
    ADD CONSTRAINT tseras_referral_requests_pkey PRIMARY KEY (case_id, seq);

ALTER TABLE ONLY public.tseras_referrals
    ADD CONSTRAINT tseras_referrals_organisation_id_number_key UNIQUE (organisation_id, number);

ALTER TABLE ONLY public.tseras_referrals
    ADD CONSTRAINT tseras_referrals_pkey PRIMARY KEY (case_id);

ALTER TABLE ONLY public.tseras_refusals
    ADD CONSTRAINT tseras_refusals_pkey PRIMARY KEY (case_id);

ALTER TABLE ONLY public.tseras_result_looks
    ADD CONSTRAINT tseras_result_looks_case_id_organisation_id_member_day_key UNIQUE NULLS NOT DISTINCT (case_id, organisation_id, member, day);

ALTER TABLE ONLY public.tseras_result_looks
    ADD CONSTRAINT tseras_result_looks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tseras_seats
    ADD CONSTRAINT tseras_seats_pkey PRIMARY KEY (number, member_id);

ALTER TABLE ONLY public.tseras_signatures
    ADD CONSTRAINT tseras_signatures_pkey PRIMARY KEY (number, n, member_id);

ALTER TABLE ONLY public.tseras_slot_reminders
    ADD CONSTRAINT tseras_slot_reminders_pkey PRIMARY KEY (number, n);

ALTER TABLE ONLY public.tseras_slot_returns
    ADD CONSTRAINT tseras_slot_returns_commission_id_starts_at_lane_turn_key UNIQUE (commission_id, starts_at, lane, turn);

ALTER TABLE ONLY public.tseras_slot_returns
    ADD CONSTRAINT tseras_slot_returns_pkey PRIMARY KEY (number, n);

ALTER TABLE ONLY public.tseras_slots
    ADD CONSTRAINT tseras_slots_commission_id_starts_at_lane_turn_key UNIQUE (commission_id, starts_at, lane, turn);

ALTER TABLE ONLY public.tseras_slots
    ADD CONSTRAINT tseras_slots_number_n_commission_id_starts_at_lane_turn_key UNIQUE (number, n, commission_id, starts_at, lane, turn);

ALTER TABLE ONLY public.tseras_slots
    ADD CONSTRAINT tseras_slots_pkey PRIMARY KEY (number, n);

ALTER TABLE ONLY public.visits
    ADD CONSTRAINT visits_pkey PRIMARY KEY (token);

ALTER TABLE ONLY public.voids
    ADD CONSTRAINT voids_pkey PRIMARY KEY (intent_id);

ALTER TABLE ONLY public.withdrawals
    ADD CONSTRAINT withdrawals_pkey PRIMARY KEY (excerpt_id);

CREATE INDEX api_tokens_expiry ON public.api_tokens USING btree (expires_at);

CREATE INDEX attempts_by_time ON public.attempts USING brin (attempted_at) WITH (pages_per_range='16', autosummarize='on');

CREATE INDEX case_alarms_at ON public.case_alarms USING btree (at);

CREATE INDEX case_steps_closed ON public.case_steps USING btree (at) WHERE (turn = 'nobody'::text);

CREATE INDEX cases_about ON public.cases USING btree (about, id) WHERE (about IS NOT NULL);

CREATE INDEX cases_at_work ON public.cases USING btree (procedure, kind, state, id) WHERE (state <> ALL (ARRAY['decided'::text, 'declined'::text, 'withdrawn'::text, 'lapsed'::text, 'entered'::text, 'corrected'::text, 'refused'::text]));

CREATE UNIQUE INDEX cases_one_appeal ON public.cases USING btree (about) WHERE ((kind = 'appeal'::text) AND (state <> 'withdrawn'::text));

CREATE UNIQUE INDEX cases_one_assessment ON public.cases USING btree (subject) WHERE ((kind = ANY (ARRAY['assessment'::text, 'appeal'::text])) AND (state <> ALL (ARRAY['decided'::text, 'declined'::text, 'withdrawn'::text, 'lapsed'::text])));

CREATE UNIQUE INDEX cases_one_programme ON public.cases USING btree (about) WHERE ((kind = 'programme'::text) AND (state <> ALL (ARRAY['declined'::text, 'withdrawn'::text, 'lapsed'::text, 'entered'::text])));

CREATE INDEX cases_open ON public.cases USING btree (id) INCLUDE (seq) WHERE (state <> ALL (ARRAY['decided'::text, 'declined'::text, 'withdrawn'::text, 'lapsed'::text, 'entered'::text, 'corrected'::text, 'refused'::text]));

CREATE INDEX cases_subject ON public.cases USING btree (subject, id);

CREATE INDEX channel_choices_fin ON public.channel_choices USING btree (fin, id DESC);

CREATE INDEX checks_excerpt ON public.checks USING btree (excerpt_id) WHERE (excerpt_id IS NOT NULL);

CREATE UNIQUE INDEX checks_form_once ON public.checks USING btree (idempotency_key) WHERE ((client_id IS NULL) AND (idempotency_key IS NOT NULL));

CREATE INDEX checks_member ON public.checks USING btree (member_fin, at DESC) WHERE (member_fin IS NOT NULL);

CREATE UNIQUE INDEX checks_once ON public.checks USING btree (client_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE INDEX checks_organisation ON public.checks USING btree (organisation_id, at DESC) WHERE (organisation_id IS NOT NULL);

CREATE INDEX checks_subject ON public.checks USING btree (subject, at DESC) WHERE (subject IS NOT NULL);

CREATE UNIQUE INDEX commission_hours_current ON public.commission_hours USING btree (commission_id, weekday) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX commission_members_current ON public.commission_members USING btree (fin) WHERE (ended_at IS NULL);

CREATE INDEX contacts_address ON public.contacts USING btree (address, given_at DESC);

CREATE INDEX contacts_fin ON public.contacts USING btree (fin, given_at DESC);

CREATE INDEX dispatch_events_carrier ON public.dispatch_events USING btree (carrier_id) WHERE ((event = 'accepted'::text) AND (carrier_id <> ''::text));

CREATE INDEX dispatches_contact ON public.dispatches USING btree (contact_id, dispatched_at DESC);

CREATE UNIQUE INDEX drawings_once ON public.drawings USING btree (case_id, seq);

CREATE INDEX entries_chain ON public.entries USING btree (book, chain);

CREATE INDEX entries_subject ON public.entries USING btree (subject, book);

CREATE INDEX examinations_terms ON public.examinations USING btree (until_day, next_from) WHERE (until_day IS NOT NULL);

CREATE INDEX excerpt_files_due ON public.excerpt_files USING btree (stamped_until, sha256);

CREATE INDEX excerpt_files_excerpt ON public.excerpt_files USING btree (excerpt_id);

CREATE INDEX excerpt_files_signed ON public.excerpt_files USING btree (signed_sha256) WHERE (signed_sha256 IS NOT NULL);

CREATE INDEX excerpts_entry ON public.excerpts USING btree (entry_id);

CREATE INDEX excerpts_subject ON public.excerpts USING btree (subject, issued_at DESC);

CREATE INDEX filing_tries_at ON public.filing_tries USING btree (at);

CREATE INDEX filing_tries_clerk ON public.filing_tries USING btree (clerk_fin, at);

CREATE INDEX filing_tries_organisation ON public.filing_tries USING btree (organisation_id, at);

CREATE INDEX filing_tries_subject ON public.filing_tries USING btree (subject, at) WHERE (subject IS NOT NULL);

CREATE INDEX gateway_attempts_question ON public.gateway_attempts USING btree (question_id, id);

CREATE INDEX gateway_questions_case ON public.gateway_questions USING btree (case_number, asked_at);

CREATE INDEX inspection_looks_case ON public.inspection_looks USING btree (case_id);

CREATE INDEX inspection_looks_officer ON public.inspection_looks USING btree (officer_fin, at);

CREATE INDEX key_uses_by_time ON public.key_uses USING btree (counted_at);

CREATE UNIQUE INDEX ledger_lines_of_rounds ON public.ledger_lines USING btree (object) WHERE (kind = 'round'::text);

CREATE INDEX looks_subject ON public.looks USING btree (subject, at DESC);

CREATE INDEX lookup_proofs_expiry ON public.lookup_proofs USING btree (expires_at);

CREATE INDEX lookup_requests_at ON public.lookup_requests USING btree (at);

CREATE UNIQUE INDEX lookup_switches_first ON public.lookup_switches USING btree (subject) WHERE (cause = 'sign_in'::text);

CREATE INDEX lookup_switches_subject ON public.lookup_switches USING btree (subject, id DESC);

CREATE INDEX lookup_tries_address ON public.lookup_tries USING btree (address, day) WHERE (address IS NOT NULL);

CREATE INDEX lookup_tries_at ON public.lookup_tries USING btree (at);

CREATE INDEX lookup_tries_card ON public.lookup_tries USING btree (card, day);

CREATE INDEX lookup_tries_misses ON public.lookup_tries USING btree (at) WHERE ((NOT shown) AND (way <> 'office'::text));

CREATE INDEX lookup_tries_operator ON public.lookup_tries USING btree (operator_fin, at) WHERE (operator_fin IS NOT NULL);

CREATE INDEX lookup_tries_organisation ON public.lookup_tries USING btree (organisation_id, day) WHERE (organisation_id IS NOT NULL);

CREATE INDEX lookups_subject ON public.lookups USING btree (subject, at DESC);

CREATE UNIQUE INDEX members_current ON public.members USING btree (organisation_id, fin) WHERE (ended_at IS NULL);

CREATE INDEX members_fin ON public.members USING btree (fin) WHERE (ended_at IS NULL);

CREATE INDEX messages_fin ON public.messages USING btree (fin, sent_at DESC);

CREATE INDEX messages_unread ON public.messages USING btree (fin) WHERE (read_at IS NULL);

CREATE UNIQUE INDEX organisation_districts_current ON public.organisation_districts USING btree (organisation_id, district) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX organisation_duties_current ON public.organisation_duties USING btree (organisation_id, duty) WHERE (ended_at IS NULL);

CREATE INDEX outbox_codes ON public.outbox USING btree (due_at) WHERE ((due_at IS NOT NULL) AND (message_id IS NULL));

CREATE INDEX outbox_due ON public.outbox USING btree (due_at) WHERE ((due_at IS NOT NULL) AND (message_id IS NOT NULL));

CREATE INDEX outbox_message ON public.outbox USING btree (message_id);

CREATE INDEX persons_document ON public.persons USING btree (document, born);

CREATE INDEX receipts_address ON public.receipts USING btree (address, at);

CREATE INDEX receipts_at ON public.receipts USING btree (at);

CREATE INDEX reissue_attempts_by_time ON public.reissue_attempts USING brin (attempted_at) WITH (pages_per_range='16', autosummarize='on');

CREATE INDEX renewal_attempts_by_time ON public.renewal_attempts USING brin (attempted_at) WITH (pages_per_range='16', autosummarize='on');

CREATE INDEX river_job_args_index ON public.river_job USING gin (args);

CREATE INDEX river_job_kind ON public.river_job USING btree (kind);

CREATE INDEX river_job_metadata_index ON public.river_job USING gin (metadata);

CREATE INDEX river_job_prioritized_fetching_index ON public.river_job USING btree (state, queue, priority, scheduled_at, id);

CREATE INDEX river_job_state_and_finalized_at_index ON public.river_job USING btree (state, finalized_at) WHERE (finalized_at IS NOT NULL);

CREATE UNIQUE INDEX river_job_unique_idx ON public.river_job USING btree (unique_key) WHERE ((unique_key IS NOT NULL) AND (unique_states IS NOT NULL) AND public.river_job_state_in_bitmask(unique_states, state));

CREATE INDEX river_notification_created_at_idx ON public.river_notification USING btree (created_at);

CREATE INDEX river_notification_topic_id_idx ON public.river_notification USING btree (topic, id);

CREATE INDEX sessions_expiry ON public.sessions USING btree (expiry);

CREATE INDEX tseras_corrections_about ON public.tseras_corrections USING btree (about);

CREATE INDEX tseras_looks_number ON public.tseras_looks USING btree (number);

CREATE INDEX tseras_programme_looks_case ON public.tseras_programme_looks USING btree (case_id);

CREATE INDEX tseras_referral_looks_subject ON public.tseras_referral_looks USING btree (subject, at DESC);

CREATE INDEX tseras_referral_misses_day ON public.tseras_referral_misses USING btree (organisation_id, day, subject);

CREATE INDEX tseras_referral_requests_institution ON public.tseras_referral_requests USING btree (organisation_id, case_id);

CREATE INDEX tseras_referrals_institution ON public.tseras_referrals USING btree (organisation_id, received_at DESC, case_id DESC);

CREATE UNIQUE INDEX tseras_seats_chair ON public.tseras_seats USING btree (number, seq) WHERE (role = 'chair'::text);

CREATE INDEX tseras_seats_member ON public.tseras_seats USING btree (member_id);

CREATE INDEX tseras_slots_when ON public.tseras_slots USING btree (starts_at);

CREATE INDEX visits_expiry ON public.visits USING btree (expiry);

CREATE TRIGGER drawn_by_an_older_promise BEFORE INSERT ON public.drawings FOR EACH ROW EXECUTE FUNCTION public.drawn_by_an_older_promise();

CREATE TRIGGER keep_what_is_said_now BEFORE DELETE ON public.publications FOR EACH ROW EXECUTE FUNCTION public.keep_what_is_said_now();

CREATE TRIGGER passed_over_say_nothing BEFORE INSERT ON public.tseras_findings FOR EACH ROW EXECUTE FUNCTION public.passed_over_say_nothing();

CREATE TRIGGER passed_over_say_nothing BEFORE INSERT ON public.tseras_signatures FOR EACH ROW EXECUTE FUNCTION public.passed_over_say_nothing();

CREATE TRIGGER steps_go_forward BEFORE INSERT ON public.case_steps FOR EACH ROW EXECUTE FUNCTION public.steps_go_forward();

CREATE TRIGGER tell_of_inspection AFTER INSERT ON public.inspection_looks FOR EACH ROW EXECUTE FUNCTION public.tell_of_inspection();

ALTER TABLE ONLY public.api_clients
    ADD CONSTRAINT api_clients_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.api_clients(id);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_intent_id_fkey FOREIGN KEY (intent_id) REFERENCES public.intents(id);

ALTER TABLE ONLY public.case_alarms
    ADD CONSTRAINT case_alarms_case_id_seq_fkey FOREIGN KEY (case_id, seq) REFERENCES public.case_steps(case_id, seq);

ALTER TABLE ONLY public.case_steps
    ADD CONSTRAINT case_steps_case_id_before_from_state_fkey FOREIGN KEY (case_id, before, from_state) REFERENCES public.case_steps(case_id, seq, to_state);

ALTER TABLE ONLY public.case_steps
    ADD CONSTRAINT case_steps_case_id_procedure_kind_fkey FOREIGN KEY (case_id, procedure, kind) REFERENCES public.cases(id, procedure, kind);

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT cases_about_fkey FOREIGN KEY (about) REFERENCES public.cases(id);

ALTER TABLE ONLY public.cases
    ADD CONSTRAINT cases_stand FOREIGN KEY (id, seq, state) REFERENCES public.case_steps(case_id, seq, to_state) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.channel_choices
    ADD CONSTRAINT channel_choices_contact_id_fin_channel_fkey FOREIGN KEY (contact_id, fin, channel) REFERENCES public.contact_confirmations(contact_id, fin, channel);

ALTER TABLE ONLY public.checks
    ADD CONSTRAINT checks_excerpt_id_fkey FOREIGN KEY (excerpt_id) REFERENCES public.excerpts(id);

ALTER TABLE ONLY public.commission_hours
    ADD CONSTRAINT commission_hours_commission_id_fkey FOREIGN KEY (commission_id) REFERENCES public.commissions(id);

ALTER TABLE ONLY public.commission_members
    ADD CONSTRAINT commission_members_commission_id_fkey FOREIGN KEY (commission_id) REFERENCES public.commissions(id);

ALTER TABLE ONLY public.contact_codes
    ADD CONSTRAINT contact_codes_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id);

ALTER TABLE ONLY public.contact_confirmations
    ADD CONSTRAINT contact_confirmations_contact_id_fin_channel_fkey FOREIGN KEY (contact_id, fin, channel) REFERENCES public.contacts(id, fin, channel);

ALTER TABLE ONLY public.contact_guesses
    ADD CONSTRAINT contact_guesses_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id);

ALTER TABLE ONLY public.contracts
    ADD CONSTRAINT contracts_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id);

ALTER TABLE ONLY public.dispatch_events
    ADD CONSTRAINT dispatch_events_dispatch_id_fkey FOREIGN KEY (dispatch_id) REFERENCES public.dispatches(id);

ALTER TABLE ONLY public.dispatches
    ADD CONSTRAINT dispatches_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id);

ALTER TABLE ONLY public.dispatches
    ADD CONSTRAINT dispatches_outbox_id_fkey FOREIGN KEY (outbox_id) REFERENCES public.outbox(id);

ALTER TABLE ONLY public.draw_seeds
    ADD CONSTRAINT draw_seeds_round_fkey FOREIGN KEY (round) REFERENCES public.draw_rounds(round);

ALTER TABLE ONLY public.drawings
    ADD CONSTRAINT drawings_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.drawings
    ADD CONSTRAINT drawings_case_id_seq_called_fkey FOREIGN KEY (case_id, seq, called) REFERENCES public.case_steps(case_id, seq, to_state);

ALTER TABLE ONLY public.drawings
    ADD CONSTRAINT drawings_round_fkey FOREIGN KEY (round) REFERENCES public.draw_rounds(round);

ALTER TABLE ONLY public.examinations
    ADD CONSTRAINT examinations_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id);

ALTER TABLE ONLY public.excerpt_files
    ADD CONSTRAINT excerpt_files_excerpt_id_fkey FOREIGN KEY (excerpt_id) REFERENCES public.excerpts(id);

ALTER TABLE ONLY public.excerpts
    ADD CONSTRAINT excerpts_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id);

ALTER TABLE ONLY public.excerpts
    ADD CONSTRAINT excerpts_id_fkey FOREIGN KEY (id) REFERENCES public.intents(id);

ALTER TABLE ONLY public.filing_ends
    ADD CONSTRAINT filing_ends_visit_fkey FOREIGN KEY (visit) REFERENCES public.filing_tries(visit);

ALTER TABLE ONLY public.filing_tries
    ADD CONSTRAINT filing_tries_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.gateway_answers
    ADD CONSTRAINT gateway_answers_question_id_fkey FOREIGN KEY (question_id) REFERENCES public.gateway_questions(id);

ALTER TABLE ONLY public.gateway_attempts
    ADD CONSTRAINT gateway_attempts_question_id_fkey FOREIGN KEY (question_id) REFERENCES public.gateway_questions(id);

ALTER TABLE ONLY public.gateway_exchanges
    ADD CONSTRAINT gateway_exchanges_question_id_case_number_fkey FOREIGN KEY (question_id, case_number) REFERENCES public.gateway_questions(id, case_number);

ALTER TABLE ONLY public.gateway_exchanges
    ADD CONSTRAINT gateway_exchanges_question_id_fkey FOREIGN KEY (question_id) REFERENCES public.gateway_answers(question_id);

ALTER TABLE ONLY public.gateway_questions
    ADD CONSTRAINT gateway_questions_case_number_fkey FOREIGN KEY (case_number) REFERENCES public.cases(number);

ALTER TABLE ONLY public.gateway_questions
    ADD CONSTRAINT gateway_questions_disputes_fkey FOREIGN KEY (disputes) REFERENCES public.gateway_questions(id);

ALTER TABLE ONLY public.gateway_stamped
    ADD CONSTRAINT gateway_stamped_question_id_fkey FOREIGN KEY (question_id) REFERENCES public.gateway_answers(question_id);

ALTER TABLE ONLY public.gateway_stamped
    ADD CONSTRAINT gateway_stamped_stamp_id_fkey FOREIGN KEY (stamp_id) REFERENCES public.gateway_stamps(id);

ALTER TABLE ONLY public.inspection_looks
    ADD CONSTRAINT inspection_looks_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.inspection_looks
    ADD CONSTRAINT inspection_looks_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.institution_seals
    ADD CONSTRAINT institution_seals_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.medical_institutions(organisation_id);

ALTER TABLE ONLY public.intents
    ADD CONSTRAINT intents_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id);

ALTER TABLE ONLY public.intents
    ADD CONSTRAINT intents_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.entries(id);

ALTER TABLE ONLY public.key_absences
    ADD CONSTRAINT key_absences_intent_id_n_fkey FOREIGN KEY (intent_id, n) REFERENCES public.attempts(intent_id, n);

ALTER TABLE ONLY public.lookup_requests
    ADD CONSTRAINT lookup_requests_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.api_clients(id);

ALTER TABLE ONLY public.lookup_requests
    ADD CONSTRAINT lookup_requests_lookup_id_fkey FOREIGN KEY (lookup_id) REFERENCES public.lookups(id);

ALTER TABLE ONLY public.lookups
    ADD CONSTRAINT lookups_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.api_clients(id);

ALTER TABLE ONLY public.lookups
    ADD CONSTRAINT lookups_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.medical_institutions
    ADD CONSTRAINT medical_institutions_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.members
    ADD CONSTRAINT members_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.organisation_districts
    ADD CONSTRAINT organisation_districts_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.organisation_duties
    ADD CONSTRAINT organisation_duties_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id);

ALTER TABLE ONLY public.outbox_ends
    ADD CONSTRAINT outbox_ends_outbox_id_fkey FOREIGN KEY (outbox_id) REFERENCES public.outbox(id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.messages(id);

ALTER TABLE ONLY public.persons
    ADD CONSTRAINT persons_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id);

ALTER TABLE ONLY public.reissue_attempts
    ADD CONSTRAINT reissue_attempts_excerpt_id_fkey FOREIGN KEY (excerpt_id) REFERENCES public.excerpts(id);

ALTER TABLE ONLY public.renewal_attempts
    ADD CONSTRAINT renewal_attempts_sha256_fkey FOREIGN KEY (sha256) REFERENCES public.excerpt_files(sha256);

ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_excerpt_id_fkey FOREIGN KEY (excerpt_id) REFERENCES public.excerpts(id);

ALTER TABLE ONLY public.term_notices
    ADD CONSTRAINT term_notices_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id);

ALTER TABLE ONLY public.tseras_absences
    ADD CONSTRAINT tseras_absences_number_member_id_fkey FOREIGN KEY (number, member_id) REFERENCES public.tseras_seats(number, member_id);

ALTER TABLE ONLY public.tseras_absences
    ADD CONSTRAINT tseras_absences_number_n_fkey FOREIGN KEY (number, n) REFERENCES public.tseras_slots(number, n);

ALTER TABLE ONLY public.tseras_appeals
    ADD CONSTRAINT tseras_appeals_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_blind_anew
    ADD CONSTRAINT tseras_blind_anew_case_id_seq_fkey FOREIGN KEY (case_id, seq) REFERENCES public.case_steps(case_id, seq);

ALTER TABLE ONLY public.tseras_blind_anew
    ADD CONSTRAINT tseras_blind_anew_number_fkey FOREIGN KEY (number) REFERENCES public.tseras_blind(number);

ALTER TABLE ONLY public.tseras_blind
    ADD CONSTRAINT tseras_blind_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_correction_outcomes
    ADD CONSTRAINT tseras_correction_outcomes_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.tseras_corrections(case_id);

ALTER TABLE ONLY public.tseras_corrections
    ADD CONSTRAINT tseras_corrections_about_fkey FOREIGN KEY (about) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_corrections
    ADD CONSTRAINT tseras_corrections_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_decisions
    ADD CONSTRAINT tseras_decisions_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_decisions
    ADD CONSTRAINT tseras_decisions_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id);

ALTER TABLE ONLY public.tseras_evidence
    ADD CONSTRAINT tseras_evidence_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_extensions
    ADD CONSTRAINT tseras_extensions_number_member_id_fkey FOREIGN KEY (number, member_id) REFERENCES public.tseras_seats(number, member_id);

ALTER TABLE ONLY public.tseras_findings
    ADD CONSTRAINT tseras_findings_number_member_id_fkey FOREIGN KEY (number, member_id) REFERENCES public.tseras_seats(number, member_id);

ALTER TABLE ONLY public.tseras_looks
    ADD CONSTRAINT tseras_looks_number_member_id_fkey FOREIGN KEY (number, member_id) REFERENCES public.tseras_seats(number, member_id);

ALTER TABLE ONLY public.tseras_passed
    ADD CONSTRAINT tseras_passed_case_id_seq_fkey FOREIGN KEY (case_id, seq) REFERENCES public.case_steps(case_id, seq);

ALTER TABLE ONLY public.tseras_passed
    ADD CONSTRAINT tseras_passed_number_member_id_fkey FOREIGN KEY (number, member_id) REFERENCES public.tseras_seats(number, member_id);

ALTER TABLE ONLY public.tseras_programme_bodies
    ADD CONSTRAINT tseras_programme_bodies_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.tseras_programmes(case_id);

ALTER TABLE ONLY public.tseras_programme_bodies
    ADD CONSTRAINT tseras_programme_bodies_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.tseras_programme_drafts
    ADD CONSTRAINT tseras_programme_drafts_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.tseras_programmes(case_id);

ALTER TABLE ONLY public.tseras_programme_looks
    ADD CONSTRAINT tseras_programme_looks_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.tseras_programmes(case_id);

ALTER TABLE ONLY public.tseras_programme_looks
    ADD CONSTRAINT tseras_programme_looks_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisations(id);

ALTER TABLE ONLY public.tseras_programmes
    ADD CONSTRAINT tseras_programmes_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_programmes
    ADD CONSTRAINT tseras_programmes_decision_fkey FOREIGN KEY (decision) REFERENCES public.tseras_decisions(case_id);

ALTER TABLE ONLY public.tseras_proposals
    ADD CONSTRAINT tseras_proposals_number_fkey FOREIGN KEY (number) REFERENCES public.tseras_blind(number);

ALTER TABLE ONLY public.tseras_referral_looks
    ADD CONSTRAINT tseras_referral_looks_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.medical_institutions(organisation_id);

ALTER TABLE ONLY public.tseras_referral_misses
    ADD CONSTRAINT tseras_referral_misses_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.medical_institutions(organisation_id);

ALTER TABLE ONLY public.tseras_referral_requests
    ADD CONSTRAINT tseras_referral_requests_case_id_seq_fkey FOREIGN KEY (case_id, seq) REFERENCES public.case_steps(case_id, seq);

ALTER TABLE ONLY public.tseras_referral_requests
    ADD CONSTRAINT tseras_referral_requests_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.medical_institutions(organisation_id);

ALTER TABLE ONLY public.tseras_referrals
    ADD CONSTRAINT tseras_referrals_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_referrals
    ADD CONSTRAINT tseras_referrals_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.medical_institutions(organisation_id);

ALTER TABLE ONLY public.tseras_refusals
    ADD CONSTRAINT tseras_refusals_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_refusals
    ADD CONSTRAINT tseras_refusals_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.medical_institutions(organisation_id);

ALTER TABLE ONLY public.tseras_result_looks
    ADD CONSTRAINT tseras_result_looks_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.cases(id);

ALTER TABLE ONLY public.tseras_result_looks
    ADD CONSTRAINT tseras_result_looks_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.medical_institutions(organisation_id);

ALTER TABLE ONLY public.tseras_seats
    ADD CONSTRAINT tseras_seats_member_id_fkey FOREIGN KEY (member_id) REFERENCES public.commission_members(id);

ALTER TABLE ONLY public.tseras_seats
    ADD CONSTRAINT tseras_seats_number_fkey FOREIGN KEY (number) REFERENCES public.tseras_blind(number);

ALTER TABLE ONLY public.tseras_signatures
    ADD CONSTRAINT tseras_signatures_number_member_id_fkey FOREIGN KEY (number, member_id) REFERENCES public.tseras_seats(number, member_id);

ALTER TABLE ONLY public.tseras_signatures
    ADD CONSTRAINT tseras_signatures_number_n_fkey FOREIGN KEY (number, n) REFERENCES public.tseras_proposals(number, n);

ALTER TABLE ONLY public.tseras_slot_reminders
    ADD CONSTRAINT tseras_slot_reminders_number_n_fkey FOREIGN KEY (number, n) REFERENCES public.tseras_slots(number, n);

ALTER TABLE ONLY public.tseras_slot_returns
    ADD CONSTRAINT tseras_slot_returns_number_n_commission_id_starts_at_lane__fkey FOREIGN KEY (number, n, commission_id, starts_at, lane, turn) REFERENCES public.tseras_slots(number, n, commission_id, starts_at, lane, turn);

ALTER TABLE ONLY public.tseras_slots
    ADD CONSTRAINT tseras_slots_commission_id_fkey FOREIGN KEY (commission_id) REFERENCES public.commissions(id);

ALTER TABLE ONLY public.tseras_slots
    ADD CONSTRAINT tseras_slots_commission_id_starts_at_lane_before_turn_fkey FOREIGN KEY (commission_id, starts_at, lane, before_turn) REFERENCES public.tseras_slot_returns(commission_id, starts_at, lane, turn);

ALTER TABLE ONLY public.tseras_slots
    ADD CONSTRAINT tseras_slots_number_before_n_fkey FOREIGN KEY (number, before_n) REFERENCES public.tseras_slot_returns(number, n);

ALTER TABLE ONLY public.tseras_slots
    ADD CONSTRAINT tseras_slots_number_fkey FOREIGN KEY (number) REFERENCES public.tseras_blind(number);

ALTER TABLE ONLY public.voids
    ADD CONSTRAINT voids_intent_id_fkey FOREIGN KEY (intent_id) REFERENCES public.intents(id);

ALTER TABLE ONLY public.withdrawals
    ADD CONSTRAINT withdrawals_excerpt_id_fkey FOREIGN KEY (excerpt_id) REFERENCES public.excerpts(id);

ALTER TABLE public.gateway_exchanges ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_one_case ON public.gateway_exchanges TO tesdiq_casework USING ((case_number = current_setting('tesdiq.case'::text, true))) WITH CHECK ((case_number = current_setting('tesdiq.case'::text, true)));
