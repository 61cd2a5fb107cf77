package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// orgSealAdd pins the certificate under whose key a medical institution signs referrals.
type orgSealAdd struct {
	orgChange
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
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.stop()
	pool, err := postgres.OpenConfig(ctx, db.as(postgres.Operator))
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := (tserasdb.Operator{Pool: pool, Now: time.Now, Preview: !c.Apply}).AddSeal(ctx, voen, seal); err != nil {
		return err
	}
	fmt.Printf("seal %q of %s, valid until %s\n", seal.Subject.CommonName, voen, seal.NotAfter.Format(time.DateOnly))
	if !c.Apply {
		fmt.Println(dryRun)
		return nil
	}
	fmt.Println("Written.")
	return nil
}
