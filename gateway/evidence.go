package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tesdiq/tesdiq/keys/tsp"
)

// Evidence is an exchange with the time stamp that covers it: what anybody checks with the trust file alone.
type Evidence struct {
	Exchange Exchange
	Stamp    Stamp
}

// Stamp is one time stamp over many exchanges: a Merkle tree over the log's records (RFC 9162, 2.1), whose root the authority stamped. X-Road's message
// log stamps in batches as well; one time stamp for each exchange would ask the authority a dozen times for a case.
type Stamp struct {
	Index int      `json:"index"` // of this exchange in the batch, from 0
	Path  [][]byte `json:"path"`  // hashes from the leaf up, SHA-256
	Size  int      `json:"size"`  // of the batch
	Token []byte   `json:"token"` // TimeStampToken over the root, DER
}

// MaxBatch is how many exchanges one time stamp may cover.
const MaxBatch = 1 << 16

// Leaf is an exchange's hash in the tree: what is stamped of it.
func (x Exchange) Leaf() [sha256.Size]byte { return leafOf(x.Bytes()) }

func leafOf(record []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(record)
	return [sha256.Size]byte(h.Sum(nil))
}

func nodeOf(left, right [sha256.Size]byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte{1})
	h.Write(left[:])
	h.Write(right[:])
	return [sha256.Size]byte(h.Sum(nil))
}

// Tree gives the root over leaves and the path of each, RFC 9162, 2.1.1 and 2.1.3.1. There must be one leaf at least.
func Tree(leaves [][sha256.Size]byte) (root [sha256.Size]byte, paths [][][]byte) {
	if len(leaves) == 1 {
		return leaves[0], [][][]byte{{}}
	}
	split := 1
	for split*2 < len(leaves) {
		split *= 2
	}
	left, a := Tree(leaves[:split])
	right, b := Tree(leaves[split:])
	for i := range a {
		a[i] = append(a[i], bytes.Clone(right[:]))
	}
	for i := range b {
		b[i] = append(b[i], bytes.Clone(left[:]))
	}
	return nodeOf(left, right), append(a, b...)
}

// root climbs from a leaf to the root, RFC 9162, 2.1.3.2.
func (s Stamp) root(leaf [sha256.Size]byte) (root [sha256.Size]byte, ok bool) {
	if s.Index < 0 || s.Index >= s.Size || s.Size > MaxBatch {
		return root, false
	}
	fn, sn, root := s.Index, s.Size-1, leaf
	for _, p := range s.Path {
		if sn == 0 || len(p) != sha256.Size {
			return root, false
		}
		if fn&1 == 1 || fn == sn {
			root = nodeOf([sha256.Size]byte(p), root)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			root = nodeOf(root, [sha256.Size]byte(p))
		}
		fn, sn = fn>>1, sn>>1
	}
	return root, sn == 0
}

// TimeStamper gets a time stamp over a SHA-256 digest, DER, checked: a tsp.Client.
type TimeStamper interface {
	Stamp(ctx context.Context, digest []byte) ([]byte, error)
}

// StampAll gets one time stamp over exchanges, by their leaves, from an authority.
func StampAll(ctx context.Context, authority TimeStamper, leaves [][sha256.Size]byte) ([]Stamp, error) {
	if len(leaves) == 0 || len(leaves) > MaxBatch {
		return nil, fmt.Errorf("gateway: time stamp: a batch of %d", len(leaves))
	}
	root, paths := Tree(leaves)
	token, err := authority.Stamp(ctx, root[:])
	if err != nil {
		return nil, fmt.Errorf("gateway: time stamp: %w", err)
	}
	all := make([]Stamp, len(leaves))
	for i, p := range paths {
		all[i] = Stamp{Index: i, Path: p, Size: len(leaves), Token: token}
	}
	return all, nil
}

// Authority asks a time-stamp authority over HTTP (RFC 3161, 3.4), at the one address that the configuration names.
func Authority(url string, carry http.RoundTripper) tsp.Ask {
	return func(ctx context.Context, request []byte) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(request))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/timestamp-query")
		resp, err := carry.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if kind := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || kind != "application/timestamp-reply" {
			return nil, fmt.Errorf("gateway: time stamp: status %d, %q", resp.StatusCode, kind)
		}
		return io.ReadAll(io.LimitReader(resp.Body, tsp.MaxReply+1))
	}
}

// evidenceFormat names the form of Evidence's file.
const evidenceFormat = "tesdiq-evidence-1"

type evidenceFile struct {
	Exchange json.RawMessage `json:"exchange"`
	Format   string          `json:"format"`
	Stamp    *Stamp          `json:"stamp"`
}

// Bytes writes the file.
func (e Evidence) Bytes() []byte {
	b, err := json.Marshal(evidenceFile{e.Exchange.Bytes(), evidenceFormat, &e.Stamp})
	if err != nil {
		panic("gateway: evidence: " + err.Error()) // it has nothing that JSON does not
	}
	return b
}

var errEvidence = errors.New("gateway: no evidence as ours is written")

// ParseEvidence reads what Bytes wrote, and nothing that is written in another way.
func ParseEvidence(data []byte) (Evidence, error) {
	var f evidenceFile
	if len(data) > maxExchange {
		return Evidence{}, fmt.Errorf("%w: more than %d bytes", errEvidence, maxExchange)
	}
	if err := json.Unmarshal(data, &f); err != nil || f.Format != evidenceFormat || f.Stamp == nil {
		return Evidence{}, errEvidence
	}
	x, err := ParseExchange(f.Exchange)
	if err != nil {
		return Evidence{}, err
	}
	e := Evidence{x, *f.Stamp}
	if !bytes.Equal(e.Bytes(), data) {
		return Evidence{}, errEvidence
	}
	return e, nil
}

// Verified is what evidence proves.
type Verified struct {
	Question Question
	Answer   Answer
	Client   MemberID  // who asked
	Service  ServiceID // who answered
	Stamped  time.Time // when both messages were there already, by the authority's clock
}

// Verify judges evidence with what the instance pins and nothing else: no network, no clock. The error has a Reason (ReasonOf).
func (t *Trust) Verify(e Evidence) (Verified, error) {
	v, bad := t.verify(e)
	if bad != nil {
		return Verified{}, bad
	}
	return v, nil
}

func (t *Trust) verify(e Evidence) (v Verified, bad *failure) {
	root, ok := e.Stamp.root(e.Exchange.Leaf())
	switch {
	case !ok:
		return v, fail(BadStamp, "the path leads nowhere")
	case t.stamps == nil:
		return v, fail(BadStamp, "the trust file names no authority")
	}
	var err error
	if v.Stamped, err = tsp.Verify(e.Stamp.Token, root[:], t.stamps); err != nil {
		return v, fail(BadStamp, err.Error())
	}
	if e.Exchange.Received.After(v.Stamped.Add(skew)) || e.Exchange.Received.Before(e.Exchange.Sent) {
		return v, fail(BadStamp, "the exchange's own times do not fit")
	}
	q, want, bad := t.question(e.Exchange, v.Stamped)
	if bad != nil {
		return v, fail(bad.reason, "the question: "+bad.detail)
	}
	v.Question, v.Client, v.Service = q, want.Client, want.Service
	v.Answer, bad = t.read(q, want, e.Exchange, v.Stamped)
	return v, bad
}

// ReasonOf is the reason of an error of Verify, and what the operator should know; empty of any other error.
func ReasonOf(err error) (Reason, string) {
	var f *failure
	if errors.As(err, &f) {
		return f.reason, f.detail
	}
	return "", ""
}
