package issuerdb

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// Renewals keeps our copies of excerpts provable: before the certificates of a file's last time stamp end, a further version with a new
// one is stored beside it. All fields are required but Permits, Ahead and Batch.
type Renewals struct {
	Pool    *pgxpool.Pool // as tesdiq_issuer
	Files   issuer.Renewing
	Now     func() time.Time
	Rand    io.Reader
	Log     *slog.Logger
	Permits Permits       // for the keys' guard; nil: there is none
	Ahead   time.Duration // before the end; 0: DefaultAhead
	Batch   int           // files in one transaction; 0: 32
}

// DefaultAhead leaves time for a time-stamp signer that was forgotten to be replaced, and for a national archive to be renewed.
const DefaultAhead = 180 * 24 * time.Hour

// A version is the newest if none was stored later.
const sqlDue = `
	SELECT x.id, x.number, x.code, f.sha256, f.bytes, nullif(f.stamped_until, '-infinity') AS stamped_until
	FROM excerpt_files f
	JOIN excerpts x ON x.id = f.excerpt_id
	WHERE f.stamped_until < @due AND (f.stamped_until, f.sha256) > (coalesce(@until::timestamptz, '-infinity'), @after)
	  AND NOT EXISTS (SELECT FROM excerpt_files n WHERE n.excerpt_id = f.excerpt_id AND (n.stored_at, n.size) > (f.stored_at, f.size))
	ORDER BY f.stamped_until, f.sha256
	LIMIT @batch`

const sqlStoreRenewals = `
	WITH made AS (
		SELECT *
		FROM unnest(@ids::bigint[], @hashes::bytea[], @files::bytea[], @of::bytea[], @renewed::timestamptz[], @until::timestamptz[])
		     AS made (id, sha256, bytes, of, renewed_at, stamped_until)
	)
	INSERT INTO excerpt_files (sha256, excerpt_id, size, bytes, stored_at, stamped_until, signer_serial, stamp_serial, signed_at)
	SELECT made.sha256, made.id, length(made.bytes), made.bytes, made.renewed_at, made.stamped_until, old.signer_serial, old.stamp_serial, old.signed_at
	FROM made
	JOIN excerpt_files old ON old.sha256 = made.of -- the signature and its own time stamp are still those
	WHERE NOT EXISTS (SELECT FROM excerpt_files n WHERE n.excerpt_id = made.id AND (n.stored_at, n.size) > (old.stored_at, old.size))
	RETURNING sha256`

// Run renews what is due until nothing is left or ctx ends; broken off, it goes on the next time. Two at once do no harm: at worst a
// file has two new versions, both of which are known.
func (r *Renewals) Run(ctx context.Context) error {
	ahead, batch := r.Ahead, r.Batch
	if ahead <= 0 {
		ahead = DefaultAhead
	}
	if batch <= 0 {
		batch = 32
	}
	var until *time.Time
	after, done := []byte{}, 0
	defer func() {
		if done > 0 {
			r.Log.InfoContext(ctx, "time stamps renewed", "files", done)
		}
	}()
	for ctx.Err() == nil {
		rows, _ := r.Pool.Query(ctx, sqlDue, pgx.NamedArgs{"due": r.Now().Add(ahead), "until": until, "after": after, "batch": batch})
		due, err := pgx.CollectRows(rows, pgx.RowToStructByPos[issuer.Stored])
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("issuerdb: renewals due: %w", err)
		}
		if len(due) == 0 {
			return nil
		}
		last := due[len(due)-1]
		until, after = last.StampedUntil, last.SHA256
		if err := r.attempt(ctx, due); err != nil {
			return err
		}
		var made []issuer.Renewal
		for _, f := range due {
			renewal, err := r.Files.Next(permitted(ctx, r.Permits, Attempt{ForRenewal, string(f.Number)}), f, r.Now())
			if errors.Is(err, issuer.ErrKeyAway) { // nor would the others succeed
				return err
			}
			if errors.Is(err, issuer.ErrNoGain) {
				return err
			}
			if ctx.Err() != nil {
				return nil
			}
			if err != nil { // the others must not wait for this one
				r.Log.ErrorContext(ctx, "time stamp not renewed", "number", f.Number, "err", err)
				continue
			}
			made = append(made, renewal)
		}
		n, err := r.store(ctx, made)
		if err != nil && ctx.Err() == nil {
			return err
		}
		done += n
	}
	return nil
}

// store keeps the new versions with their ledger lines, together or not at all.
func (r *Renewals) store(ctx context.Context, made []issuer.Renewal) (stored int, err error) {
	if len(made) == 0 {
		return 0, nil
	}
	err = again(ctx, func() error {
		stored = 0
		return pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
			rows, _ := tx.Query(ctx, sqlStoreRenewals, pgx.NamedArgs{
				"ids":     each(made, func(m issuer.Renewal) int64 { return m.Of.ID }),
				"hashes":  each(made, func(m issuer.Renewal) []byte { return m.SHA256[:] }),
				"files":   each(made, func(m issuer.Renewal) []byte { return m.PDF }),
				"of":      each(made, func(m issuer.Renewal) []byte { return m.Of.SHA256 }),
				"renewed": each(made, func(m issuer.Renewal) time.Time { return m.RenewedAt }),
				"until":   each(made, func(m issuer.Renewal) time.Time { return m.StampedUntil }),
			})
			sums, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
			if err != nil {
				return fmt.Errorf("issuerdb: store renewals: %w", err)
			}
			byHash := map[[32]byte]issuer.Renewal{}
			for _, m := range made {
				byHash[m.SHA256] = m
			}
			var lines []ledger.Line
			for _, sum := range sums {
				m := byHash[[32]byte(sum)]
				line, err := ledger.NewLine(r.Rand, ledger.Renewal, hex.EncodeToString(sum), issuer.RenewalContent(m.Of.Number, sum, m.RenewedAt))
				if err != nil {
					return err
				}
				lines = append(lines, line)
			}
			stored = len(lines)
			return ledgerdb.Append(ctx, tx, lines...)
		})
	})
	return stored, err
}
