package bench

import (
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/keys"
)

// Killed in the middle and continued, everything is issued anew once; and the audit would see if it were not.
func TestReissuedOnceThoughKilled(t *testing.T) {
	self := filepath.Join(t.TempDir(), "tesdiq")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", self, "../../cmd/tesdiq").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	o := options()
	o.Log, o.Progress = o.filled(1).Log, io.Discard
	db, err := openDatabase(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.close(); err != nil {
			t.Error(err)
		}
	})
	r := &reissuing{o: o, db: db, self: self, dir: t.TempDir(), most: 60, Reissued: Reissued{What: "reissue", Excerpts: 120}}
	if err := r.measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.Drawn != 60 || r.Left != 2 || r.Anew != 118 || r.Told != 118 || r.Checkers != 12 || r.Killed < 59 || r.Killed > 118 || r.PerS <= 0 {
		t.Errorf("%+v", r.Reissued)
	}
	for what, harm := range map[string]string{
		"number of first files":      `DELETE FROM excerpt_files WHERE sha256 = (SELECT sha256 FROM excerpt_files WHERE signer_serial = @old LIMIT 1)`,
		"number of new files":        `DELETE FROM excerpt_files WHERE sha256 = (SELECT sha256 FROM excerpt_files WHERE signer_serial <> @old LIMIT 1)`,
		"withdrawn excerpts":         `INSERT INTO withdrawals SELECT excerpt_id, now() FROM excerpt_files WHERE signer_serial <> @old LIMIT 1`,
		"counted as revoked":         `UPDATE excerpt_files SET stamp_serial = @old WHERE sha256 = (SELECT sha256 FROM excerpt_files WHERE signer_serial <> @old LIMIT 1)`,
		"number of ledger lines":     `INSERT INTO ledger_lines (kind, object, key, mac) SELECT kind, object, key, mac FROM ledger_lines WHERE kind = 'reissue' LIMIT 1`,
		"ledger lines of files":      `INSERT INTO ledger_lines (kind, object, key, mac) SELECT kind, 'x', key, mac FROM ledger_lines WHERE kind = 'reissue' LIMIT 1`,
		"holders told":               `INSERT INTO messages (fin, key, args, sent_at) SELECT fin, key, args, sent_at FROM messages WHERE key = 'message.reissued' LIMIT 1`,
		"past checkers":              `DELETE FROM messages WHERE id = (SELECT id FROM messages WHERE key = 'message.checked' LIMIT 1)`,
		"whose attempt was not":      `UPDATE reissue_attempts SET attempted_at = attempted_at + interval '1 day'`,
		"not the one that was":       `UPDATE excerpt_files SET bytes = bytes || 'x' WHERE sha256 = (SELECT sha256 FROM excerpt_files WHERE signer_serial <> @old LIMIT 1)`,
		"carries another code":       `UPDATE excerpts SET code = '00000000000000000' WHERE number = (SELECT args->>'Number' FROM messages WHERE key = 'message.reissued' LIMIT 1)`,
		"ledger line says something": `UPDATE ledger_lines SET key = sha256(key) WHERE seq = (SELECT seq FROM ledger_lines WHERE kind = 'reissue' LIMIT 1)`,
	} {
		undone := errors.New("undone")
		err := db.admin(t.Context(), func(c *pgx.Conn) error {
			return pgx.BeginFunc(t.Context(), c, func(tx pgx.Tx) error {
				if _, err := tx.Exec(t.Context(), `SET LOCAL session_replication_role = replica`); err != nil {
					return err
				}
				tag, err := tx.Exec(t.Context(), harm, pgx.NamedArgs{"old": keys.Serial(r.set.Signer)})
				if err != nil || tag.RowsAffected() == 0 {
					t.Errorf("%s: %d rows, %v", what, tag.RowsAffected(), err)
				}
				if err := r.judge(t.Context(), tx.Conn()); err == nil || !strings.Contains(err.Error(), what) {
					t.Errorf("%s: the audit says %v", what, err)
				}
				return undone
			})
		})
		if !errors.Is(err, undone) {
			t.Error(err)
		}
	}
	if err := r.audit(t.Context()); err != nil {
		t.Errorf("unharmed again: %v", err)
	}
}
