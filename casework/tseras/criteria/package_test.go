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
	p.Signatures = []criteria.Enclosure{{Name: "K01-1", Type: "application/jwt", Bytes: []byte("e30")}}
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
