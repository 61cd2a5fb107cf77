package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/people"
)

// What a demonstration's medical institution signs with: two files of its folder.
const (
	clinicKey  = "key.pem"
	clinicSeal = "seal.pem"
)

// sealClinic gives the medical institution a seal, once, and pins it.
func sealClinic(ctx context.Context, o tserasdb.Operator, dir string, now time.Time) error {
	certificate, err := openSeal(dir, now)
	if err != nil {
		return err
	}
	for _, x := range people.Organisations {
		if x.Sort != "medical" {
			continue
		}
		if _, err := o.AddSeal(ctx, x.VOEN, certificate); err != nil && !conflict(err) {
			return err
		}
	}
	return nil
}

// openSeal reads the certificate of a folder, or makes a key with one. The certificate is written last: without it there is no seal.
func openSeal(dir string, now time.Time) (*x509.Certificate, error) {
	data, err := os.ReadFile(filepath.Join(dir, clinicSeal))
	if err == nil {
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, fmt.Errorf("%s holds no certificate", filepath.Join(dir, clinicSeal))
		}
		return x509.ParseCertificate(block.Bytes)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, noFolder(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "Nümunə poliklinika"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, clinicKey), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		return nil, err
	}
	if err := writeWhole(filepath.Join(dir, clinicSeal), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
