package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/tesdiq/tesdiq"
)

// Brief is what the QR code says behind the address: what somebody who is not signed in would see of the excerpt, and
// the digest of the whole statement. The code itself is in the address, which is signed with it.
type Brief struct {
	Kind       string    // of the document
	Number     string    // E-2026-0048213
	Initials   string    // of the person: Q. N. Ə.
	FINTail    string    // the last three characters of the FIN
	AsOf       time.Time // when the register was read, UTC, whole seconds
	ValidUntil tesdiq.Date
	Digest     [sha256.Size]byte // SHA-256 of Statement.JSON, whose salt is not in the QR
}

// wire is a Brief in CBOR (RFC 8949): a map from small numbers, so that the QR stays small.
type wire struct {
	Kind       string `cbor:"1,keyasint"`
	Number     string `cbor:"2,keyasint"`
	Initials   string `cbor:"3,keyasint"`
	FINTail    string `cbor:"4,keyasint"`
	AsOf       int64  `cbor:"5,keyasint"` // seconds since 1970
	ValidUntil int    `cbor:"6,keyasint"` // days since 1970-01-01
	Digest     []byte `cbor:"7,keyasint"`
}

var epoch = tesdiq.NewDate(1970, time.January, 1)

var (
	encoding = must(cbor.CoreDetEncOptions().EncMode())
	decoding = must(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, MaxNestedLevels: 4, MaxArrayElements: 16, MaxMapPairs: 16}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic("statement: " + err.Error()) // options of this package, wrong at the first run or never
	}
	return v
}

// CBOR writes a brief statement.
func (b Brief) CBOR() ([]byte, error) {
	out, err := encoding.Marshal(wire{b.Kind, b.Number, b.Initials, b.FINTail, b.AsOf.Unix(), epoch.DaysUntil(b.ValidUntil), b.Digest[:]})
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	return out, nil
}

// ParseBrief reads what CBOR wrote, and nothing that is written in another way.
func ParseBrief(data []byte) (Brief, error) {
	var w wire
	if err := decoding.Unmarshal(data, &w); err != nil {
		return Brief{}, fmt.Errorf("%w: %v", errForm, err)
	}
	if again, err := encoding.Marshal(w); err != nil || !bytes.Equal(again, data) || len(w.Digest) != sha256.Size || w.ValidUntil < 0 || w.ValidUntil > 1_000_000 {
		return Brief{}, errForm
	}
	return Brief{w.Kind, w.Number, w.Initials, w.FINTail, time.Unix(w.AsOf, 0).UTC(), epoch.AddDays(w.ValidUntil), [sha256.Size]byte(w.Digest)}, nil
}

// base32 has only letters that a QR code holds densely and that need no escape in an address (RFC 4648, without padding).
var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// Address is where an excerpt is checked, without what stands behind it: https://tesdiq.example/v/7K2M9QXA4TRCW8HNR.
func Address(origin string, code tesdiq.Code) string { return origin + "/v/" + string(code) }

// QR is what the QR code holds: the address, and in its fragment, which no browser sends, the signed brief statement.
func QR(address string, cose []byte) string { return address + "#" + base32Text.EncodeToString(cose) }

// maxQR is the longest text of a QR code of any version.
const maxQR = 4296

// ErrNoStatement says that there is an address without a statement, as in the QR codes of other documents.
var ErrNoStatement = errors.New("statement: the address has no statement behind it")

// splitQR takes the text of a QR code apart.
func splitQR(text string) (address string, code tesdiq.Code, cose []byte, err error) {
	address, fragment, ok := strings.Cut(strings.TrimSpace(text), "#")
	if !ok || fragment == "" || len(text) > maxQR {
		return "", "", nil, ErrNoStatement
	}
	i := strings.LastIndex(address, "/v/")
	if i < 0 {
		return "", "", nil, ErrNoStatement
	}
	typed := address[i+len("/v/"):]
	if code, err = tesdiq.ParseCode(typed); err != nil || string(code) != typed {
		return "", "", nil, fmt.Errorf("%w: code", errForm)
	}
	if cose, err = base32Text.DecodeString(fragment); err != nil || base32Text.EncodeToString(cose) != fragment {
		return "", "", nil, fmt.Errorf("%w: base32", errForm)
	}
	return address, code, cose, nil
}
