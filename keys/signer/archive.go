package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/tsp"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// B-LTA (EN 319 142-1, 5.4 and 5.5) is two further updates. The first adds to the catalog a document security store: every certificate of
// the signer's and of the time stamps' chains that does not stand in the signature or a time stamp, an OCSP answer about each that is no root,
// and the authorities' CRLs, as streams that are not packed. There is no /VRI: EU DSS, pyHanko and ours find what they need by the certificates, and a key by the signature's
// SHA-1 helps nobody. The second adds an invisible field with a document time stamp over all that stands before it.
//
// A renewal adds the same two updates again: what proves the last time stamp, and a new one over everything.

// dss is the store of a document, by object numbers.
type dss struct {
	number             int // of its dictionary; 0: none yet
	certs, ocsps, crls []int
	have               map[[sha256.Size]byte]bool // of the streams' bytes; nil: none
}

// read finds the store of a document that is read again.
func (s *dss) read(d *document, objects map[int]int) error {
	value := d.catalog.get("/DSS")
	if value == nil {
		return nil
	}
	number, store, err := d.dictAt(value, objects)
	if err != nil {
		return fmt.Errorf("DSS: %w", err)
	}
	s.number, s.have = number, map[[sha256.Size]byte]bool{}
	for _, l := range []struct {
		key  string
		list *[]int
	}{{"/Certs", &s.certs}, {"/OCSPs", &s.ocsps}, {"/CRLs", &s.crls}} {
		array := store.get(l.key)
		if array == nil {
			continue
		}
		if *l.list, err = references(array); err != nil {
			return fmt.Errorf("DSS: %w", err)
		}
		for _, n := range *l.list {
			src, err := d.at(n, objects)
			if err != nil {
				return fmt.Errorf("DSS: %w", err)
			}
			data, err := readStream(src)
			if err != nil {
				return fmt.Errorf("DSS: object %d: %w", n, err)
			}
			s.have[sha256.Sum256(data)] = true
		}
	}
	return nil
}

// readStream reads a stream that store wrote.
func readStream(src []byte) ([]byte, error) {
	head, n, err := readDict(src)
	if err != nil {
		return nil, err
	}
	length, err := number(head.get("/Length"))
	rest, ok := bytes.CutPrefix(src[n:], []byte("stream\n"))
	if err != nil || !ok || length > len(rest) || !bytes.HasPrefix(rest[length:], []byte("\nendstream")) {
		return nil, errors.New("not a stream that we wrote")
	}
	return rest[:length], nil
}

// Renew brings a file that this signer or a former one made to a new document time stamp, before the certificates of the last one end;
// until is when those of the new one do. One that was never archived is archived.
func (p *PDFSigner) Renew(ctx context.Context, pdf []byte, at time.Time) (_ []byte, until time.Time, err error) {
	p = onDuty(p, p.later, at)
	if p.Witness == nil {
		return nil, until, errors.New("signer: renew: nobody vouches for anything")
	}
	d, err := readDocument(pdf)
	if err != nil {
		return nil, until, fmt.Errorf("signer: not a file that we signed: %w", err)
	}
	last, err := d.lastSignature()
	if err != nil {
		return nil, until, fmt.Errorf("signer: not a file that we signed: %w", err)
	}
	// Whoever stamps now may not be who did then: a first time stamp, of what is there, tells how long his are.
	sum := sha256.Sum256(pdf)
	sample, err := p.Stamper.Stamp(ctx, sum[:], at)
	if err != nil {
		return nil, until, fmt.Errorf("signer: renew: %w", err)
	}
	if last.Token != nil { // signed, and not archived: its time stamp is inside
		leaf, bag, err := last.Signer()
		if err != nil {
			return nil, until, err
		}
		stamp, err := tsp.Read(last.Token)
		if err != nil {
			return nil, until, err
		}
		chain, err := p.Roots.Chain(keys.DocumentSigning, leaf, bag, stamp.At)
		if err != nil {
			return nil, until, fmt.Errorf("signer: renew: %w", err)
		}
		return p.archive(ctx, d, at, stamp, len(sample), chain)
	}
	return p.archive(ctx, d, at, last, len(sample))
}

// StampedUntil says when the certificates of a file's last time stamp end.
func (p *PDFSigner) StampedUntil(pdf []byte) (time.Time, error) {
	d, err := readDocument(pdf)
	if err != nil {
		return time.Time{}, fmt.Errorf("signer: not a file that we signed: %w", err)
	}
	last, err := d.lastSignature()
	if err == nil && last.Token != nil {
		last, err = tsp.Read(last.Token)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("signer: not a file that we signed: %w", err)
	}
	chain, err := p.stamps.chain(p.Roots, last)
	if err != nil {
		return time.Time{}, fmt.Errorf("signer: time stamp: %w", err)
	}
	return earliestEnd(chain), nil
}

func earliestEnd(chain []*x509.Certificate) time.Time {
	end := chain[0].NotAfter
	for _, c := range chain {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}

// lastSignature reads what stands in the last signature field.
func (d *document) lastSignature() (*tsp.Signed, error) {
	form, _, err := readDict(d.catalog.get("/AcroForm"))
	if err != nil {
		return nil, fmt.Errorf("form: %w", err)
	}
	fields, err := references(form.get("/Fields"))
	if err != nil || len(fields) == 0 {
		return nil, errors.New("no signature field")
	}
	_, field, err := d.dictAt(fmt.Appendf(nil, "%d 0 R", fields[len(fields)-1]), d.objects)
	if err != nil {
		return nil, fmt.Errorf("signature field: %w", err)
	}
	_, value, err := d.dictAt(field.get("/V"), d.objects)
	if err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	digits := bytes.TrimSuffix(bytes.TrimPrefix(value.get("/Contents"), []byte("<")), []byte(">"))
	der := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(der, digits); err != nil {
		return nil, errors.New("/Contents is not hexadecimal")
	}
	in, one := cryptobyte.String(der), cryptobyte.String(nil)
	if !in.ReadASN1Element(&one, casn1.SEQUENCE) {
		return nil, errors.New("no DER in /Contents")
	}
	return tsp.Read(one)
}

// archive brings a signed document to B-LTA. last is the newest time stamp that it has, size that of one that is made now, in bytes; chains
// are further chains to vouch for.
func (p *PDFSigner) archive(ctx context.Context, d *document, at time.Time, last *tsp.Signed, size int, chains ...[]*x509.Certificate) (_ []byte, until time.Time, err error) {
	stamp, err := p.stamps.chain(p.Roots, last)
	if err != nil {
		return nil, until, fmt.Errorf("signer: time stamp: %w", err)
	}
	if last.At.After(at) { // an authority elsewhere has its own clock: what vouches for its time stamp is not older than that
		at = last.At
	}
	chains = append(chains, stamp)
	var all []Evidence
	for _, c := range chains {
		e, err := p.Witness.Evidence(ctx, c, at)
		if err != nil {
			return nil, until, err
		}
		all = append(all, e)
	}
	d = d.store(at, all, append(d.inside, last.Bag()...))
	room := (size + 16 + 31) &^ 31 // one token of an authority differs from another by a few bytes
	d, gap := d.stampRoom(at, room)
	h := sha256.New()
	h.Write(d.pdf[:gap.from])
	h.Write(d.pdf[gap.to:])
	token, err := p.Stamper.Stamp(ctx, h.Sum(nil), at)
	if err != nil {
		return nil, until, fmt.Errorf("signer: document time stamp: %w", err)
	}
	if len(token) > room {
		return nil, until, fmt.Errorf("signer: the document time stamp has %d bytes, there is room for %d", len(token), room)
	}
	hex.Encode(d.pdf[gap.from+1:], token)
	added, err := tsp.Read(token)
	if err != nil {
		return nil, until, fmt.Errorf("signer: document time stamp: %w", err)
	}
	if stamp, err = p.stamps.chain(p.Roots, added); err != nil {
		return nil, until, fmt.Errorf("signer: document time stamp: %w", err)
	}
	return d.pdf, earliestEnd(stamp), nil
}

// store appends the update with the document security store, or with what it lacks. Certificates that stand in a signature or time stamp
// need not stand there again (EN 319 142-1, 5.4.2.2): inside.
func (d *document) store(at time.Time, all []Evidence, inside [][]byte) *document {
	next := *d
	s := &next.dss
	s.certs, s.ocsps, s.crls = slices.Clone(s.certs), slices.Clone(s.ocsps), slices.Clone(s.crls)
	have := map[[sha256.Size]byte]bool{}
	for k := range s.have {
		have[k] = true
	}
	s.have = have
	known := map[[sha256.Size]byte]bool{}
	for _, der := range inside {
		known[sha256.Sum256(der)] = true
	}
	u := next.begin(16 << 10)
	grown := s.number == 0
	if grown {
		s.number = next.size
		next.size++
		next.catalog = next.catalog.with(entry{"/DSS", fmt.Appendf(nil, "%d 0 R", s.number)})
		if next.catalog.get("/Extensions") == nil { // EN 319 142-1, 5.6: a 1.7 file that uses what came after it
			next.catalog = next.catalog.with(entry{"/Extensions", []byte("<</ESIC<</BaseVersion/1.7/ExtensionLevel 2>>>>")})
		}
		u.dict(next.root, next.catalog)
	}
	add := func(list *[]int, der []byte) {
		sum := sha256.Sum256(der)
		if have[sum] || known[sum] {
			return
		}
		have[sum], grown = true, true
		number := next.size
		next.size++
		*list = append(*list, number)
		u.object(number, func(out *bytes.Buffer) {
			fmt.Fprintf(out, "<</Length %d>>stream\n", len(der))
			out.Write(der)
			out.WriteString("\nendstream")
		})
	}
	for _, e := range all {
		for _, c := range e.Certificates {
			add(&s.certs, c.Raw)
		}
		for _, der := range e.OCSPs {
			add(&s.ocsps, der)
		}
		for _, der := range e.CRLs {
			add(&s.crls, der)
		}
	}
	if !grown { // an update that does nothing is nothing to vouch for; strict readers refuse it
		return d
	}
	store := dict{{"/Type", []byte("/DSS")}}
	for _, l := range []struct {
		key  string
		list []int
	}{{"/Certs", s.certs}, {"/OCSPs", s.ocsps}, {"/CRLs", s.crls}} {
		if len(l.list) > 0 {
			store = append(store, entry{l.key, refs(l.list)})
		}
	}
	u.dict(s.number, store)
	after, _ := u.end(fmt.Appendf(nil, "store %s %d %d", d.id, d.xrefAt, at.Unix()))
	return after
}

// stampRoom appends the update with a document time stamp that is still zeros, and says where it goes.
func (d *document) stampRoom(at time.Time, room int) (*document, span) {
	next := *d
	stamp := next.size
	widget := stamp + 1
	next.size += 2
	u := next.begin(2*room + 2048)
	form, _, _ := readDict(next.catalog.get("/AcroForm")) // we wrote it
	fields, _ := references(form.get("/Fields"))
	fields = append(fields, widget)
	next.catalog = next.catalog.with(entry{"/AcroForm", fmt.Appendf(nil, "<</Fields%s/SigFlags 3>>", refs(fields))})
	u.dict(next.root, next.catalog)
	annots, _ := references(next.pageDict.get("/Annots"))
	next.pageDict = next.pageDict.with(entry{"/Annots", refs(append(annots, widget))})
	u.dict(next.page, next.pageDict)
	u.object(stamp, func(out *bytes.Buffer) {
		out.WriteString("<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161\n")
		u.contents(room)
	})
	u.field(widget, fmt.Sprintf("Tesdiq stamp %d", len(fields)-1), stamp, next.page)
	return u.end(fmt.Appendf(nil, "stamp %s %d %d", d.id, d.xrefAt, at.Unix()))
}

// stampChains remembers the chains of the time-stamp signers that were seen: one of ours, and perhaps one elsewhere.
type stampChains struct {
	mu    sync.Mutex
	found map[string][]*x509.Certificate
}

// chain finds the chain of whoever signed a token. It was valid when the token says.
func (s *stampChains) chain(roots *keys.Roots, t *tsp.Signed) ([]*x509.Certificate, error) {
	id := string(t.Certificates) + string(t.SID)
	s.mu.Lock()
	chain := s.found[id]
	s.mu.Unlock()
	if chain != nil && !t.At.Before(chain[0].NotBefore) && !t.At.After(earliestEnd(chain)) {
		return chain, nil
	}
	leaf, bag, err := t.Signer()
	if err != nil {
		return nil, err
	}
	if chain, err = roots.Chain(keys.TimeStamping, leaf, bag, t.At); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil || len(s.found) >= 16 {
		s.found = map[string][]*x509.Certificate{}
	}
	s.found[id] = chain
	return chain, nil
}
