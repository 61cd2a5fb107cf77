package verifierdb_test

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/verifierdb/verifierdbtest"
)

// What a revoked certificate signed after a moment does not count, by every way; a file that was made anew does.
func TestARevokedSignerTakesItsFilesAlong(t *testing.T) {
	w, _ := open(t)
	x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
	signed := verifierdbtest.Day.Add(-2 * time.Hour) // as the fixture has it
	byFile := func(content []byte) verifier.State {
		t.Helper()
		found, _, err := w.db.ByFiles(t.Context(), []verifier.Sum{sha256.Sum256(content)})
		if err != nil {
			t.Fatal(err)
		}
		return found.State
	}
	byCode := func() verifier.State {
		t.Helper()
		found, err := w.db.ByCode(t.Context(), x.Code)
		if err != nil {
			t.Fatal(err)
		}
		return found.State
	}
	judged := func(s verifier.State, m verifier.Match) verifier.Reason {
		s.Match = m
		return verifier.Judge(s, verifierdbtest.Day).Reason
	}
	revoke := func(serial string, from time.Time) {
		t.Helper()
		w.Exec(`INSERT INTO certificate_revocations (serial, role, reason, why, by, invalid_from, revoked_at)
			VALUES ($1, 'document-signer', 'keyCompromise', 'test', 'test', $2, $3)`, serial, from, verifierdbtest.Day)
	}
	w.Exec(`UPDATE excerpt_files SET signer_serial = 'aa', stamp_serial = 'bb', signed_at = $1`, signed)
	revoke("cc", signed.Add(-time.Hour))
	revoke("aa", signed.Add(time.Second))
	if got := judged(byCode(), verifier.MatchCode); got != verifier.ValidCode {
		t.Errorf("another's certificate, and this one after the signature: %s", got)
	}
	w.Exec(`DELETE FROM certificate_revocations`)
	for _, serial := range []string{"aa", "bb"} {
		revoke(serial, signed)
		if got := judged(byCode(), verifier.MatchCode); got != verifier.RevokedSigner {
			t.Errorf("%s, by code: %s", serial, got)
		}
		if got := judged(byFile(x.File), verifier.MatchFile); got != verifier.RevokedSigner {
			t.Errorf("%s, by file: %s", serial, got)
		}
		w.Exec(`DELETE FROM certificate_revocations`)
	}
	// Who signed is not known of the oldest files: they fall with whoever is revoked.
	w.Exec(`UPDATE excerpt_files SET signer_serial = NULL, stamp_serial = NULL, signed_at = NULL`)
	revoke("dd", signed)
	if got := judged(byCode(), verifier.MatchCode); got != verifier.RevokedSigner {
		t.Errorf("a file without a serial number: %s", got)
	}
	w.Exec(`UPDATE excerpt_files SET signer_serial = 'dd', stamp_serial = 'bb', signed_at = $1`, signed)

	anew := append(bytes.Clone(x.File), "signed again"...)
	sum := sha256.Sum256(anew)
	w.Exec(`INSERT INTO excerpt_files (sha256, excerpt_id, size, bytes, stored_at, signer_serial, stamp_serial, signed_at) VALUES ($1, $2, $3, $4, $5, 'ee', 'bb', $5)`,
		sum[:], x.ID, len(anew), anew, verifierdbtest.Day)
	if got := judged(byCode(), verifier.MatchCode); got != verifier.ValidCode {
		t.Errorf("issued anew, by code: %s", got)
	}
	if got := judged(byFile(anew), verifier.MatchFile); got != verifier.ValidFile {
		t.Errorf("issued anew, by the new file: %s", got)
	}
	if got := judged(byFile(x.File), verifier.MatchFile); got != verifier.RevokedSigner {
		t.Errorf("issued anew, by the old file: %s", got)
	}
}

// A check that is read again is of the file that was shown, whatever became of the excerpt: not "valid" of a file that fell, although
// another was issued anew, and not "changed since" of one that had fallen already.
func TestAReadCheckIsOfTheFileThatWasShown(t *testing.T) {
	w, _ := open(t)
	x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
	signed := verifierdbtest.Day.Add(-2 * time.Hour)
	w.Exec(`UPDATE excerpt_files SET signer_serial = 'dd', stamp_serial = 'bb', signed_at = $1`, signed)
	ask := func(q verifier.Question) verifier.CheckID {
		t.Helper()
		q.By, q.Purpose = anonymous("").By, "other"
		a, err := w.v.Check(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return a.Check.ID
	}
	read := func(id verifier.CheckID) (then, now verifier.Reason) {
		t.Helper()
		a, err := w.v.Read(t.Context(), id, anonymous("").By)
		if err != nil {
			t.Fatal(err)
		}
		if a.Later != nil {
			now = a.Later.Reason
		}
		return a.Check.Reason, now
	}
	old := verifier.Question{Way: tesdiq.ByFile, Sum: sum(x.File)}
	before := ask(old)
	added := append(bytes.Clone(x.File), "validation data of somebody else"...)
	archived := func(at time.Time, reason verifier.Reason) verifier.CheckID {
		t.Helper()
		id := ask(old)
		w.Exec(`UPDATE checks SET sha256 = $2, reason = $3, verdict = split_part($3, '.', 1), at = $4 WHERE id = $1`, string(id), sum(added)[:], string(reason), at)
		return id
	}
	archivedBefore := archived(verifierdbtest.Day.Add(-time.Minute), verifier.ValidArchived)
	w.Exec(`INSERT INTO certificate_revocations (serial, role, reason, why, by, invalid_from, revoked_at)
		VALUES ('dd', 'document-signer', 'keyCompromise', 'test', 'test', $1, $2)`, signed, verifierdbtest.Day)
	anew := append(bytes.Clone(x.File), "signed again"...)
	w.Exec(`INSERT INTO excerpt_files (sha256, excerpt_id, size, bytes, stored_at, signer_serial, stamp_serial, signed_at) VALUES ($1, $2, $3, $4, $5, 'ee', 'bb', $5)`,
		sum(anew)[:], x.ID, len(anew), anew, verifierdbtest.Day)

	for name, c := range map[string]struct {
		id        verifier.CheckID
		then, now verifier.Reason
	}{
		"the old file, before":            {before, verifier.ValidFile, verifier.RevokedSigner},
		"the old file, after":             {ask(old), verifier.RevokedSigner, ""},
		"the new file":                    {ask(verifier.Question{Way: tesdiq.ByFile, Sum: sum(anew)}), verifier.ValidFile, ""},
		"the code":                        {ask(verifier.Question{Way: tesdiq.ByCode, Code: x.Code}), verifier.ValidCode, ""},
		"with validation data, before":    {archivedBefore, verifier.ValidArchived, verifier.RevokedSigner},
		"with validation data, after":     {archived(verifierdbtest.Day, verifier.RevokedSigner), verifier.RevokedSigner, ""},
		"the new one with such data":      {archived(verifierdbtest.Day, verifier.ValidArchived), verifier.ValidArchived, ""},
		"another file under the old code": {archived(verifierdbtest.Day, verifier.AlteredClaimed), verifier.AlteredClaimed, ""},
	} {
		if then, now := read(c.id); then != c.then || now != c.now {
			t.Errorf("%s: %s, now %q", name, then, now)
		}
	}
}
