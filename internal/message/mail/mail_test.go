package mail

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

func open(t *testing.T, p *Postbox) (address string, taken func() []Letter) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var letters []Letter
	p.Now = time.Now
	p.Taken = func(x Letter) { mu.Lock(); letters = append(letters, x); mu.Unlock() }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Serve(ctx, l); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return l.Addr().String(), func() []Letter { mu.Lock(); defer mu.Unlock(); return letters }
}

var letter = Mail{To: "nermin@example.az", Subject: "Təsdiq: yeni məlumat", Text: "Şəxsi kabinetinizdə yeni məlumat var.\n\n.\n" + strings.Repeat("ə", 300) + "\n", ID: "42-x", At: time.Unix(1795000000, 0)}

func TestMailArrivesAsWritten(t *testing.T) {
	roots, certificate := authority(t)
	address, taken := open(t, &Postbox{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}})
	s := &Server{Address: address, From: "no-reply@tesdiq.example", User: "u", Password: "p", TLS: &tls.Config{RootCAs: roots}, Now: time.Now}
	if err := s.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := taken()[0]
	if got.Subject != letter.Subject || got.Text != letter.Text || got.To != "nermin@example.az" || got.From != "no-reply@tesdiq.example" || got.ID != "<42-x@tesdiq.example>" {
		t.Errorf("%+v", got)
	}
}

func TestWithoutTLSNothingIsSaid(t *testing.T) {
	address, taken := open(t, &Postbox{})
	s := &Server{Address: address, From: "no-reply@tesdiq.example", Now: time.Now}
	if err := s.Send(t.Context(), letter); err == nil {
		t.Error("sent in the clear")
	}
	_, certificate := authority(t)
	address, other := open(t, &Postbox{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}})
	s.Address = address
	if err := s.Send(t.Context(), letter); !errors.Is(err, ErrNotSent) {
		t.Errorf("to a server that nobody vouches for: %v", err)
	}
	if len(taken())+len(other()) > 0 {
		t.Error("a letter arrived")
	}
}

func TestWhatTheServerSaysIsTold(t *testing.T) {
	for what, c := range map[string]struct {
		answer func(Letter) (int, error)
		want   error
		code   int
	}{
		"full":        {func(Letter) (int, error) { return 452, nil }, nil, 452},
		"refused":     {func(Letter) (int, error) { return 550, nil }, nil, 550},
		"cut":         {func(Letter) (int, error) { return 0, io.ErrClosedPipe }, ErrUnsure, 0},
		"nobody home": {nil, ErrNotSent, 0},
	} {
		address, _ := open(t, &Postbox{Answer: c.answer})
		if c.answer == nil {
			address = "127.0.0.1:1"
		}
		err := (&Server{Address: address, From: "no-reply@tesdiq.example", Plain: true, Now: time.Now}).Send(t.Context(), letter)
		var refused *RefusedError
		if c.want != nil && !errors.Is(err, c.want) || c.code > 0 && (!errors.As(err, &refused) || refused.Code != c.code || refused.Temporary() != (c.code < 500)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// authority is a certificate for this machine and who vouches for it.
func authority(t *testing.T) (*x509.CertPool, tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
