package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
)

// orgSealAdd pins the certificate under whose key a medical institution signs referrals.
type orgSealAdd struct {
	operating
	VOEN string `arg:"" name:"voen" help:"VÖEN of the medical institution."`
	File string `arg:"" help:"The seal's certificate, PEM, on P-256." name:"file"`
}

// Run reads the certificate and pins it.
func (c orgSealAdd) Run(ctx context.Context) error {
	voen, err := tesdiq.ParseVOEN(c.VOEN)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return fmt.Errorf("%s holds no certificate", c.File)
	}
	seal, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if key, ok := seal.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return fmt.Errorf("%s: the key is not on P-256", c.File)
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if _, err := op.AddSeal(ctx, voen, seal); err != nil {
			return err
		}
		fmt.Printf("seal %q of %s, valid until %s\n", seal.Subject.CommonName, voen, seal.NotAfter.Format(time.DateOnly))
		return nil
	})
}

// orgSealEnd ends a seal.
type orgSealEnd struct {
	operating
	VOEN       string `arg:"" name:"voen" help:"VÖEN of the medical institution."`
	Thumbprint string `arg:"" help:"SHA-256 of the certificate, in hexadecimal, as org seal list prints it."`
}

// Run ends a seal: from then on it opens nothing.
func (c orgSealEnd) Run(ctx context.Context) error {
	voen, err := tesdiq.ParseVOEN(c.VOEN)
	if err != nil {
		return err
	}
	id, err := hex.DecodeString(c.Thumbprint)
	if err != nil || len(id) != sha256.Size {
		return fmt.Errorf("%q is no SHA-256 in hexadecimal", c.Thumbprint)
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if err := op.EndSeal(ctx, voen, [sha256.Size]byte(id)); err != nil {
			return err
		}
		fmt.Printf("end seal %s of %s\n", c.Thumbprint, voen)
		return nil
	})
}

// orgSealList lists seals.
type orgSealList struct {
	where
	VOEN string `arg:"" name:"voen" help:"VÖEN of the medical institution."`
}

// Run lists an institution's seals.
func (c orgSealList) Run(ctx context.Context) error {
	voen, err := tesdiq.ParseVOEN(c.VOEN)
	if err != nil {
		return err
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		all, err := op.Seals(ctx, voen)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, s := range all {
			certificate, err := x509.ParseCertificate(s.Certificate)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%x\t%s\tvalid until %s\t%s\n", s.Thumbprint, certificate.Subject.CommonName, certificate.NotAfter.Format(time.DateOnly), since(s.Added, s.Ended))
		}
		return w.Flush()
	})
}
