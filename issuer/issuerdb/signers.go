package issuerdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

const columnsSignerRevocation = `serial, role, reason, why, by, invalid_from, revoked_at`

const sqlSignerRevocations = `SELECT ` + columnsSignerRevocation + ` FROM certificate_revocations ORDER BY revoked_at, serial`

// SignerRevocations are all certificates of ours that were revoked, the oldest first. The pool's role is tesdiq_issuer or
// tesdiq_operator.
func SignerRevocations(ctx context.Context, pool *pgxpool.Pool) ([]issuer.SignerRevocation, error) {
	rows, _ := pool.Query(ctx, sqlSignerRevocations)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[issuer.SignerRevocation])
	if err != nil {
		return nil, fmt.Errorf("issuerdb: revoked certificates: %w", err)
	}
	return all, nil
}

const sqlIsRevoked = `SELECT EXISTS (SELECT FROM certificate_revocations WHERE serial = @serial)`

const sqlRevokeSigner = `
	INSERT INTO certificate_revocations (` + columnsSignerRevocation + `)
	VALUES (@serial, @role, @reason, @why, @by, @invalid, @now)
	ON CONFLICT DO NOTHING`

// A person who checked several times, or several excerpts, is told once of each excerpt.
const sqlCheckedBy = `
	SELECT DISTINCT c.member_fin, x.number
	FROM revoked_files f
	JOIN checks c ON c.excerpt_id = f.excerpt_id
	JOIN excerpts x ON x.id = f.excerpt_id
	WHERE f.serial = @serial AND c.sort = 'person' AND c.member_fin <> x.subject`

// errPreview rolls back what was only to be counted.
var errPreview = errors.New("issuerdb: preview")

// SignerRevoked is what a revocation brought about.
type SignerRevoked struct {
	Excerpts int // with a file that does not count any more
	Told     int // messages to persons who had checked them; organisations read it in their lists
}

// RevokeSigner writes down that what a certificate of ours signed from a moment on does not count, with its ledger line, and tells the
// persons who checked such an excerpt. One that is revoked already is a Conflict, "certificate.revoked". With preview all of it is tried, counted and taken back.
func (o Operator) RevokeSigner(ctx context.Context, r issuer.SignerRevocation, preview bool) (done SignerRevoked, err error) {
	if err := CheckRevocation(r.Why, r.By); err != nil {
		return done, err
	}
	if err := issuer.CheckSignerRevocation(r.Reason); err != nil {
		return done, err
	}
	r.RevokedAt, r.InvalidFrom = issuer.Moment(o.Now()), issuer.Moment(r.InvalidFrom)
	if r.InvalidFrom.After(r.RevokedAt) {
		return done, tesdiq.Invalid("certificate.future")
	}
	err = pgx.BeginFunc(ctx, o.Pool, func(tx pgx.Tx) error {
		var known bool
		if err := tx.QueryRow(ctx, sqlIsRevoked, pgx.NamedArgs{"serial": r.Serial}).Scan(&known); err != nil {
			return fmt.Errorf("issuerdb: revoke certificate: %w", err)
		}
		if known {
			return tesdiq.NewProblem(tesdiq.Conflict, "certificate.revoked")
		}
		tag, err := tx.Exec(ctx, sqlRevokeSigner, pgx.NamedArgs{"serial": r.Serial, "role": r.Role, "reason": r.Reason, "why": r.Why, "by": r.By,
			"invalid": r.InvalidFrom, "now": r.RevokedAt})
		if err != nil {
			return fmt.Errorf("issuerdb: revoke certificate: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return tesdiq.NewProblem(tesdiq.Conflict, "certificate.revoked")
		}
		line, err := ledger.NewLine(o.Rand, ledger.Certificate, r.Serial, issuer.CertificateContent(r))
		if err != nil {
			return err
		}
		if err := ledgerdb.Append(ctx, tx, line); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlRevoked, pgx.NamedArgs{"serial": r.Serial}).Scan(&done.Excerpts); err != nil {
			return fmt.Errorf("issuerdb: revoke certificate: %w", err)
		}
		rows, _ := tx.Query(ctx, sqlCheckedBy, pgx.NamedArgs{"serial": r.Serial})
		letters, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (message.Message, error) {
			var fin tesdiq.FIN
			var number issuer.Number
			err := row.Scan(&fin, &number)
			return message.Message{To: fin, Key: "message.checked", Args: map[string]string{"Number": string(number)}, Link: "/cabinet/checked-by-me", At: r.RevokedAt}, err
		})
		if err != nil {
			return fmt.Errorf("issuerdb: who checked: %w", err)
		}
		done.Told = len(letters)
		if preview {
			return errPreview
		}
		return message.Send(ctx, tx, letters...)
	})
	if errors.Is(err, errPreview) {
		err = nil
	}
	return done, err
}

const sqlRevoked = `SELECT count(DISTINCT excerpt_id) FROM revoked_files WHERE serial = @serial`

// RevokedCertificates knows what was revoked, without asking the database more than once a second.
type RevokedCertificates struct {
	Pool *pgxpool.Pool // as tesdiq_issuer
	Now  func() time.Time

	mu   sync.Mutex
	read time.Time
	all  []issuer.SignerRevocation
}

// How old what is known may be: before it is asked again, and where the database does not answer.
const (
	revokedFresh   = time.Second
	revokedAtMost  = time.Minute
	revokedTimeout = 5 * time.Second
)

// All are all of them. It fails where the database has been away for a minute: then nobody may be told that nothing was revoked.
func (r *RevokedCertificates) All() ([]issuer.SignerRevocation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Now()
	if age := now.Sub(r.read); !r.read.IsZero() && age >= 0 && age < revokedFresh {
		return r.all, nil
	}
	// Whoever asks may go away; the next one wants to know as well.
	ctx, cancel := context.WithTimeout(context.Background(), revokedTimeout)
	defer cancel()
	all, err := SignerRevocations(ctx, r.Pool)
	if err == nil {
		r.all, r.read = all, now
		return all, nil
	}
	if age := now.Sub(r.read); !r.read.IsZero() && age >= 0 && age < revokedAtMost {
		return r.all, nil
	}
	return nil, err
}
