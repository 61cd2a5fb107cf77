-- +goose Up
-- What a commission sees that is drawn in place of one that said nothing: meanwhile a register may have been corrected, or an institution may have
-- referred anew. It holds from the step on that called for the draw; the commission that was passed over sees neither any more.
CREATE TABLE tseras_blind_anew (
    number   text NOT NULL REFERENCES tseras_blind,
    case_id  bigint NOT NULL,
    seq      int NOT NULL,
    referral jsonb NOT NULL,
    PRIMARY KEY (number, seq),
    FOREIGN KEY (case_id, seq) REFERENCES case_steps
);

REVOKE ALL ON tseras_blind_anew FROM PUBLIC;
GRANT INSERT ON tseras_blind_anew TO tesdiq_casework;
GRANT SELECT (number, seq, referral) ON tseras_blind_anew TO tesdiq_commission;
