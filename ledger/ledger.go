// Package ledger is the tamper-evident log: every change commits to what it wrote by one line.
// It knows no person and no document, only commitments, and cannot change or remove a line.
package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// Kind says what a line commits to.
type Kind string

// The kinds of lines.
const (
	Entry       Kind = "entry"
	Intent      Kind = "intent"
	Excerpt     Kind = "excerpt"
	Check       Kind = "check"
	Withdrawal  Kind = "withdrawal"
	Revocation  Kind = "revocation"
	Look        Kind = "look"
	Renewal     Kind = "renewal"
	Certificate Kind = "certificate" // one of ours was revoked
	Reissue     Kind = "reissue"     // an excerpt's file was made anew
	Step        Kind = "step"        // of a case
	Round       Kind = "round"       // of draws: the commitment to its seed
	Drawing     Kind = "drawing"
	Finding     Kind = "finding"  // of a member of a commission
	Decision    Kind = "decision" // of a case
	Lookup      Kind = "lookup"   // of somebody's last result, without sign-in
	List        Kind = "list"     // a change of who may be drawn, or of whose seals open what
)

// KeySize is the length of a line's key in bytes.
const KeySize = 32

// Line commits to one object without showing it: whoever holds the key and the content can prove what was written.
type Line struct {
	Kind   Kind
	Object string // the object's own number or id
	Key    []byte // KeySize random bytes; destroying it makes the line mute
	MAC    []byte // HMAC-SHA256 under Key; see Commit
}

// NewLine draws a key from random and commits to content, the object's canonical bytes.
func NewLine(random io.Reader, kind Kind, object string, content []byte) (Line, error) {
	key := make([]byte, KeySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return Line{}, fmt.Errorf("ledger: key: %w", err)
	}
	return Line{kind, object, key, Commit(key, kind, object, content)}, nil
}

// Commit is the HMAC-SHA256 under key of kind, object and content, each preceded by its length in eight bytes,
// so that no two different triples give the same input.
func Commit(key []byte, kind Kind, object string, content []byte) []byte {
	m := hmac.New(sha256.New, key)
	var n [8]byte
	for _, part := range [][]byte{[]byte(kind), []byte(object), content} {
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		m.Write(n[:])
		m.Write(part)
	}
	return m.Sum(nil)
}

// Opens says whether content is what the line committed to.
func (l Line) Opens(content []byte) bool {
	return len(l.Key) == KeySize && hmac.Equal(l.MAC, Commit(l.Key, l.Kind, l.Object, content))
}
