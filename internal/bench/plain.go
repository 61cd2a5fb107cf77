package bench

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/digitorus/pdf"
	"github.com/digitorus/pdfsign/sign"
	"github.com/digitorus/timestamp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/signintech/gopdf"
	"github.com/skip2/go-qrcode"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/templates"
)

// plain issues as somebody does who takes the libraries as their READMEs show: gopdf draws the same texts with the same
// fonts, go-qrcode makes a picture of the QR, pdfsign signs with the same sort of key and fetches a time stamp over
// HTTP, and the file is inserted into a table.
type plain struct {
	pool   *pgxpool.Pool
	set    *signer.Set
	papers []paper
	now    func() time.Time
	rand   io.Reader
	tsa    *http.Server
	url    string // of the time-stamp authority
	asked  atomic.Int64
}

// Storage as in our table, so that the database does the same.
const sqlPlainTable = `
	CREATE TABLE plain_files (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL, bytes bytea NOT NULL);
	ALTER TABLE plain_files ALTER COLUMN bytes SET STORAGE EXTERNAL;
	GRANT INSERT ON plain_files TO tesdiq_issuer`

const sqlPlainStore = `INSERT INTO plain_files (code, bytes) VALUES ($1, $2)`

func newPlain(ctx context.Context, o Options, db *database, set *signer.Set, papers []paper) (*plain, error) {
	err := db.admin(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, sqlPlainTable)
		return err
	})
	if err != nil {
		return nil, err
	}
	pool, err := db.pool(ctx, postgres.Issuer)
	if err != nil {
		return nil, err
	}
	p := &plain{pool: pool, set: set, papers: papers, now: o.Now, rand: o.Rand}
	p.tsa, p.url, err = serve(http.HandlerFunc(p.stamp))
	return p, err
}

func (p *plain) close() { p.tsa.Close() }

// serve serves on a free port of this machine.
func serve(h http.Handler) (*http.Server, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go s.Serve(listener) // ends with Close
	return s, "http://" + listener.Addr().String(), nil
}

func (p *plain) issue(ctx context.Context, _ int) error {
	paper := p.papers[int(p.asked.Add(1))%len(p.papers)]
	code, err := tesdiq.NewCode(p.rand)
	if err != nil {
		return err
	}
	page, err := drawPlain(paper.statement, code)
	if err != nil {
		return err
	}
	signed, err := p.sign(page)
	if err != nil {
		return err
	}
	_, err = p.pool.Exec(ctx, sqlPlainStore, string(code), signed)
	return err
}

// drawPlain draws the page with the texts of ours, in cells under each other.
func drawPlain(s templates.Statement, code tesdiq.Code) ([]byte, error) {
	var doc gopdf.GoPdf
	doc.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	fonts := templates.FontFiles()
	for i, name := range []string{"text", "bold", "mono"} {
		if err := doc.AddTTFFontData(name, fonts[i]); err != nil {
			return nil, err
		}
	}
	doc.AddPage()
	cell := func(font string, size, x, y float64, text string) error {
		if err := doc.SetFont(font, "", size); err != nil {
			return err
		}
		doc.SetXY(x, y)
		return doc.Cell(nil, text)
	}
	doc.SetInfo(gopdf.PdfInfo{Title: s.Title, Subject: code.String(), CreationDate: s.AsOf})
	y := 40.0
	if err := cell("bold", 18, 57, y, s.Title); err != nil {
		return nil, err
	}
	for _, f := range s.Facts {
		y += 24
		if err := cell("text", 10, 57, y, f.Label); err != nil {
			return nil, err
		}
		if err := cell("bold", 10, 215, y, f.Value); err != nil {
			return nil, err
		}
		doc.Line(57, y+16, 544, y+16)
	}
	for _, text := range templates.FrameTexts(s.Lang) {
		y += 24
		if err := cell("text", 9, 57, y, text); err != nil {
			return nil, err
		}
	}
	if err := cell("mono", 17, 200, 720, code.String()); err != nil {
		return nil, err
	}
	picture, err := qrcode.Encode(origin+"/v/"+string(code), qrcode.Medium, 256)
	if err != nil {
		return nil, err
	}
	image, err := gopdf.ImageHolderByBytes(picture)
	if err != nil {
		return nil, err
	}
	if err := doc.ImageByHolder(image, 74, 655, &gopdf.Rect{W: 102, H: 102}); err != nil {
		return nil, err
	}
	return doc.GetBytesPdfReturnErr()
}

func (p *plain) sign(page []byte) ([]byte, error) {
	file := bytes.NewReader(page)
	reader, err := pdf.NewReader(file, file.Size())
	if err != nil {
		return nil, err
	}
	var signed bytes.Buffer
	err = sign.Sign(file, &signed, reader, file.Size(), sign.SignData{
		Signature: sign.SignDataSignature{
			Info:       sign.SignDataSignatureInfo{Name: "Tesdiq", Reason: "Excerpt", Date: p.now()},
			CertType:   sign.CertificationSignature,
			DocMDPPerm: sign.DoNotAllowAnyChangesPerms,
		},
		Signer:            p.set.SignerKey,
		DigestAlgorithm:   crypto.SHA256,
		Certificate:       p.set.Signer,
		CertificateChains: [][]*x509.Certificate{{p.set.Signer, p.set.CA, p.set.Root}},
		TSA:               sign.TSA{URL: p.url},
	})
	return signed.Bytes(), err
}

// stamp is a time-stamp authority (RFC 3161) as digitorus/timestamp's README shows it.
func (p *plain) stamp(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "read", http.StatusBadRequest)
		return
	}
	request, err := timestamp.ParseRequest(body)
	if err != nil {
		http.Error(w, "parse", http.StatusBadRequest)
		return
	}
	answer, err := (&timestamp.Timestamp{
		HashAlgorithm: request.HashAlgorithm, HashedMessage: request.HashedMessage, Time: p.now(), Nonce: request.Nonce,
		Policy: asn1.ObjectIdentifier{2, 999, 2}, AddTSACertificate: request.Certificates,
	}).CreateResponseWithOpts(p.set.TSA, p.set.TSAKey, crypto.SHA256)
	if err != nil {
		http.Error(w, fmt.Sprint(err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(answer) // an error means that the client has gone
}
