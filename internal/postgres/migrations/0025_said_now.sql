-- +goose Up
-- A list that was published while a clock was ahead would hide all later ones until its day comes: what lies in the future counts only
-- where there is nothing else.
CREATE OR REPLACE VIEW current_publications AS
    SELECT DISTINCT ON (path) path, body, produced_at, until,
           revocations = 0 AND EXISTS (SELECT FROM certificate_revocations c WHERE c.serial = p.serial) AS overtaken
    FROM publications p
    ORDER BY path, produced_at <= now() + interval '5 minutes' DESC, produced_at DESC;

-- The worker removes what was said before, and must not be able to go back to it by removing what is said now.
-- +goose StatementBegin
CREATE FUNCTION keep_what_is_said_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM publications n WHERE n.path = OLD.path AND n.produced_at > OLD.produced_at
               AND (n.produced_at <= now() + interval '5 minutes' OR OLD.produced_at > now() + interval '5 minutes')) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'what is said now stays' USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER keep_what_is_said_now BEFORE DELETE ON publications FOR EACH ROW EXECUTE FUNCTION keep_what_is_said_now();

-- commission: a look's ledger line names it.
GRANT SELECT (id) ON tseras_looks TO tesdiq_commission;
