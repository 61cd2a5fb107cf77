// Command pdfsigner signs the corpus's bases with github.com/digitorus/pdfsign, as its README shows.
// usage: pdfsigner BASES PKI OUT TSA-URL; prints one line of JSON a file.
package main

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/digitorus/pdfsign/revocation"
	"github.com/digitorus/pdfsign/sign"
)

func main() {
	bases, pki, out, tsa := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	one := func(file, base, kind string, digest crypto.Hash, kindOf sign.CertType, p sign.DocMDPPerm, stamped, visible bool) {
		row := map[string]any{"file": file + ".pdf", "producer": "digitorus/pdfsign v0.9.0", "expected": "intact", "base": base, "key": kind, "digest": digest.String()}
		if kindOf == sign.CertificationSignature {
			row["docmdp"] = int(p)
		}
		if err := signOne(filepath.Join(bases, base+".pdf"), filepath.Join(out, file+".pdf"), pki, kind, digest, kindOf, p, map[bool]string{true: tsa}[stamped], visible); err != nil {
			row = map[string]any{"file": file + ".pdf", "error": err.Error()}
		}
		line, _ := json.Marshal(row)
		fmt.Println(string(line))
	}
	approval := sign.CertType(sign.ApprovalSignature)
	for _, kind := range []string{"rsa2048", "rsa3072", "p256", "p384", "p521"} {
		one("pdfsign-"+kind, "reportlab", kind, crypto.SHA256, approval, 0, false, false)
	}
	for _, base := range []string{"hand14", "hand-crlf", "fpdf2", "chromium", "form", "qpdf-tables", "qpdf-streams", "qpdf-linear", "qpdf-linear-streams", "mutool-clean", "pdfcpu", "archive", "attached", "updated-streams"} {
		one("pdfsign-base-"+base, base, "p256", crypto.SHA512, approval, 0, false, false)
	}
	for p := sign.DoNotAllowAnyChangesPerms; p <= sign.AllowFillingExistingFormFieldsAndSignaturesAndCRUDAnnotationsPerms; p++ {
		one(fmt.Sprintf("pdfsign-certified-p%d", p), "reportlab", "p256", crypto.SHA256, sign.CertificationSignature, p, true, false)
	}
	one("pdfsign-stamped", "reportlab", "rsa2048", crypto.SHA256, approval, 0, true, false)
	one("pdfsign-visible", "reportlab", "rsa2048", crypto.SHA256, approval, 0, false, true)
}

func signOne(in, out, pki, kind string, digest crypto.Hash, certType sign.CertType, p sign.DocMDPPerm, tsa string, visible bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("pdfsign panics: %v", r)
		}
	}()
	key, err := privateKey(filepath.Join(pki, kind+".key"))
	if err != nil {
		return err
	}
	chain, err := certificates(filepath.Join(pki, kind+".pem"), filepath.Join(pki, kind+".chain.pem"))
	if err != nil {
		return err
	}
	return sign.SignFile(in, out, sign.SignData{
		Signature: sign.SignDataSignature{CertType: certType, DocMDPPerm: p,
			Info: sign.SignDataSignatureInfo{Name: "Corpus", Location: "Baku", Reason: "Corpus", Date: time.Now()}},
		Signer: key, DigestAlgorithm: digest, Certificate: chain[0], CertificateChains: [][]*x509.Certificate{chain},
		TSA: sign.TSA{URL: tsa}, RevocationData: revocation.InfoArchival{},
		RevocationFunction: func(_, _ *x509.Certificate, _ *revocation.InfoArchival) error { return nil },
		Appearance:         sign.Appearance{Visible: visible, Page: 1, LowerLeftX: 300, LowerLeftY: 60, UpperRightX: 500, UpperRightY: 120},
	})
}

func privateKey(path string) (crypto.Signer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}

func certificates(paths ...string) (all []*x509.Certificate, err error) {
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}
