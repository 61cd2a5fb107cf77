// Package tsaweb gives time stamps at /pki/tsa to whom the configuration names.
package tsaweb

import (
	"io"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

// Stamper answers a TimeStampReq with a TimeStampResp (RFC 3161), both DER. With an error, which is for us, comes an answer all the same.
type Stamper interface {
	Reply(request []byte, now time.Time) (der []byte, err error)
}

// Web serves /pki/tsa. All fields are required but For.
type Web struct {
	Shell   *web.Shell
	Stamper Stamper
	For     []netip.Prefix // who gets time stamps; nobody if empty: whoever stole the signer's key must not get them from us
	Now     func() time.Time
}

// Bytes of a request.
const maxRequest = 1 << 10

// Routes registers the address.
func (w *Web) Routes(r chi.Router) {
	stamp := w.Shell.Upload(w.stamp, maxRequest)
	r.Post("/pki/tsa", w.Shell.Do(func(rw http.ResponseWriter, r *http.Request) error {
		// Nothing is read of what a stranger sends.
		if !w.may(r) {
			return tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
		}
		return stamp(rw, r)
	}))
}

// stamp gives a time stamp to whom the configuration names; to anybody else there is nothing here.
func (w *Web) stamp(rw http.ResponseWriter, r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/timestamp-query" {
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
	rw.Header().Set("Content-Type", "application/timestamp-reply")
	rw.Header().Set("Content-Length", strconv.Itoa(len(der)))
	_, _ = rw.Write(der) // whoever asked may be gone; nothing hangs on it
	return nil
}

// passedOn are the headers by which proxies say that they pass on somebody else's request (RFC 7239, RFC 9110, 7.6.3).
var passedOn = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// may goes by the address that the connection comes from: a header could say anything. What a proxy passes on is refused, even if
// the proxy's own address is named: it runs on the machine of ours that may ask, and whoever comes through it is anybody.
func (w *Web) may(r *http.Request) bool {
	for _, h := range passedOn {
		if _, there := r.Header[h]; there {
			return false
		}
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	for _, p := range w.For {
		if p.Contains(at.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}
