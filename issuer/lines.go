package issuer

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tesdiq/tesdiq"
)

// What the ledger's lines commit to: JSON with the members in a fixed order, written from the tables' columns alone, so
// that anybody who has the rows and the line's key can open the line.

// IntentContent is what the line of kind intent commits to; its object is the number.
func IntentContent(i Intent) []byte {
	return content(struct {
		Request    string      `json:"request"`
		Code       string      `json:"code"`
		Number     Number      `json:"number"`
		Kind       string      `json:"kind"`
		Template   int         `json:"template"`
		Lang       tesdiq.Lang `json:"lang"`
		Subject    string      `json:"subject"`
		Entry      int64       `json:"entry"`
		Person     int64       `json:"person"`
		Recipient  string      `json:"recipient"`
		Purpose    string      `json:"purpose"`
		WithSalary bool        `json:"with_salary"`
		ValidUntil string      `json:"valid_until"`
		AskedAt    string      `json:"asked_at"`
	}{
		i.Request, string(i.Code), i.Number, i.Kind, i.Template, i.Lang, string(i.Subject), int64(i.EntryID), int64(i.PersonID),
		i.Recipient, i.Purpose, i.WithSalary, i.ValidUntil.ISO(), clock(i.AskedAt),
	})
}

// ExcerptContent is what the line of kind excerpt commits to; its object is the number. The statement is taken in
// CanonicalJSON, so it does not matter that PostgreSQL keeps its members in another order.
func ExcerptContent(x Excerpt) ([]byte, error) {
	statement, err := CanonicalJSON(x.Statement)
	if err != nil {
		return nil, err
	}
	return content(struct {
		Number     Number          `json:"number"`
		Code       string          `json:"code"`
		Kind       string          `json:"kind"`
		Lang       tesdiq.Lang     `json:"lang"`
		Subject    string          `json:"subject"`
		Entry      int64           `json:"entry"`
		Statement  json.RawMessage `json:"statement"`
		ValidUntil string          `json:"valid_until"`
		IssuedAt   string          `json:"issued_at"`
		SHA256     string          `json:"sha256"`
	}{
		x.Number, string(x.Code), x.Kind, x.Lang, string(x.Subject), int64(x.EntryID),
		statement, x.ValidUntil.ISO(), clock(x.IssuedAt), hex.EncodeToString(x.SHA256[:]),
	}), nil
}

// WithdrawalContent is what the line of kind withdrawal commits to; its object is the number.
func WithdrawalContent(n Number, at time.Time) []byte {
	return content(struct {
		Number      Number `json:"number"`
		WithdrawnAt string `json:"withdrawn_at"`
	}{n, clock(at)})
}

// RevocationContent is what the line of kind revocation commits to; its object is the number.
func RevocationContent(n Number, reason, by string, at time.Time) []byte {
	return content(struct {
		Number    Number `json:"number"`
		Reason    string `json:"reason"`
		By        string `json:"by"`
		RevokedAt string `json:"revoked_at"`
	}{n, reason, by, clock(at)})
}

// CertificateContent is what the line of kind certificate commits to; its object is the certificate's serial number.
func CertificateContent(r SignerRevocation) []byte {
	return content(struct {
		Serial      string `json:"serial"`
		Role        string `json:"role"`
		Reason      string `json:"reason"`
		Why         string `json:"why"`
		By          string `json:"by"`
		InvalidFrom string `json:"invalid_from"`
		RevokedAt   string `json:"revoked_at"`
	}{r.Serial, r.Role, r.Reason, r.Why, r.By, clock(r.InvalidFrom), clock(r.RevokedAt)})
}

// ReissueContent is what the line of kind reissue commits to; its object is the SHA-256 of the new file, in hexadecimal.
func ReissueContent(n Number, sum []byte, at time.Time) []byte {
	return content(struct {
		Number     Number `json:"number"`
		SHA256     string `json:"sha256"`
		ReissuedAt string `json:"reissued_at"`
	}{n, hex.EncodeToString(sum), clock(at)})
}

// CanonicalJSON writes JSON with every object's members in the order of their names and without white space.
func CanonicalJSON(b []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("issuer: canonical json: %w", err)
	}
	return content(v), nil
}

func clock(t time.Time) string { return Moment(t).Format("2006-01-02T15:04:05.000000Z") }

func content(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("issuer: content that cannot be written: " + err.Error()) // our own structs, and what came out of JSON
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
