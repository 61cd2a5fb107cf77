package issuing

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"golang.org/x/crypto/ocsp"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/tsp"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// stampsElsewhere is a time-stamp authority of others at an address, and ours that asks it.
type stampsElsewhere struct {
	t      *testing.T
	set    *signer.Set // ours
	roots  *keys.Roots // ours and, for time stamps, theirs
	remote *signer.Remote
	reply  func(w http.ResponseWriter, request []byte) // what the authority does
	asked  atomic.Int64
}

func answerAs(w http.ResponseWriter, der []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.Write(der)
}

// openStamps has an authority whose root is pinned; it may also be asked by OCSP.
func openStamps(t *testing.T, root *x509.Certificate, policy string, ocsp http.Handler) *stampsElsewhere {
	t.Helper()
	e := &stampsElsewhere{t: t}
	var err error
	if e.set, err = signer.NewThrowaway(rand.Reader, time.Now()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/timestamp-query" {
			t.Errorf("asked by %s, %s, %v", r.Method, r.Header, err)
		}
		e.reply(w, body)
	}))
	t.Cleanup(server.Close)
	var c service.Config
	c.TimeStamps.Authority, c.TimeStamps.Policy, c.TimeStamps.Roots = server.URL, policy, filepath.Join(t.TempDir(), "roots.pem")
	if ocsp != nil {
		answers := httptest.NewServer(ocsp)
		t.Cleanup(answers.Close)
		c.TimeStamps.OCSP = answers.URL
	}
	if err := os.WriteFile(c.TimeStamps.Roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	stamps, err := NewStamps(service.Host{Now: time.Now, Rand: rand.Reader}, c, e.set)
	if err != nil {
		t.Fatal(err)
	}
	e.remote = stamps.Other
	e.roots = e.remote.Roots
	return e
}

// sign signs a page, stamped elsewhere.
func (e *stampsElsewhere) sign() ([]byte, error) {
	e.t.Helper()
	p, err := e.set.Archivist(rand.Reader, e.set.Status(rand.Reader, signer.NothingRevoked{}))
	if err != nil {
		e.t.Fatal(err)
	}
	if err := p.StampedBy(e.remote); err != nil {
		e.t.Fatal(err)
	}
	return p.Sign(e.t.Context(), pdftest.Page(), time.Now(), signer.SignInfo{})
}

func TestTimeStampsFromElsewhere(t *testing.T) {
	theirs, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var questions atomic.Int64
	e := openStamps(t, theirs.Root, "2.999.2", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		questions.Add(1)
		body, _ := io.ReadAll(r.Body)
		q, err := ocsp.ParseRequest(body)
		if err != nil {
			t.Error(err)
			return
		}
		der, err := ocsp.CreateResponse(theirs.Root, theirs.RootResponder, ocsp.Response{Status: ocsp.Good, SerialNumber: q.SerialNumber,
			ThisUpdate: time.Now().Add(-time.Second), NextUpdate: time.Now().Add(time.Hour), Certificate: theirs.RootResponder}, theirs.ResponderKey)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/ocsp-response")
		w.Write(der)
	}))
	authority := theirs.Authority(rand.Reader)
	e.reply = func(w http.ResponseWriter, request []byte) {
		der, err := authority.Reply(request, time.Now())
		answerAs(w, der, err)
	}
	file, err := e.sign()
	if err != nil {
		t.Fatal(err)
	}
	if r := pades.Read(file, e.roots); r.Indication != pades.Passed || r.Level != "B-LTA" {
		t.Errorf("%+v", r)
	}
	if n := e.asked.Load(); n != 2 {
		t.Errorf("asked for %d time stamps", n)
	}
	// The authority's root dates documents and signs none; without it there is no proof of time.
	own, err := e.set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	if r := pades.Read(file, own); r.Integrity != pades.Intact || r.Indication == pades.Passed {
		t.Errorf("without the authority's root: %+v", r)
	}
	forged, err := theirs.PDFSigner(rand.Reader).Sign(t.Context(), pdftest.Page(), time.Now(), signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if r := pades.Read(forged, e.roots); r.Indication == pades.Passed {
		t.Errorf("the time-stamp authority signed a document: %+v", r)
	}
	// What relying parties fetch keeps the limit.
	again, err := keys.ParseRoots(e.roots.PEM())
	if err != nil {
		t.Fatal(err)
	}
	if r := pades.Read(file, again); r.Indication != pades.Passed {
		t.Errorf("with the roots that are served: %+v", r)
	}
	if r := pades.Read(forged, again); r.Indication == pades.Passed {
		t.Errorf("with the roots that are served, forged: %+v", r)
	}
	for range 3 {
		if _, err := e.sign(); err != nil {
			t.Fatal(err)
		}
	}
	if n := questions.Load(); n != 1 {
		t.Errorf("its revocation was asked for %d times", n)
	}
}

// An authority as others run it: RSA, another library, SHA-512 in the token, its chain inside.
func TestTimeStampsFromAnotherMaker(t *testing.T) {
	rootKey, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Now().Add(-time.Hour)
	root := certificate(t, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Their root"}, NotBefore: from, NotAfter: from.AddDate(9, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, rootKey, rootKey)
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	tsa := certificate(t, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Their stamps"}, NotBefore: from, NotAfter: from.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}}, root, key, rootKey)
	e := openStamps(t, root, "", nil)
	e.reply = func(w http.ResponseWriter, request []byte) {
		q, err := timestamp.ParseRequest(request)
		if err != nil {
			t.Error(err)
			return
		}
		ts := timestamp.Timestamp{HashAlgorithm: q.HashAlgorithm, HashedMessage: q.HashedMessage, Time: time.Now(), Nonce: q.Nonce,
			Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true, Qualified: true}
		der, err := ts.CreateResponseWithOpts(tsa, key, crypto.SHA512)
		answerAs(w, der, err)
	}
	file, err := e.sign()
	if err != nil {
		t.Fatal(err)
	}
	if r := pades.Read(file, e.roots); r.Indication != pades.Passed {
		t.Errorf("%+v", r)
	}
	if len(file) > 60<<10 {
		t.Errorf("%d bytes", len(file))
	}
}

func certificate(t *testing.T, c, parent *x509.Certificate, key, by crypto.Signer) *x509.Certificate {
	t.Helper()
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// Whatever is wrong with a time stamp, nothing is signed.
func TestNoTimeStampNoSignature(t *testing.T) {
	theirs, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	over, err := signer.NewThrowaway(rand.Reader, time.Now().AddDate(-6, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	authority := theirs.Authority(rand.Reader)
	by := func(a *signer.Authority, shift time.Duration, change func([]byte) []byte) func(http.ResponseWriter, []byte) {
		return func(w http.ResponseWriter, request []byte) {
			if change != nil {
				request = change(request)
			}
			der, err := a.Reply(request, time.Now().Add(shift))
			answerAs(w, der, err)
		}
	}
	flip := func(at int) func([]byte) []byte {
		return func(request []byte) []byte {
			request = bytes.Clone(request)
			if at < 0 {
				at += len(request)
			}
			request[at] ^= 1
			return request
		}
	}
	otherKey := *authority
	otherKey.Key = stranger.TSAKey
	for _, c := range []struct {
		name  string
		root  *x509.Certificate
		reply func(http.ResponseWriter, []byte)
		want  error
		says  string
	}{
		{"another nonce", theirs.Root, by(authority, 0, flip(-5)), tsp.ErrNonce, ""},
		{"another imprint", theirs.Root, by(authority, 0, flip(30)), tsp.ErrImprint, ""},
		{"another policy", theirs.Root, byOthers(t, theirs), tsp.ErrPolicy, ""},
		{"a clock ahead", theirs.Root, by(authority, 10*time.Second, nil), tsp.ErrSkew, ""},
		{"a clock behind", theirs.Root, by(authority, -10*time.Second, nil), tsp.ErrSkew, ""},
		{"a stranger's", theirs.Root, by(stranger.Authority(rand.Reader), 0, nil), tsp.ErrChain, ""},
		{"another key", theirs.Root, by(&otherKey, 0, nil), tsp.ErrForged, ""},
		{"a signer whose time is over", over.Root, byOthers(t, over), tsp.ErrChain, "no longer valid"},
		{"an old answer again", theirs.Root, replayed(t, authority), tsp.ErrImprint, ""},
		{"a refusal", theirs.Root, func(w http.ResponseWriter, _ []byte) { answerAs(w, []byte{0x30, 5, 0x30, 3, 2, 1, 2}, nil) }, tsp.ErrRefused, ""},
		{"rubbish", theirs.Root, func(w http.ResponseWriter, _ []byte) { answerAs(w, []byte("<html>"), nil) }, tsp.ErrReply, ""},
		{"nothing", theirs.Root, func(w http.ResponseWriter, _ []byte) { answerAs(w, nil, nil) }, tsp.ErrReply, ""},
		{"a fault", theirs.Root, func(w http.ResponseWriter, _ []byte) { http.Error(w, "no", http.StatusInternalServerError) }, nil, "answers 500"},
		{"a page", theirs.Root, func(w http.ResponseWriter, _ []byte) { w.Write([]byte("<html>welcome")) }, nil, "text/html"},
		{"another place", theirs.Root, func(w http.ResponseWriter, _ []byte) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, nil, "answers 307"},
		{"far too much", theirs.Root, func(w http.ResponseWriter, _ []byte) {
			w.Header().Set("Content-Type", "application/timestamp-reply")
			for range 1000 {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, nil, "more than"},
		{"hardly anything, for ever", theirs.Root, func(w http.ResponseWriter, _ []byte) {
			w.Header().Set("Content-Type", "application/timestamp-reply")
			for range 40 {
				if _, err := w.Write([]byte{0x30}); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		}, nil, "deadline"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := openStamps(t, c.root, map[bool]string{true: "2.999.2"}[errors.Is(c.want, tsp.ErrPolicy)], nil)
			e.reply = c.reply
			began := time.Now()
			file, err := e.sign()
			if err == nil || file != nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(strings.ToLower(err.Error()), c.says) {
				t.Errorf("%d bytes, %v", len(file), err)
			}
			if took := time.Since(began); took > 10*stampPatience {
				t.Errorf("took %s", took)
			}
		})
	}
}

// What is made outside of a service, as what is issued anew, is stamped by the same authority.
func TestTheDispatcherStampsElsewhere(t *testing.T) {
	theirs, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	e := openStamps(t, theirs.Root, "2.999.2", nil)
	authority := theirs.Authority(rand.Reader)
	e.reply = func(w http.ResponseWriter, request []byte) {
		der, err := authority.Reply(request, time.Now())
		answerAs(w, der, err)
	}
	pools := &postgres.Pools{Issuer: pgtest.Open(t).Pool(postgres.Issuer)}
	d, watch, err := Dispatcher(service.Host{Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)}, pools, e.set, Stamps{Other: e.remote}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Maker.Signer.Sign(t.Context(), pdftest.Page(), time.Now()); !errors.Is(err, signer.ErrNoIntent) {
		t.Errorf("signs what is not written down: %v", err)
	}
	ctx := watch.guard.Permit(t.Context(), "excerpt", "E-2026-0000001/1", map[string]int{keys.RoleDocumentSigner: 1})
	file, _, err := d.Maker.Signer.Sign(ctx, pdftest.Page(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if r := pades.Read(file, d.Maker.Roots); r.Indication != pades.Passed || r.StampSerial == keys.Serial(e.set.TSA) || e.asked.Load() != 2 {
		t.Errorf("asked %d times: %+v", e.asked.Load(), r)
	}
}

// byOthers answers with a token of today, made by another library: it asks neither for the certificate's time nor for a policy.
func byOthers(t *testing.T, set *signer.Set) func(http.ResponseWriter, []byte) {
	return func(w http.ResponseWriter, request []byte) {
		q, err := timestamp.ParseRequest(request)
		if err != nil {
			t.Error(err)
			return
		}
		ts := timestamp.Timestamp{HashAlgorithm: q.HashAlgorithm, HashedMessage: q.HashedMessage, Time: time.Now(), Nonce: q.Nonce,
			Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true}
		der, err := ts.CreateResponseWithOpts(set.TSA, set.TSAKey, crypto.SHA256)
		answerAs(w, der, err)
	}
}

// replayed answers every request with the answer to another.
func replayed(t *testing.T, a *signer.Authority) func(http.ResponseWriter, []byte) {
	sum := sha256.Sum256([]byte("another time"))
	request, err := (&timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Certificates: true, Nonce: big.NewInt(5)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	old, err := a.Reply(request, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ []byte) { answerAs(w, old, nil) }
}
