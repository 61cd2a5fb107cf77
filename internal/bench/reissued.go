package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// What must not be there after a revocation and a reissue. Each counts what is wrong; @old is the revoked signer's serial number.
var wrongs = []struct{ what, sql string }{
	{"excerpts with another number of first files than one", `
		SELECT count(*) FROM excerpts x WHERE 1 <> (SELECT count(*) FROM excerpt_files f WHERE f.excerpt_id = x.id AND f.signer_serial = @old)`},
	{"excerpts in force with another number of new files than one", `
		SELECT count(*) FROM excerpts x WHERE NOT EXISTS (SELECT FROM withdrawals w WHERE w.excerpt_id = x.id)
		  AND 1 <> (SELECT count(*) FROM excerpt_files f WHERE f.excerpt_id = x.id AND f.signer_serial <> @old)`},
	{"withdrawn excerpts with a new file", `
		SELECT count(*) FROM withdrawals w JOIN excerpt_files f ON f.excerpt_id = w.excerpt_id AND f.signer_serial <> @old`},
	{"new files that are counted as revoked, and old ones that are not", `
		SELECT count(*) FROM excerpt_files f WHERE EXISTS (SELECT FROM revoked_files r WHERE r.sha256 = f.sha256) <> (f.signer_serial = @old)`},
	{"new files with another number of ledger lines than one", `
		SELECT count(*) FROM (
			SELECT f.sha256 FROM excerpt_files f LEFT JOIN ledger_lines l ON l.kind = 'reissue' AND l.object = encode(f.sha256, 'hex')
			WHERE f.signer_serial <> @old GROUP BY f.sha256 HAVING count(l.seq) <> 1) wrong`},
	{"ledger lines of files that are not there", `
		SELECT count(*) FROM ledger_lines l WHERE l.kind = 'reissue' AND NOT EXISTS (SELECT FROM excerpt_files f WHERE encode(f.sha256, 'hex') = l.object)`},
	{"holders told another number of times than they have new files", `
		SELECT count(*) FROM (
			SELECT x.number, x.subject FROM excerpts x JOIN excerpt_files f ON f.excerpt_id = x.id AND f.signer_serial <> @old) a
		FULL JOIN (
			SELECT args->>'Number' AS number, fin, count(*) AS times FROM messages WHERE key = 'message.reissued' GROUP BY 1, 2) m
		  ON m.number = a.number AND m.fin = a.subject
		WHERE m.times IS DISTINCT FROM 1 OR a.number IS NULL`},
	{"past checkers told another number of times than once", `
		SELECT count(*) FROM (
			SELECT DISTINCT x.number, c.member_fin FROM checks c JOIN excerpts x ON x.id = c.excerpt_id WHERE c.sort = 'person') a
		FULL JOIN (
			SELECT args->>'Number' AS number, fin, count(*) AS times FROM messages WHERE key = 'message.checked' GROUP BY 1, 2) m
		  ON m.number = a.number AND m.fin = a.member_fin
		WHERE m.times IS DISTINCT FROM 1 OR a.number IS NULL`},
	{"new files whose attempt was not written down before", `
		SELECT count(*) FROM excerpt_files f WHERE f.signer_serial <> @old
		  AND NOT EXISTS (SELECT FROM reissue_attempts t WHERE t.excerpt_id = f.excerpt_id AND t.attempted_at <= f.signed_at)`},
}

const sqlNewFiles = `
	SELECT x.number, x.code, f.sha256, f.signed_at, f.signer_serial, f.bytes, l.kind, l.object, l.key, l.mac
	FROM excerpt_files f
	JOIN excerpts x ON x.id = f.excerpt_id
	JOIN ledger_lines l ON l.kind = 'reissue' AND l.object = encode(f.sha256, 'hex')
	WHERE f.signer_serial <> @old`

type newFile struct {
	number      issuer.Number
	code        tesdiq.Code
	sum         []byte
	at          time.Time
	serial      string
	bytes       []byte
	ledger.Line // that commits to it
}

// audit looks at every excerpt.
func (r *reissuing) audit(ctx context.Context) error {
	return r.db.admin(ctx, func(c *pgx.Conn) error { return r.judge(ctx, c) })
}

// judge asks the database for what is wrong, reads every new file as whoever relies on it does, and counts.
func (r *reissuing) judge(ctx context.Context, c *pgx.Conn) error {
	old := keys.Serial(r.set.Signer)
	for _, w := range wrongs {
		var n int
		if err := c.QueryRow(ctx, w.sql, pgx.NamedArgs{"old": old}).Scan(&n); err != nil {
			return fmt.Errorf("%s: %w", w.what, err)
		}
		if n > 0 {
			return fmt.Errorf("%d %s", n, w.what)
		}
	}
	err := c.QueryRow(ctx, sqlTold).Scan(&r.Told, &r.Checkers)
	if err == nil {
		err = r.read(ctx, c, old)
	}
	if want := r.Excerpts - r.Left; err == nil && (r.Anew != want || r.Told != want) {
		err = fmt.Errorf("%d are issued anew and %d holders told, of %d", r.Anew, r.Told, want)
	}
	return err
}

const sqlTold = `
	SELECT count(*) FILTER (WHERE key = 'message.reissued'), count(*) FILTER (WHERE key = 'message.checked') FROM messages`

// read reads every new file.
func (r *reissuing) read(ctx context.Context, c *pgx.Conn, old string) error {
	roots, err := r.set.Roots()
	if err != nil {
		return err
	}
	bar := progress(r.o.Progress, "reading", r.Excerpts-r.Left)
	defer bar.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	files := make(chan newFile, 16)
	var readers sync.WaitGroup
	var good atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			for f := range files {
				if err := f.judge(roots, old, r.o.Now()); err != nil {
					cancel(fmt.Errorf("%s: %w", f.number, err))
					continue
				}
				good.Add(1)
				_ = bar.Add(1) // what cannot be shown is read all the same
			}
		})
	}
	rows, _ := c.Query(ctx, sqlNewFiles, pgx.NamedArgs{"old": old}) // the error comes out of ForEachRow
	var f newFile
	_, err = pgx.ForEachRow(rows, []any{&f.number, &f.code, &f.sum, &f.at, &f.serial, &f.bytes, &f.Kind, &f.Object, &f.Key, &f.MAC}, func() error {
		files <- f
		f = newFile{}
		return context.Cause(ctx)
	})
	close(files)
	readers.Wait()
	r.Anew = int(good.Load())
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (f newFile) judge(roots *keys.Roots, old string, now time.Time) error {
	report := pades.ReadAt(f.bytes, roots, now)
	switch {
	case sha256.Sum256(f.bytes) != [sha256.Size]byte(f.sum) || f.Object != hex.EncodeToString(f.sum):
		return errors.New("the file is not the one that was written down")
	case report.Indication != pades.Passed || report.Integrity != pades.Intact || report.Level != "B-LTA":
		return fmt.Errorf("%s, %s, %q", report.Integrity, report.Indication, report.Level)
	case report.Code != f.code.String() || report.SignerSerial != f.serial || report.SignerSerial == old:
		return errors.New("the file carries another code, or is signed by somebody else")
	case !f.Opens(issuer.ReissueContent(f.number, f.sum, f.at)):
		return errors.New("its ledger line says something else")
	}
	return nil
}
