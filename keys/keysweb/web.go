// Package keysweb serves the trust material under /pki: what relying parties pin, and whether certificates of ours were revoked. All of
// it was made beforehand by the issuing process (docs/adr/0013): here are no keys, and there are no strangers.
package keysweb

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/web"
)

// Shelf has what the issuing process said. It is asked often and must answer from memory.
type Shelf interface {
	// Find gives what is said under a path below /pki: nil if nothing is. until is when it ceases to hold; zero: it holds until there is
	// another. What was overtaken has an until that is over.
	Find(path string) (body []byte, produced, until time.Time, err error)
}

// Web serves /pki but what is pinned. All fields are required.
type Web struct {
	Shell *web.Shell
	Shelf Shelf
	Now   func() time.Time
}

// Routes registers the addresses.
func (w *Web) Routes(r chi.Router) {
	r.Get("/pki/trust.json", w.Shell.Do(w.published(keys.PublishedTrust, "", "application/jose+json")))
	r.Get("/pki/crl/{file}", w.Shell.Do(w.published(keys.PublishedLists, ".crl", "application/pkix-crl")))
	r.Get("/pki/certificates/{file}", w.Shell.Do(w.published(keys.PublishedCertificates, ".cer", "application/pkix-cert")))
	r.Get("/pki/ocsp/*", w.Shell.Do(w.ocspGet))
	r.Post("/pki/ocsp", w.Shell.Do(w.Shell.Upload(w.ocspPost, maxQuestion)))
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

// published serves what is under a path, or in a folder whose files end in one way.
func (w *Web) published(path, ending, kind string) func(http.ResponseWriter, *http.Request) error {
	return func(rw http.ResponseWriter, r *http.Request) error {
		file := chi.URLParam(r, "file")
		if !strings.HasSuffix(file, ending) {
			return errMissing
		}
		body, produced, until, err := w.Shelf.Find(path + file)
		if err != nil {
			return err
		}
		if body == nil {
			return errMissing
		}
		if !until.IsZero() {
			w.keep(rw, produced, until)
		}
		answer(rw, kind, body)
		return nil
	}
}

// ocspGet reads the question from the address: base64 in URL encoding (RFC 6960, A.1).
func (w *Web) ocspGet(rw http.ResponseWriter, r *http.Request) error {
	escaped := strings.TrimPrefix(r.URL.EscapedPath(), "/pki/ocsp/")
	if len(escaped) > 4*maxQuestion { // three characters for each that must be escaped
		return tesdiq.NewProblem(tesdiq.TooLarge, "web.too-large").With("KB", maxQuestion>>10)
	}
	text, err := url.PathUnescape(escaped)
	if err != nil {
		return w.ocsp(rw, nil) // which is malformed, and answered as such
	}
	question, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		question = nil
	}
	return w.ocsp(rw, question)
}

func (w *Web) ocspPost(rw http.ResponseWriter, r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/ocsp-request" {
		return tesdiq.NewProblem(tesdiq.Unsupported, "web.form")
	}
	question, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return w.ocsp(rw, question)
}

func (w *Web) ocsp(rw http.ResponseWriter, question []byte) error {
	const kind = "application/ocsp-response"
	certID, fault := readQuestion(question)
	if fault != 0 {
		answer(rw, kind, failure(fault))
		return nil
	}
	body, produced, until, err := w.Shelf.Find(keys.AnswerPath(certID))
	switch {
	case err != nil:
		w.Shell.Log.Error("OCSP answer", "err", err)
		answer(rw, kind, failure(tryLater))
	case body == nil:
		answer(rw, kind, failure(unauthorized))
	case !until.After(w.Now()):
		answer(rw, kind, failure(tryLater)) // the issuing process is about to say it anew, or is down for a day
	default:
		w.keep(rw, produced, until)
		answer(rw, kind, body)
	}
	return nil
}

// keep says for how long others may keep an answer (RFC 5019, 6.2): until it is made anew, though it holds for longer.
func (w *Web) keep(rw http.ResponseWriter, produced, until time.Time) {
	again := produced.Add(keys.AnswerRepeat)
	if again.After(until) {
		again = until
	}
	age := again.Sub(w.Now())
	if age < time.Second {
		return
	}
	h := rw.Header()
	h.Set("Cache-Control", "public, no-transform, must-revalidate, max-age="+strconv.Itoa(int(age.Seconds())))
	h.Set("Last-Modified", produced.UTC().Format(http.TimeFormat))
	h.Set("Expires", again.UTC().Format(http.TimeFormat))
}

func answer(rw http.ResponseWriter, kind string, body []byte) {
	rw.Header().Set("Content-Type", kind)
	rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
	// Whoever asked may be gone; nothing hangs on it.
	_, _ = rw.Write(body)
}

// Prepare refuses what is incomplete.
func (w *Web) Prepare() error {
	if w.Shell == nil || w.Shelf == nil || w.Now == nil {
		return errors.New("keysweb: Shell, Shelf and Now are required")
	}
	return nil
}
