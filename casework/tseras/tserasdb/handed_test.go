package tserasdb_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/tsp"
)

// encoded is what may be something else in base 64 or hexadecimal.
var encoded = regexp.MustCompile(`[A-Za-z0-9+/_=-]{8,}`)

// unwrapped is a file with all that can be decoded out of it: strings of JSON, base 64 of both alphabets, hexadecimal, parts of JWTs, each in
// the other, six deep.
func unwrapped(b []byte) string {
	var out strings.Builder
	var open func(b []byte, deep int)
	var texts func(v any, deep int)
	texts = func(v any, deep int) {
		switch v := v.(type) {
		case string:
			open([]byte(v), deep+1)
		case []any:
			for _, x := range v {
				texts(x, deep)
			}
		case map[string]any:
			for k, x := range v {
				texts(k, deep)
				texts(x, deep)
			}
		}
	}
	open = func(b []byte, deep int) {
		out.Write(b)
		out.WriteByte('\n')
		if deep > 6 {
			return
		}
		var v any
		if json.Unmarshal(b, &v) == nil {
			texts(v, deep)
			return
		}
		for _, text := range encoded.FindAllString(string(b), -1) {
			for _, decode := range []func(string) ([]byte, error){
				base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString, hex.DecodeString,
			} {
				if inner, err := decode(strings.TrimRight(text, "=")); err == nil && len(inner) > 5 && !bytes.Equal(inner, b) {
					open(inner, deep+1)
				}
			}
		}
	}
	open(b, 0)
	return out.String()
}

// column reads one column of texts.
func (w *world) column(sql string) (all []string) {
	w.Helper()
	rows, err := w.db.Admin.Query(w.Context(), sql)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var s string
		w.must(rows.Scan(&s))
		all = append(all, s)
	}
	w.must(rows.Err())
	return all
}

// A10, A11: in neither form of his package does the person, or whoever he shows it to, find out who the members are that decided, however
// much of it he decodes; nor who anybody else is. What is kept, which the ledger's line is over, still has what each of them signed.
func TestNoDownloadTellsWhoTheMembersAre(t *testing.T) {
	s := newWorld(t).site()
	number, path, all := s.drawnFor()
	members := append(all[tseras.Chair], all[tseras.Member]...)
	for _, m := range members {
		if a := m.post(path+"/findings", typed("joints-rheumatoid", "3")); a.Status != http.StatusSeeOther {
			t.Fatalf("record: %d %s", a.Status, a.Body)
		}
	}
	s.work()
	for _, m := range members {
		m.get(m.provider(m.post(path+"/sign", nil), m.fin).Header.Get("Location"))
	}
	s.work()
	nermin := people.Who("nermin")
	shown := s.expect(nermin.FIN, number, tseras.Decided)
	browser := s.signedIn(nermin.FIN)
	download := func(query string) []byte {
		a := browser.get("/cabinet/cases/" + number + "/package" + query)
		if a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return []byte(a.Body)
	}
	nameless, enclosed := download("?answers=no"), download("")

	// Whom it may not name: who decided and all who could have; everybody else in the books, the kin, the doctors, and who referred.
	var others []string
	for c := range commissions {
		for m := range 4 {
			others = append(others, string(memberFIN(c+1, m+1)))
		}
	}
	if ids := s.column(`SELECT id FROM commission_members`); len(ids) < commissions*4 {
		t.Fatalf("%d members", len(ids))
	} else {
		others = append(others, ids...)
	}
	others = append(others, "Həkim", "Nümunəvi", "2AB3C4D")
	for _, o := range shown.Evidence {
		for _, x := range o.Facts.Relatives {
			others = append(others, string(x.FIN))
		}
		for _, x := range o.Facts.Treating {
			others = append(others, string(x.Doctor))
		}
	}
	for _, fin := range s.column(`SELECT fin FROM persons`) {
		if fin != string(nermin.FIN) {
			others = append(others, fin)
		}
	}
	himself := []string{string(nermin.FIN), nermin.Name.Surname, nermin.Name.Given, string(nermin.Card)}
	for form, c := range map[string]struct {
		file    []byte
		without []string
	}{"enclosed": {enclosed, others}, "nameless": {nameless, append(others, himself...)}} {
		says := unwrapped(c.file)
		for _, word := range c.without {
			if strings.Contains(says, word) {
				t.Errorf("%s: it says %q", form, word)
			}
		}
		p, err := criteria.ReadPackage(c.file)
		s.must(err)
		if !bytes.Equal(p.Committed().Bytes(), nameless) {
			t.Errorf("%s: it comes to other committed bytes", form)
		}
		if _, _, err := p.Again(); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		if err := tseras.CheckSigned(p); err != nil || len(p.Signatures) != 3 || p.Signed.Of != 3 {
			t.Errorf("%s: what was signed, and by how many, cannot be told: %v, %+v", form, err, p.Signed)
		}
		if names := []string{p.Signatures[0].Name, p.Signatures[1].Name, p.Signatures[2].Name}; !slices.Equal(names, []string{"chair", "member", "member"}) {
			t.Errorf("%s: %v", form, names)
		}
	}
	if !strings.Contains(unwrapped(enclosed), string(nermin.FIN)) {
		t.Error("nothing is found in what is enclosed: the scan is blind")
	}

	// What is kept has the tokens, and is what all forms come from.
	kept := unwrapped(shown.Package)
	for _, m := range members {
		if !strings.Contains(kept, string(m.fin)) {
			t.Errorf("what %s signed is not kept, or the scan is blind", m.fin)
		}
	}
	p, err := criteria.ReadPackage(shown.Package)
	s.must(err)
	if !bytes.Equal(p.Bytes(), shown.Package) || !bytes.Equal(p.Committed().Bytes(), nameless) {
		t.Error("what is kept does not come to the bytes that are handed out")
	}
	var digest []byte
	s.must(s.db.Admin.QueryRow(t.Context(), `SELECT digest FROM tseras_proposals`).Scan(&digest))
	if p.Signed.Over != hex.EncodeToString(digest) {
		t.Errorf("signed over %s, the proposal's is %x", p.Signed.Over, digest)
	}
	for _, e := range p.Signatures { // an auditor finds in each token the nonce that is over this package
		if parts := strings.Split(string(e.Bytes), "."); len(parts) != 3 || !strings.Contains(unwrapped(e.Bytes), tseras.SignatureNonce(digest, "")) || tseras.Digest256(e.Bytes) != e.SHA256 {
			t.Errorf("%s: %s is no token over the package", e.Name, e.Bytes)
		}
	}
	p.Signed.Of = 4
	if err := tseras.CheckSigned(p); err != nil {
		t.Errorf("who refused stands in the digest: %v", err)
	}
	p.Input = bytes.Replace(p.Input, []byte(`"grade":3`), []byte(`"grade":4`), 1)
	if err := tseras.CheckSigned(p); err == nil {
		t.Error("signed over something else, and not noticed")
	}
}

// Packages of before have a member's number and the token, and no digest: they are handed out without both.
func TestAPackageOfBeforeIsHandedOutWithoutItsTokens(t *testing.T) {
	w := newWorld(t)
	s := w.decided(3)
	p, err := criteria.ReadPackage(s.Package)
	w.must(err)
	token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"fin":"`+string(memberFIN(1, 1))+`"}`)) + ".c2ln"
	p.Signed, p.Signatures = nil, []criteria.Enclosure{{Name: "K01-1", Type: tseras.SignatureType, Bytes: []byte(token)}}
	s.Package = p.Bytes()
	if !strings.Contains(string(s.Package), `"signatures":[{"name":"K01-1","type":"application/jwt","bytes":"`) {
		t.Fatalf("it is not as it was written before: %s", s.Package)
	}
	nameless, err := s.Nameless()
	w.must(err)
	enclosed, err := s.Enclosed(t.Context(), w.log)
	w.must(err)
	for _, file := range [][]byte{nameless, enclosed} {
		if says := unwrapped(file); strings.Contains(says, "K01-1") || strings.Contains(says, string(memberFIN(1, 1))) || !strings.Contains(says, tseras.Digest256([]byte(token))) {
			t.Errorf("%s", file)
		}
		p, err := criteria.ReadPackage(file)
		w.must(err)
		if !bytes.Equal(p.Committed().Bytes(), nameless) {
			t.Error("both forms come to different bytes")
		}
	}
	s.Package = bytes.Replace(s.Package, []byte(`"signatures":[`), []byte(`"signatures": [`), 1)
	if _, err := s.Nameless(); err == nil {
		t.Error("what is not canonical is handed out")
	}
	if _, err := s.Enclosed(t.Context(), w.log); err == nil {
		t.Error("what is not canonical is handed out with its answers")
	}
}

// notary time-stamps what was exchanged, and verifies it by the instance's trust file and nothing else.
type notary struct {
	w         *world
	authority tsp.Client
	trust     *gateway.Trust
}

func (w *world) notary() notary {
	w.Helper()
	set, err := signer.NewThrowawayAt(rand.Reader, time.Now().Add(-time.Hour), "http://localhost")
	w.must(err)
	roots, err := set.Roots()
	w.must(err)
	authority := set.Authority(rand.Reader)
	file := w.agencies.Keys.Trust.TrustFile
	file.TimeStamps = string(roots.PEM())
	text, err := file.JSON()
	w.must(err)
	trust, err := gateway.ParseTrust(text)
	w.must(err)
	return notary{w, tsp.Client{Roots: roots, Now: time.Now, Rand: rand.Reader,
		Ask: func(_ context.Context, r []byte) ([]byte, error) { return authority.Reply(r, time.Now()) }}, trust}
}

// verified is a case's package as the person has it, and what its answers prove.
func (n notary) verified(s tseras.Shown) (criteria.Package, criteria.Input, map[string]gateway.Verified) {
	w := n.w
	w.Helper()
	file, err := s.Enclosed(w.Context(), w.log)
	w.must(err)
	p, err := criteria.ReadPackage(file)
	w.must(err)
	in, _, err := p.Again()
	w.must(err)
	w.must(tseras.CheckSigned(p))
	var leaves [][sha256.Size]byte
	var exchanges []gateway.Exchange
	for _, a := range p.Answers {
		x, err := gateway.ParseExchange(a.Bytes)
		w.must(err)
		exchanges, leaves = append(exchanges, x), append(leaves, x.Leaf())
	}
	stamps, err := gateway.StampAll(w.Context(), n.authority, leaves)
	w.must(err)
	verified := map[string]gateway.Verified{}
	for i, x := range exchanges {
		v, err := n.trust.Verify(gateway.Evidence{Exchange: x, Stamp: stamps[i]})
		w.must(err)
		verified[p.Answers[i].Name] = v
	}
	return p, in, verified
}

// Whatever the road, a decision rests on the answers of the same registers, each there once: what `tesdiq decide -trust` demands of every package.
func TestEveryRoadsDecisionRestsOnEveryRegister(t *testing.T) {
	w := newWorld(t)
	n := w.notary()
	rests := criteria.Current().RestsOn(tesdiq.DateOf(w.now()))
	check := func(road string, s tseras.Shown, about string, signed int) {
		t.Helper()
		p, in, verified := n.verified(s)
		if err := tseras.CheckAnswers(p, in, verified); err != nil {
			t.Errorf("%s: %v", road, err)
		}
		if len(verified) != len(rests) || p.About != about || p.Case != s.Number || len(p.Signatures) != signed || (p.Signed != nil) != (signed > 0) {
			t.Errorf("%s: %d answers, about %q, %d signatures of %+v", road, len(verified), p.About, len(p.Signatures), p.Signed)
		}
		var names []string
		for _, a := range in.Evidence {
			names = append(names, a.Register)
		}
		if !slices.Equal(names, rests) {
			t.Errorf("%s: %v, rests on %v", road, names, rests)
		}
	}

	fin, by := subject("sevinc")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	check("alone", w.expect(fin, c.Number, tseras.Decided), "", 0)

	first := w.decided(3)
	check("a commission", first, "", 3)
	a := w.appealed(first)
	w.meets(a)
	w.decide(first.Subject, a.Number, 2)
	appeal := w.expect(first.Subject, a.Number, tseras.Decided)
	check("an appeal", appeal, first.Number, 3)
	w.later = 0

	// An appeal is about the case that it names, and about no other.
	p, in, verified := n.verified(appeal)
	for _, other := range []string{"", "T-2020-000001"} {
		p.About = other
		if err := tseras.CheckAnswers(p, in, verified); err == nil || !strings.Contains(err.Error(), "it answered for case") {
			t.Errorf("about %q: %v", other, err)
		}
	}
}

// A further member's and a child's decision rest on no less.
func TestAFurtherMembersAndAChildsDecisionRestOnEveryRegister(t *testing.T) {
	w := newWorld(t)
	n := w.notary()
	var fin tesdiq.FIN
	var born time.Time
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT fin, born FROM persons WHERE born > now() - interval '14 years' AND born < now() - interval '3 years' ORDER BY fin LIMIT 1`).Scan(&fin, &born))
	today := tesdiq.DateOf(w.now())
	ref := tseras.Referral{Number: "88/child", On: today, Subject: fin, Born: tesdiq.NewDate(born.Year(), born.Month(), born.Day()), Ground: tseras.LongTreatment,
		Main: tseras.Diagnosis{Code: "M08.0", Since: today.AddDays(-200)}, Physicians: []tesdiq.FIN{"2AB3C4D"}}
	c, err := w.desk.Refer(t.Context(), w.from, ref, "signed")
	w.must(err)
	w.work()
	w.work()
	w.expect(fin, c.Number, tseras.Drawn)
	blind := w.blind(c.Number)
	found := func(grade int) criteria.Findings {
		f := findings("joints-rheumatoid", grade)
		f.Activities.Work = ""
		return f
	}
	w.record(w.seats(blind), func(s tseras.Seat) criteria.Findings {
		if s.Role == tseras.Chair {
			return found(3)
		}
		return found(2)
	})
	w.work()
	w.expect(fin, c.Number, tseras.FurtherMember)
	w.work()
	w.record(w.seats(blind), func(tseras.Seat) criteria.Findings { return found(3) })
	w.work()
	w.expect(fin, c.Number, tseras.Signing)
	w.sign(blind, tseras.Chair)
	w.work()
	s := w.expect(fin, c.Number, tseras.Decided)
	p, in, verified := n.verified(s)
	if err := tseras.CheckAnswers(p, in, verified); err != nil {
		t.Error(err)
	}
	if r := w.result(s.Package); r.Outcome != criteria.Child {
		t.Errorf("%+v", r)
	}
	if p.Signed.Of != 4 || len(p.Signatures) != 3 || p.Signatures[2].Name != "further" && p.Signatures[0].Name != "further" && p.Signatures[1].Name != "further" {
		t.Errorf("three of four signed: %+v, %+v", p.Signed, p.Signatures)
	}
}
