package issuerdb_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"log/slog"
	"math/big"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// nextStamps is the set with a time-stamp signer that follows the first one.
func nextStamps(t *testing.T, set *signer.Set, from time.Time) *signer.Set {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(bytes.Repeat([]byte{0x45}, 16)), Subject: pkix.Name{CommonName: "The time-stamp signer that took over, whose name is longer", Organization: []string{"so that its time stamps need more room than the first one's"}, OrganizationalUnit: []string{"in any case"}},
		NotBefore: from, NotAfter: from.AddDate(4, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}, set.Root, key.Public(), set.RootKey)
	if err != nil {
		t.Fatal(err)
	}
	next := *set
	if next.TSA, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	next.TSAKey = crypto.Signer(key)
	return &next
}

func archivistOf(t *testing.T, set *signer.Set, former ...*x509.Certificate) *signer.PDFSigner {
	t.Helper()
	p, err := set.Archivist(rand.Reader, set.Status(rand.Reader, signer.NothingRevoked{}, former...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFilesAreRenewedBeforeTheirTimeStampsEnd moves the clock through the life of a national archive.
func TestFilesAreRenewedBeforeTheirTimeStampsEnd(t *testing.T) {
	w := newWorld(t)
	set, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	fin, exam := w.person("Quliyeva")
	stop := w.run(w.dispatcher())
	w.listen()
	plain := w.ask(fin, request(exam)) // signed before there was an archive
	w.wait(fin, plain)
	stop()
	w.keys.signer = archivistOf(t, set)
	w.run(w.dispatcher())
	var numbers []issuer.Number
	for range 5 {
		n := w.ask(fin, request(exam))
		w.wait(fin, n)
		numbers = append(numbers, n)
	}
	newest := func(n issuer.Number) issuer.File {
		t.Helper()
		f, err := w.cabinet.File(t.Context(), fin, n)
		if err != nil {
			t.Fatal(err)
		}
		if r := pades.Read(f.PDF, roots); r.Integrity != pades.Intact || r.Indication != pades.Passed || sha256.Sum256(f.PDF) != f.SHA256 {
			t.Fatalf("%s: %+v", n, r)
		}
		return f
	}
	clock := now()
	renewals := &issuerdb.Renewals{
		Pool: w.db.Pool(postgres.Issuer), Files: issuer.Renewing{With: w.keys.signer, Roots: roots}, Now: func() time.Time { return clock }, Rand: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Batch: 2,
	}
	run := func(want error, files int) {
		t.Helper()
		if err := renewals.Run(t.Context()); !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
		if got := w.count(`SELECT count(*) FROM excerpt_files`); got != files {
			t.Fatalf("%d files, want %d", got, files)
		}
	}
	// Today only the one without an archive is due; it gets one.
	before := newest(plain)
	run(nil, 7)
	if after := newest(plain); !bytes.HasPrefix(after.PDF, before.PDF) || len(after.PDF) == len(before.PDF) || pades.Read(after.PDF, roots).Level != "B-LTA" {
		t.Error("not archived")
	}
	run(nil, 7)
	clock = set.TSA.NotAfter.Add(-issuerdb.DefaultAhead - time.Hour)
	run(nil, 7)
	// With the same time-stamp signer nothing would be gained: that is an alarm.
	clock = set.TSA.NotAfter.Add(-issuerdb.DefaultAhead + time.Hour)
	run(issuer.ErrNoGain, 7)
	second := nextStamps(t, set, clock)
	renewals.Files.With = archivistOf(t, second, set.TSA)
	old := newest(numbers[0])
	run(nil, 13)
	run(nil, 13)
	for _, n := range append(numbers, plain) {
		f := newest(n)
		if r := pades.Read(f.PDF, roots); r.Level != "B-LTA" || bytes.Count(f.PDF, []byte("/DocTimeStamp")) != 2 {
			t.Errorf("%s: %+v", n, r)
		}
	}
	if f := newest(numbers[0]); !bytes.HasPrefix(f.PDF, old.PDF) {
		t.Error("the new version does not continue the old one")
	}
	// The old version stays beside it, and each version that was added has its line.
	if n := w.count(`SELECT count(*) FROM excerpt_files WHERE sha256 = $1`, old.SHA256[:]); n != 1 {
		t.Errorf("the old version is there %d times", n)
	}
	rows, err := w.db.Admin.Query(t.Context(), `
		SELECT x.number, f.sha256, f.stored_at, l.kind, l.object, l.key, l.mac
		FROM excerpt_files f JOIN excerpts x ON x.id = f.excerpt_id JOIN ledger_lines l ON l.kind = 'renewal' AND l.object = encode(f.sha256, 'hex')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	lines := 0
	for rows.Next() {
		var n issuer.Number
		var sum []byte
		var at time.Time
		var l ledger.Line
		if err := rows.Scan(&n, &sum, &at, &l.Kind, &l.Object, &l.Key, &l.MAC); err != nil {
			t.Fatal(err)
		}
		if l.Object != hex.EncodeToString(sum) || !l.Opens(issuer.RenewalContent(n, sum, at)) {
			t.Errorf("the line of %s does not open", n)
		}
		lines++
	}
	if lines != 7 || w.count(`SELECT count(*) FROM ledger_lines WHERE kind = 'renewal'`) != 7 {
		t.Errorf("%d lines open", lines)
	}
	// One that cannot be renewed holds up nobody.
	clock = second.TSA.NotAfter.Add(-time.Hour * 24)
	w.exec(`UPDATE excerpt_files SET bytes = 'x' WHERE sha256 = (SELECT sha256 FROM excerpt_files WHERE size = (SELECT max(size) FROM excerpt_files) LIMIT 1)`)
	third := nextStamps(t, set, clock)
	status := third.Status(rand.Reader, signer.NothingRevoked{}, set.TSA, second.TSA)
	status.Registers[1].Responder = responder(t, set, clock)
	p, err := third.Archivist(rand.Reader, status)
	if err != nil {
		t.Fatal(err)
	}
	renewals.Files.With = p
	run(nil, 18)
}

// responder is a further OCSP responder of the root, with the first one's key.
func responder(t *testing.T, set *signer.Set, from time.Time) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1 << 40), Subject: pkix.Name{CommonName: "A later responder"}, NotBefore: from, NotAfter: from.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
	}, set.Root, set.ResponderKey.Public(), set.RootKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
