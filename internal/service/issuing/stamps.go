package issuing

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/tsp"
)

// stampPatience is how long an authority elsewhere has for one answer. An excerpt takes two time stamps.
const stampPatience = 2 * time.Second

// asker asks by HTTP POST: a request of one media type, an answer of another. Only what the configuration names is asked: there is no
// following of redirects, no proxy from the environment.
func asker(address, request, reply string, most int64) tsp.Ask {
	client := &http.Client{
		Timeout:       stampPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: stampPatience, MaxResponseHeaderBytes: 16 << 10},
	}
	return func(ctx context.Context, body []byte) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", request)
		answer, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != reply {
			return nil, fmt.Errorf("%s answers %d, %.60q", address, answer.StatusCode, answer.Header.Get("Content-Type"))
		}
		der, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
		if err == nil && int64(len(der)) > most {
			err = fmt.Errorf("%s answers with more than %d bytes", address, most)
		}
		return der, err
	}
}

// Stamps say who dates documents, and for whom we do.
type Stamps struct {
	For   []netip.Prefix // who gets time stamps at /pki/tsa; nobody if empty
	Other *signer.Remote // an authority elsewhere dates what is signed; nil: our own time-stamp signer does
}

// NewStamps reads what the configuration says of time stamps.
func NewStamps(h service.Host, c service.Config, set *signer.Set) (Stamps, error) {
	s := Stamps{For: c.StampFor}
	t := c.TimeStamps
	if t.Authority == "" {
		return s, nil
	}
	own, err := set.Roots()
	if err != nil {
		return s, err
	}
	roots, err := timeStampRoots(own, t.Roots)
	if err != nil {
		return s, fmt.Errorf("time_stamps.roots: %w", err)
	}
	s.Other = &signer.Remote{
		Ask:   asker(t.Authority, "application/timestamp-query", "application/timestamp-reply", tsp.MaxReply),
		Roots: roots, Now: h.Now, Rand: h.Rand,
	}
	if t.Policy != "" {
		if s.Other.Policy, err = x509.ParseOID(t.Policy); err != nil {
			return s, fmt.Errorf("time_stamps.policy: %w", err)
		}
	}
	if t.OCSP != "" {
		s.Other.OCSP = asker(t.OCSP, "application/ocsp-request", "application/ocsp-response", tsp.MaxReply)
	}
	return s, nil
}

// timeStampRoots pins, besides our own roots, those of the authority elsewhere, for time stamps alone.
func timeStampRoots(own *keys.Roots, path string) (*keys.Roots, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for rest := data; len(certs) < 8; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(certs)+1, err)
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, errors.New("no certificate in " + path)
	}
	return own.WithTimeStamps(certs...)
}
