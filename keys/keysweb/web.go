// Package keysweb serves the trust material under /pki: what relying parties pin, whether certificates of ours were revoked, and
// time stamps, which only those get whom the configuration names.
package keysweb

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/web"
)

// Status answers whether certificates were revoked.
type Status interface {
	// Answer gives the OCSPResponse to an OCSPRequest, both DER, and until when it may be given again; zero: never.
	// With an error, which is for us, comes an answer all the same.
	Answer(request []byte, now time.Time) (der []byte, until time.Time, err error)
	// CRL gives an authority's list, DER, and until when it holds; nil if there is no authority of that name.
	CRL(authority string, now time.Time) (der []byte, until time.Time, err error)
	// Certificate gives an authority's certificate, DER; nil if there is none of that name.
	Certificate(authority string) []byte
}

// Stamper answers a TimeStampReq with a TimeStampResp (RFC 3161), both DER. With an error, which is for us, comes an answer all the same.
type Stamper interface {
	Reply(request []byte, now time.Time) (der []byte, err error)
}

// Web serves /pki but what is pinned. All fields but Trust, Stamper and StampFor are required.
type Web struct {
	Shell    *web.Shell
	Trust    []byte // the signed list of who was valid when; nil: there is none
	Status   Status
	Stamper  Stamper
	StampFor []netip.Prefix // who gets time stamps; nobody if empty: whoever stole the signer's key must not get them from us
	Now      func() time.Time
}

// Bytes of a request.
const maxRequest = 4 << 10

// Routes registers the addresses.
func (w *Web) Routes(r chi.Router) {
	r.Get("/pki/trust.json", w.Shell.Do(w.trust))
	r.Get("/pki/crl/{file}", w.Shell.Do(w.crl))
	r.Get("/pki/certificates/{file}", w.Shell.Do(w.certificate))
	r.Get("/pki/ocsp/*", w.Shell.Do(w.ocspGet))
	r.Post("/pki/ocsp", w.Shell.Do(w.Shell.Upload(w.ocspPost, maxRequest)))
	r.Post("/pki/tsa", w.Shell.Do(w.Shell.Upload(w.stamp, maxRequest)))
}

var errMissing = tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")

// Pinned registers the addresses of what relying parties keep, which needs no key: the roots, and the certificates of those
// who sign excerpts, in PEM. Without the latter there is no address for them.
func Pinned(s *web.Shell, roots *keys.Roots, signers []byte) web.Routes {
	file := func(r chi.Router, path string, pem []byte) {
		r.Get(path, s.Do(func(rw http.ResponseWriter, _ *http.Request) error {
			answer(rw, "application/x-pem-file", pem)
			return nil
		}))
	}
	return func(r chi.Router) {
		file(r, "/pki/roots.pem", roots.PEM())
		if signers != nil {
			file(r, "/pki/signers.pem", signers)
		}
	}
}

func (w *Web) trust(rw http.ResponseWriter, _ *http.Request) error {
	if w.Trust == nil {
		return errMissing
	}
	answer(rw, "application/jose+json", w.Trust)
	return nil
}

func (w *Web) crl(rw http.ResponseWriter, r *http.Request) error {
	name, ok := strings.CutSuffix(chi.URLParam(r, "file"), ".crl")
	if !ok {
		return errMissing
	}
	der, until, err := w.Status.CRL(name, w.Now())
	if err != nil {
		return err
	}
	if der == nil {
		return errMissing
	}
	w.keep(rw, min(time.Hour, until.Sub(w.Now())))
	answer(rw, "application/pkix-crl", der)
	return nil
}

func (w *Web) certificate(rw http.ResponseWriter, r *http.Request) error {
	name, ok := strings.CutSuffix(chi.URLParam(r, "file"), ".cer")
	der := w.Status.Certificate(name)
	if !ok || der == nil {
		return errMissing
	}
	answer(rw, "application/pkix-cert", der)
	return nil
}

// ocspGet reads the request from the address: base64 in URL encoding (RFC 6960, A.1). Answers to it may be kept on the way (RFC 5019, 6).
func (w *Web) ocspGet(rw http.ResponseWriter, r *http.Request) error {
	escaped := strings.TrimPrefix(r.URL.EscapedPath(), "/pki/ocsp/")
	if len(escaped) > 2*maxRequest {
		return tesdiq.NewProblem(tesdiq.TooLarge, "web.too-large").With("KB", maxRequest>>10)
	}
	text, err := url.PathUnescape(escaped)
	if err != nil {
		return w.ocsp(rw, nil)
	}
	request, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		request = nil // which is malformed, and answered as such
	}
	return w.ocsp(rw, request)
}

func (w *Web) ocspPost(rw http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Content-Type") != "application/ocsp-request" {
		return tesdiq.NewProblem(tesdiq.Unsupported, "web.form")
	}
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return w.ocsp(rw, request)
}

func (w *Web) ocsp(rw http.ResponseWriter, request []byte) error {
	now := w.Now()
	der, until, err := w.Status.Answer(request, now)
	if err != nil {
		w.Shell.Log.Error("OCSP answer", "err", err)
	}
	if until.After(now) {
		w.keep(rw, until.Sub(now))
	}
	answer(rw, "application/ocsp-response", der)
	return nil
}

// stamp gives a time stamp to whom the configuration names; to anybody else there is nothing here.
func (w *Web) stamp(rw http.ResponseWriter, r *http.Request) error {
	if w.Stamper == nil || !w.mayStamp(r) {
		return errMissing
	}
	if r.Header.Get("Content-Type") != "application/timestamp-query" {
		return tesdiq.NewProblem(tesdiq.Unsupported, "web.form")
	}
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	der, err := w.Stamper.Reply(request, w.Now())
	if err != nil {
		w.Shell.Log.Error("time stamp", "err", err)
	}
	answer(rw, "application/timestamp-reply", der)
	return nil
}

// mayStamp goes by the address that the connection comes from: a header could say anything. A proxy therefore does not pass these
// requests on, or is named itself and then answers for who comes through it.
func (w *Web) mayStamp(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	for _, p := range w.StampFor {
		if p.Contains(at.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

func (w *Web) keep(rw http.ResponseWriter, age time.Duration) {
	if age > 0 {
		rw.Header().Set("Cache-Control", "public, no-transform, max-age="+strconv.Itoa(int(age.Seconds())))
	}
}

func answer(rw http.ResponseWriter, kind string, body []byte) {
	rw.Header().Set("Content-Type", kind)
	rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
	// Whoever asked may be gone; nothing hangs on it.
	_, _ = rw.Write(body)
}

// Prepare refuses what is incomplete.
func (w *Web) Prepare() error {
	if w.Shell == nil || w.Status == nil || w.Now == nil {
		return errors.New("keysweb: Shell, Status and Now are required")
	}
	return nil
}
