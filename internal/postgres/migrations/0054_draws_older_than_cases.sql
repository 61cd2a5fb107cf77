-- +goose Up
-- The ledger line of a round's commitment is public, with its key: it hides nothing, and proves what was promised and when. No other line is.
CREATE UNIQUE INDEX ledger_lines_of_rounds ON ledger_lines (object) WHERE kind = 'round';
CREATE VIEW draw_lines AS SELECT kind, object, key, mac FROM ledger_lines WHERE kind = 'round';
REVOKE ALL ON draw_lines FROM PUBLIC;
GRANT SELECT ON draw_lines TO tesdiq_casework;

-- Nobody draws for a case by a seed that was promised when the case was known already, nor by one that is open.
-- +goose StatementBegin
CREATE FUNCTION drawn_by_an_older_promise() RETURNS trigger LANGUAGE plpgsql AS $$
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
-- +goose StatementEnd
CREATE TRIGGER drawn_by_an_older_promise BEFORE INSERT ON drawings FOR EACH ROW EXECUTE FUNCTION drawn_by_an_older_promise();
