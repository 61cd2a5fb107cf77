package verifierdb_test

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

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
