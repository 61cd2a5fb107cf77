package signer_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/keys/signer"
)

// A key whose signatures no QR code could hold, and a moment outside the certificate's time, are refused before the key is called.
func TestStatementsAreRefusedBeforeTheKeyIsCalled(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	set, err := signer.NewThrowaway(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.CanState(); err != nil {
		t.Error(err)
	}
	p := set.PDFSigner(rand.Reader)
	for _, at := range []time.Time{now.AddDate(-1, 0, 0), now.AddDate(10, 0, 0)} {
		if _, _, _, err := p.SignStatements(context.Background(), []byte("{}"), []byte{0xa0}, "https://tesdiq.example/v/x", at); err == nil {
			t.Errorf("signed at %s", at)
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if p.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	p.Key, set.Signer = key, p.Certificate
	if _, _, _, err := p.SignStatements(context.Background(), []byte("{}"), []byte{0xa0}, "https://tesdiq.example/v/x", now); err == nil || !strings.Contains(err.Error(), "P-256") {
		t.Errorf("an RSA key: %v", err)
	}
	if err := set.CanState(); err == nil {
		t.Error("a set with an RSA key can state")
	}
}
