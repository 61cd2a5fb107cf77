-- +goose Up
-- Nobody draws for a case until it suits: a case has one drawing of a commission and one of a further member.
CREATE UNIQUE INDEX drawings_once ON drawings (case_id, (drawing->'steps'->0->>'role'));

-- Nobody dates a step back before the one that it follows.
-- +goose StatementBegin
CREATE FUNCTION steps_go_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq > 1 AND NEW.at < (SELECT s.at FROM case_steps s WHERE s.case_id = NEW.case_id AND s.seq = NEW.seq - 1) THEN
        RAISE EXCEPTION 'a step is not earlier than the one before it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER steps_go_forward BEFORE INSERT ON case_steps FOR EACH ROW EXECUTE FUNCTION steps_go_forward();
