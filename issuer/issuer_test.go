package issuer_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/templates"
)

func day(s string) tesdiq.Date { return tesdiq.MustDate(s) }

func TestValidity(t *testing.T) {
	// Half past eleven at night in London is the next morning in Baku.
	night := time.Date(2026, 11, 20, 23, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		v     issuer.Validity
		until string
		want  string
	}{
		{"thirty days from today in Baku", issuer.Days30, "", "2026-12-21"},
		{"ninety days", issuer.Days90, "", "2027-02-19"},
		{"indefinite: a year", issuer.ToEnd, "", "2027-11-21"},
		{"to the end of what it states", issuer.ToEnd, "2027-03-01", "2027-03-01"},
		{"at most a year", issuer.ToEnd, "2028-11-04", "2027-11-21"},
		{"never beyond what it states", issuer.Days30, "2026-12-01", "2026-12-01"},
		{"never beyond what it states, ninety", issuer.Days90, "2026-12-01", "2026-12-01"},
		{"its last day", issuer.Days30, "2026-11-21", "2026-11-21"},
	} {
		until := tesdiq.Date{}
		if tt.until != "" {
			until = day(tt.until)
		}
		got, err := tt.v.Until(night, until)
		if err != nil || got != day(tt.want) {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
	for _, v := range issuer.Validities {
		if _, err := v.Until(night, day("2026-11-20")); !errors.Is(err, issuer.ErrOver) {
			t.Errorf("%s of what ended yesterday: %v", v, err)
		}
		if got, err := issuer.ParseValidity(string(v)); err != nil || got != v {
			t.Errorf("%s: %v", v, err)
		}
	}
	for _, s := range []string{"", "31", "END", "30 "} {
		if _, err := issuer.ParseValidity(s); !errors.Is(err, tesdiq.Invalid("validity.unknown")) {
			t.Errorf("%q: %v", s, err)
		}
	}
	// 29 February has its day in the year after.
	if got, err := issuer.ToEnd.Until(time.Date(2028, 2, 29, 8, 0, 0, 0, time.UTC), tesdiq.Date{}); err != nil || got != day("2029-02-28") {
		t.Errorf("leap day: %v, %v", got, err)
	}
}

func kind() templates.Kind { return templates.Kind{Name: "examination"} }

func TestARequestNamesEverythingThatIsWrong(t *testing.T) {
	good := issuer.Request{Key: "k", Kind: "examination", Entry: "M-2026-117204", Lang: tesdiq.Az, Validity: issuer.Days30}
	for _, tt := range []struct {
		name   string
		change func(*issuer.Request)
		want   []string
	}{
		{"nothing", func(*issuer.Request) {}, nil},
		{"all at once", func(r *issuer.Request) {
			*r = issuer.Request{Recipient: strings.Repeat("ə", 101), Purpose: "\u202e"}
		}, []string{"excerpt.request_key", "lang: lang.unknown", "validity: validity.unknown", "recipient: excerpt.line_long", "purpose: excerpt.letters"}},
		{"a long key", func(r *issuer.Request) { r.Key = strings.Repeat("k", 65) }, []string{"excerpt.request_key"}},
		{"a hundred letters", func(r *issuer.Request) { r.Recipient = strings.Repeat("ə", 100) }, nil},
		{"mark-up is only text", func(r *issuer.Request) { r.Recipient = "<script>alert(1)</script>" }, nil},
		{"a formula is only text", func(r *issuer.Request) { r.Recipient = "=HYPERLINK(\"x\")" }, nil},
		{"direction override", func(r *issuer.Request) { r.Recipient = "Bank\u202eknaB" }, []string{"recipient: excerpt.letters"}},
		{"NUL", func(r *issuer.Request) { r.Recipient = "a\x00b" }, []string{"recipient: excerpt.letters"}},
		{"zero width", func(r *issuer.Request) { r.Recipient = "a\u200bb" }, []string{"recipient: excerpt.letters"}},
		{"not UTF-8", func(r *issuer.Request) { r.Recipient = "a\xffb" }, []string{"recipient: excerpt.letters"}},
		{"no such letter in the font", func(r *issuer.Request) { r.Purpose = "信用" }, []string{"purpose: excerpt.letters"}},
	} {
		r := good
		tt.change(&r)
		_, err := r.Check(kind())
		var got []string
		if err != nil {
			for _, p := range tesdiq.ProblemsOf(err) {
				got = append(got, p.Error())
			}
		}
		if strings.Join(got, "; ") != strings.Join(tt.want, "; ") {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

func TestUnprintableLettersAreNamed(t *testing.T) {
	r := issuer.Request{Key: "k", Lang: tesdiq.Az, Validity: issuer.Days30, Recipient: "a信b\u202e信\x00"}
	_, err := r.Check(kind())
	ps := tesdiq.ProblemsOf(err)
	if len(ps) != 1 || ps[0].Args["Letters"] != "信 U+202E U+0000" {
		t.Errorf("%v %v", err, ps[0].Args)
	}
}

func TestARequestComesBackTidied(t *testing.T) {
	r := issuer.Request{Key: "k", Lang: tesdiq.Az, Validity: issuer.Days30, Recipient: "  Nümunə \t Bank\n", WithSalary: true}
	got, err := r.Check(kind())
	if err != nil || got.Recipient != "Nümunə Bank" || got.WithSalary {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTheIdentityIsThatOfAllThatWasFilledIn(t *testing.T) {
	r := issuer.Request{Key: "k", Kind: "examination", Entry: "M-2026-117204", Lang: tesdiq.Az, Validity: issuer.Days30}
	seen := map[string]bool{r.Identity(): true}
	for _, change := range []func(*issuer.Request){
		func(r *issuer.Request) { r.Key = "l" }, func(r *issuer.Request) { r.Kind = "contract" }, func(r *issuer.Request) { r.Entry = "M" },
		func(r *issuer.Request) { r.Lang = tesdiq.Ru }, func(r *issuer.Request) { r.Validity = issuer.Days90 },
		func(r *issuer.Request) { r.Recipient = "x" }, func(r *issuer.Request) { r.Purpose = "x" }, func(r *issuer.Request) { r.WithSalary = true },
	} {
		c := r
		change(&c)
		if seen[c.Identity()] {
			t.Errorf("%+v has another's identity", c)
		}
		seen[c.Identity()] = true
	}
	same := r
	if same.Identity() != r.Identity() {
		t.Error("the same request has two identities")
	}
}

func TestNumbers(t *testing.T) {
	if p := issuer.NumberPrefix(time.Date(2026, 12, 31, 21, 0, 0, 0, time.UTC)); p != "E-2027-" {
		t.Errorf("new year in Baku: %s", p)
	}
	for _, s := range []string{"E-2026-0048213", "E-2026-12345678"} {
		if n, err := issuer.ParseNumber(s); err != nil || string(n) != s {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"E-2026-0048213", "e-2026-0048213", "", "E-2026-1", "../E-2026-0048213", "E-2026-0048213\r\nX: y", "E-２０２６-0048213"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := issuer.ParseNumber(s)
		if err != nil {
			if err != error(issuer.ErrMissing) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if string(n) != s || strings.ContainsAny(s, "/\\\r\n\" ;") || len(s) > 32 {
			t.Errorf("%q passed as %q", s, n)
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add("Nümunə Bank", "kredit")
	f.Add("\u202e", "信")
	f.Fuzz(func(t *testing.T, recipient, purpose string) {
		r, err := issuer.Request{Key: "k", Lang: tesdiq.Az, Validity: issuer.Days30, Recipient: recipient, Purpose: purpose}.Check(kind())
		if err != nil {
			tesdiq.ProblemsOf(err)
			return
		}
		for _, s := range []string{r.Recipient, r.Purpose} {
			if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x202e || len(templates.Unprintable(string(c))) > 0 }) || len([]rune(s)) > issuer.MaxLine {
				t.Errorf("%q passed", s)
			}
		}
	})
}
