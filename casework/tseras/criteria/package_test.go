package criteria_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

func digestOf(b string) string {
	sum := sha256.Sum256([]byte(b))
	return hex.EncodeToString(sum[:])
}

// A package names answers by their digests, and is read with them enclosed or without; what is enclosed changes nothing that was signed.
func TestAnswersAreEnclosedOrNamed(t *testing.T) {
	in := adult(criteria.Condition{Criterion: "heart-failure", Grade: 3})
	in.Evidence = []criteria.Answer{
		{Register: "dialysis", State: criteria.Nothing, On: in.DecidedOn}, {Register: "hospital", State: criteria.Nothing, On: in.DecidedOn},
		{Register: "vision", State: criteria.NoAnswer},
	}
	r, err := criteria.Decide(in)
	if err != nil {
		t.Fatal(err)
	}
	p := criteria.Pack("T-2026-000001", in, r)
	const said, other = `{"says":"<nothing>"}`, "not JSON at all"
	p.Answers = []criteria.Exchange{{Name: "dialysis", Type: "a/b", SHA256: digestOf(said)}, {Name: "hospital", Type: "a/b", SHA256: digestOf(other)}}
	p.Signatures = []criteria.Enclosure{{Name: "chair", Type: "application/jwt", SHA256: digestOf("e30.e30.")}}
	committed := p.Bytes()
	p.Answers[0].Bytes, p.Answers[0].Stamp, p.Answers[1].Bytes = []byte(said), json.RawMessage(`{"index":0}`), []byte(other)
	file := p.Bytes()
	for form, c := range map[string]struct {
		file     []byte
		enclosed int
	}{"as committed": {committed, 0}, "as enclosed": {file, 2}} {
		p, err := criteria.ReadPackage(c.file)
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if _, _, err := p.Again(); err != nil || p.Enclosed() != c.enclosed || !bytes.Equal(p.Bytes(), c.file) || !bytes.Equal(p.Committed().Bytes(), committed) {
			t.Errorf("%s: %v, %d enclosed\n%s\n%s", form, err, p.Enclosed(), p.Bytes(), p.Committed().Bytes())
		}
		if p.Enclosed() != c.enclosed {
			t.Errorf("%s: leaving something out of a copy changes the package", form)
		}
	}
	base := base64.StdEncoding.EncodeToString
	first := func(name, digest, rest string) string {
		return `"answers":[{"name":"` + name + `","type":"a/b","sha256":"` + digest + `"` + rest + `},`
	}
	good := first("dialysis", digestOf(said), `,"bytes":"`+base([]byte(said))+`","stamp":{"index":0}`)
	for name, c := range map[string]struct{ to, key string }{
		"another answer":          {first("dialysis", digestOf(said), `,"bytes":"`+base([]byte(said+" "))+`"`), "criteria.package_answer_differs"},
		"another digest":          {first("dialysis", digestOf(other), `,"bytes":"`+base([]byte(said))+`"`), "criteria.package_answer_differs"},
		"an empty answer":         {first("dialysis", digestOf(said), `,"bytes":""`), "criteria.package_answer_differs"},
		"a stamp over nothing":    {first("dialysis", digestOf(said), `,"stamp":{"index":0}`), "criteria.package_answer_differs"},
		"no digest":               {first("dialysis", "", `,"bytes":"`+base([]byte(said))+`"`), "criteria.package_answer_unnamed"},
		"half a digest":           {first("dialysis", digestOf(said)[:32], ""), "criteria.package_answer_unnamed"},
		"a digest in capitals":    {first("dialysis", strings.ToUpper(digestOf(said)), ""), "criteria.package_answer_unnamed"},
		"a path for a name":       {first("../dialysis", digestOf(said), ""), "criteria.package_answer_unnamed"},
		"a relative's":            {first("relatives", digestOf(said), ""), "criteria.package_answer_extra"},
		"of who did not answer":   {first("vision", digestOf(said), ""), "criteria.package_answer_extra"},
		"the same register twice": {first("hospital", digestOf(said), ""), "criteria.package_answer_extra"},
		"a field that is unknown": {first("dialysis", digestOf(said), `,"url":"x"`), "criteria.package_unreadable"},
	} {
		changed := bytes.Replace(file, []byte(good), []byte(c.to), 1)
		if bytes.Equal(changed, file) {
			t.Fatalf("%s: nothing was changed in %s", name, file)
		}
		p, err := criteria.ReadPackage(changed)
		if err == nil {
			_, _, err = p.Again()
		}
		var problem *tesdiq.Problem
		if !errors.As(err, &problem) || problem.Key != c.key {
			t.Errorf("%s: %v, wants %s", name, err, c.key)
		}
	}
}

// What members signed is in the form that is kept, and by digest alone in the others; all come to the same bytes as committed, and what was
// signed is the package before there were signatures.
func TestSignaturesAreKeptOrNamed(t *testing.T) {
	in := adult(criteria.Condition{Criterion: "heart-failure", Grade: 3})
	r, err := criteria.Decide(in)
	if err != nil {
		t.Fatal(err)
	}
	p := criteria.Pack("T-2026-000002", in, r)
	p.About = "T-2026-000001"
	proposed := p.Bytes()
	const token = "e30.eyJmaW4iOiI1QUIxQzJEIn0.c2ln"
	p.Signatures = []criteria.Enclosure{
		{Name: "chair", Type: "application/jwt", SHA256: digestOf(token), Bytes: []byte(token)}, {Name: "member", Type: "application/jwt", SHA256: digestOf("other"), Bytes: []byte("other")},
	}
	p.Signed = &criteria.Signed{Of: 3, Over: digestOf("proposal"), Salt: strings.Repeat("0a", 16)}
	kept := p.Bytes()
	committed := p.Committed().Bytes()
	if bytes.Contains(committed, []byte("bytes")) || !bytes.Contains(committed, []byte(digestOf(token))) || !bytes.Equal(p.Bytes(), kept) {
		t.Fatalf("%s\n%s", committed, p.Bytes())
	}
	for form, file := range map[string][]byte{"as kept": kept, "as committed": committed} {
		p, err := criteria.ReadPackage(file)
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if _, _, err := p.Again(); err != nil || !bytes.Equal(p.Bytes(), file) || !bytes.Equal(p.Committed().Bytes(), committed) || !bytes.Equal(p.Proposed().Bytes(), proposed) {
			t.Errorf("%s: %v\n%s\n%s", form, err, p.Committed().Bytes(), p.Proposed().Bytes())
		}
	}
	// As they were written before there were digests: a member's number, and the token.
	p.Signed, p.Signatures = nil, []criteria.Enclosure{{Name: "K01-1", Type: "application/jwt", Bytes: []byte(token)}}
	before, err := criteria.ReadPackage(p.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if c := string(before.Committed().Bytes()); !bytes.Equal(before.Bytes(), p.Bytes()) || strings.Contains(c, "K01-1") || !strings.Contains(c, `"signatures":[{"type":"application/jwt","sha256":"`+digestOf(token)+`"}]`) {
		t.Errorf("%s", c)
	}

	chair := `{"name":"chair","type":"application/jwt","sha256":"` + digestOf(token) + `"`
	signed := `"signed":{"of":3,"over":"` + digestOf("proposal") + `","salt":"` + strings.Repeat("0a", 16) + `"}`
	for name, c := range map[string]struct{ from, to, key string }{
		"another token":         {chair, strings.Replace(chair, digestOf(token), digestOf("other"), 1), "criteria.package_signature"},
		"half a digest":         {chair, strings.Replace(chair, digestOf(token), digestOf(token)[:32], 1), "criteria.package_signature"},
		"a member's name":       {chair, strings.Replace(chair, "chair", "Nümunəvi", 1), "criteria.package_signature"},
		"a line for a type":     {chair, strings.Replace(chair, "application/jwt", `a/b\nc`, 1), "criteria.package_signature"},
		"fewer than signed":     {signed, strings.Replace(signed, ":3", ":1", 1), "criteria.package_signature"},
		"more than there are":   {signed, strings.Replace(signed, ":3", ":3000", 1), "criteria.package_signature"},
		"over nothing":          {signed, strings.Replace(signed, digestOf("proposal"), "", 1), "criteria.package_signature"},
		"no salt":               {signed, strings.Replace(signed, strings.Repeat("0a", 16), "", 1), "criteria.package_signature"},
		"a field of one's own":  {signed, strings.Replace(signed, `"of"`, `"by":"x","of"`, 1), "criteria.package_unreadable"},
		"two cases":             {`"case":"T-2026-000002"`, `"case":"T-2026-000003","case":"T-2026-000002"`, "criteria.package_unreadable"},
		"a case and a Case":     {`"case":"T-2026-000002"`, `"case":"T-2026-000003","Case":"T-2026-000002"`, "criteria.package_unreadable"},
		"another order":         {`"case":"T-2026-000002","about":"T-2026-000001"`, `"about":"T-2026-000001","case":"T-2026-000002"`, "criteria.package_unreadable"},
		"a line for a case":     {`"case":"T-2026-000002"`, `"case":"T-2026-000002\nWhat was decided by follows"`, "criteria.package_case"},
		"an escape for a case":  {`"case":"T-2026-000002"`, `"case":"\u001b[2J"`, "criteria.package_case"},
		"words for a case":      {`"case":"T-2026-000002"`, `"case":"my case"`, "criteria.package_case"},
		"about a line":          {`"about":"T-2026-000001"`, `"about":"T-2026-000001\n"`, "criteria.package_case"},
		"about itself":          {`"about":"T-2026-000001"`, `"about":"T-2026-000002"`, "criteria.package_case"},
		"about a case, of none": {`"case":"T-2026-000002",`, ``, "criteria.package_case"},
	} {
		changed := bytes.Replace(kept, []byte(c.from), []byte(c.to), 1)
		if bytes.Equal(changed, kept) {
			t.Fatalf("%s: nothing was changed in %s", name, kept)
		}
		_, err := criteria.ReadPackage(changed)
		var problem *tesdiq.Problem
		if !errors.As(err, &problem) || problem.Key != c.key {
			t.Errorf("%s: %v, wants %s", name, err, c.key)
		}
	}
	p.Signatures = nil
	p.Signed = &criteria.Signed{Of: 3, Over: digestOf("proposal"), Salt: strings.Repeat("0a", 16)}
	if _, err := criteria.ReadPackage(p.Bytes()); !errors.Is(err, tesdiq.Invalid("criteria.package_signature")) {
		t.Errorf("nobody signed, and it says over what: %v", err)
	}
}
