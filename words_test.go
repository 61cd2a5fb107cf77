package tesdiq_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tesdiq/tesdiq"
)

// key is the key of an error's Problem; "" for none.
func key(err error) string {
	var p *tesdiq.Problem
	if errors.As(err, &p) {
		return p.Key
	}
	if err != nil {
		return "not a problem: " + err.Error()
	}
	return ""
}

func TestParseFIN(t *testing.T) {
	for in, want := range map[string]string{
		"5NQ7K2M": "5NQ7K2M", " 5nq7k2m ": "5NQ7K2M", "0000000": "0000000", "ZZZZZZZ": "ZZZZZZZ",
	} {
		if got, err := tesdiq.ParseFIN(in); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "5NQ7K2", "5NQ7K2MM", "5NQ7K2I", "5NQ7K2O", "5NQ7K2i", "5NQ7K2ı", "5NQ7K2İ", "5NQ7K2Ə", "5NQ 7K2M", "5NQ7K2M\x00", "５NQ7K2M",
	} {
		if got, err := tesdiq.ParseFIN(in); key(err) != "fin.malformed" {
			t.Errorf("%q was read as %q, %v", in, got, err)
		}
	}
	if got := tesdiq.FIN("5NQ7K2M").Tail(); got != "K2M" {
		t.Errorf("tail %q", got)
	}
}

func TestParseDocumentNumber(t *testing.T) {
	for in, want := range map[string]string{
		"AZE12345678": "AZE 12345678", "aze 1234 5678": "AZE 12345678", "AA1234567": "AA 1234567", "AA-1234567": "AA 1234567",
		"\tab\u00a07654321\n": "AB 7654321",
	} {
		if got, err := tesdiq.ParseDocumentNumber(in); err != nil || got.String() != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "AZE1234567", "AZE123456789", "AA123456", "AA12345678", "BA1234567", "12345678", "AƏ1234567", "AZEI2345678"} {
		if got, err := tesdiq.ParseDocumentNumber(in); key(err) != "document.malformed" {
			t.Errorf("%q was read as %q, %v", in, got, err)
		}
	}
}

// The vectors of the domain notes: the first two are python-stdnum's valid examples, the third its invalid one, the fourth
// that of a real firm.
func TestVOEN(t *testing.T) {
	for in, want := range map[string]bool{"1400057421": true, "140 155 5071": true, "1401555081": false, "1403676911": true} {
		v, err := tesdiq.ParseVOEN(in)
		if err != nil || v.CheckDigit() != want || !v.IsLegalPerson() {
			t.Errorf("%s: %v, %v, check digit %v, want %v", in, v, err, v.CheckDigit(), want)
		}
	}
	for _, in := range []string{"", "140005742", "14000574211", "14000574A1", "١٤٠٠٠٥٧٤٢١"} {
		if got, err := tesdiq.ParseVOEN(in); key(err) != "voen.malformed" {
			t.Errorf("%q was read as %q, %v", in, got, err)
		}
	}
	if tesdiq.VOEN("1").CheckDigit() || tesdiq.VOEN("1400057422").IsLegalPerson() {
		t.Error("a short number, or a natural person's")
	}
}

func TestNames(t *testing.T) {
	nermin, err := tesdiq.ParseName(" Quliyeva ", "Nərmin", "Əli")
	if err != nil || nermin.Full(tesdiq.Female) != "Quliyeva Nərmin Əli qızı" {
		t.Errorf("%q, %v", nermin.Full(tesdiq.Female), err)
	}
	ibrahim := tesdiq.Name{Surname: "ismayılov", Given: "ıldırım", Father: "İlqar"}
	for what, pair := range map[string][2]string{
		"full":     {ibrahim.Full(tesdiq.Male), "ismayılov ıldırım İlqar oğlu"},
		"initials": {ibrahim.Initials(), "İ. I. İ."},
		"short":    {nermin.Short(), "Nərmin Quliyeva"},
		"no father": {
			tesdiq.Name{Surname: "Smith", Given: "Anna"}.Full(tesdiq.Female), "Smith Anna",
		},
		"upper": {tesdiq.UpperAz("iıəğşçöü"), "İIƏĞŞÇÖÜ"},
		"lower": {tesdiq.LowerAz("İIƏĞŞÇÖÜ"), "iıəğşçöü"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
		}
	}
	for _, good := range []string{"d’Artanyan", "Şıxəlibəyzadə-Bəy", "Щукина", "Məmmədov Ağa", "O'Neil", "Jr."} {
		if _, err := tesdiq.ParseName(good, good, good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", " ", "-", "Əli2", "<b>Əli</b>", "=HYPERLINK(1)", "Ə\u202eli", "Ə\x00li", "Əli\u200b", strings.Repeat("ə", 101), "\xff", "Ə\x1bli", "Əli;",
	} {
		_, err := tesdiq.ParseName("Quliyev", bad, "")
		var p *tesdiq.Problem
		if !errors.As(err, &p) || p.Key != "name.malformed" || p.Field != "given" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTheAzerbaijaniAlphabet(t *testing.T) {
	want := strings.Split("a b c ç d e ə f g ğ h x ı i j k q l m n o ö p r s ş t u ü v y z w", " ")
	for _, fold := range []func(string) string{tesdiq.UpperAz, tesdiq.LowerAz} {
		got := slices.Clone(want)
		for i := range got {
			got[i] = fold(got[i])
		}
		slices.Reverse(got)
		slices.SortFunc(got, tesdiq.CompareAz)
		for i := range got {
			if tesdiq.LowerAz(got[i]) != want[i] {
				t.Fatalf("sorted %q, want %q", got, want)
			}
		}
	}
	names := []string{"Əliyev", "Eminov", "Xəlilov", "Həsənov", "İbrahimov", "Isgəndərli", "Əli oğlu", "Əlibəyli", "1-ci", "Яшина"}
	slices.SortFunc(names, tesdiq.CompareAz)
	if got := strings.Join(names, ", "); got != "1-ci, Eminov, Əli oğlu, Əlibəyli, Əliyev, Həsənov, Xəlilov, Isgəndərli, İbrahimov, Яшина" {
		t.Error(got)
	}
	if tesdiq.CompareAz("QULİYEV", "quliyev") != 0 {
		t.Error("case counts")
	}
	text := rapid.StringOf(rapid.RuneFrom([]rune("aəxıiIİwzbЯ1 -")))
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := text.Draw(t, "a"), text.Draw(t, "b"), text.Draw(t, "c")
		sign := func(n int) int { return min(max(n, -1), 1) }
		if sign(tesdiq.CompareAz(a, b)) != -sign(tesdiq.CompareAz(b, a)) {
			t.Fatal("not antisymmetric")
		}
		if tesdiq.CompareAz(a, b) <= 0 && tesdiq.CompareAz(b, c) <= 0 && tesdiq.CompareAz(a, c) > 0 {
			t.Fatal("not transitive")
		}
	})
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"21.11.2026": "2026-11-21", " 1.2.1999 ": "1999-02-01", "2026-11-21": "2026-11-21", "29.02.2024": "2024-02-29", "5/6/1901": "1901-06-05",
	} {
		if got, err := tesdiq.ParseDate(in); err != nil || got.ISO() != want {
			t.Errorf("%q: %s, %v", in, got.ISO(), err)
		}
	}
	for _, in := range []string{"", "29.02.2025", "31.04.2026", "21.13.2026", "21.11.26", "1.1.1849", "1.1.2201", "21 noyabr 2026", "2026-11-21T00:00:00Z", "0.0.2026"} {
		if got, err := tesdiq.ParseDate(in); key(err) != "date.malformed" {
			t.Errorf("%q was read as %s, %v", in, got.ISO(), err)
		}
	}
	d := tesdiq.MustDate
	for what, pair := range map[string][2]any{
		"month's end":        {d("31.01.2026").AddMonths(1), d("28.02.2026")},
		"months back":        {d("31.03.2024").AddMonths(-1), d("29.02.2024")},
		"leap year":          {d("29.02.2024").AddYears(1), d("28.02.2025")},
		"over the year":      {d("15.11.2026").AddMonths(14), d("15.01.2028")},
		"days":               {d("28.02.2024").AddDays(2), d("01.03.2024")},
		"counting":           {d("01.01.1850").DaysUntil(d("01.01.2200")), 127835},
		"counting back":      {d("02.01.2026").DaysUntil(d("01.01.2026")), -1},
		"evening in Baku":    {tesdiq.DateOf(time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)), d("21.11.2026")},
		"afternoon in Baku":  {tesdiq.DateOf(time.Date(2026, 11, 20, 19, 59, 59, 0, time.UTC)), d("20.11.2026")},
		"start":              {tesdiq.DateOf(d("21.11.2026").Start()), d("21.11.2026")},
		"end":                {d("21.11.2026").End(), d("22.11.2026").Start()},
		"clock":              {tesdiq.ClockString(time.Date(2026, 11, 20, 20, 5, 0, 0, time.UTC)), "21.11.2026, 00:05"},
		"as people write it": {d("2026-01-02").String(), "02.01.2026"},
		"none":               {tesdiq.Date{}.String() + tesdiq.Date{}.ISO(), ""},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
	if !d("01.01.2026").Before(d("02.01.2026")) || !d("02.01.2026").After(d("01.01.2026")) || !(tesdiq.Date{}).Before(d("01.01.1850")) {
		t.Error("order")
	}
	rapid.Check(t, func(t *rapid.T) {
		day := d("01.01.1850").AddDays(rapid.IntRange(0, 127835).Draw(t, "days"))
		b, err := json.Marshal(day)
		var back tesdiq.Date
		if err != nil || json.Unmarshal(b, &back) != nil || back != day {
			t.Fatalf("%s becomes %s by JSON", day, back)
		}
		v, err := day.Value()
		if err != nil || back.Scan(v) != nil || back != day {
			t.Fatalf("%s becomes %s by the database", day, back)
		}
		n := rapid.IntRange(-5000, 5000).Draw(t, "n")
		if day.DaysUntil(day.AddDays(n)) != n {
			t.Fatalf("%d days from %s are %d", n, day, day.DaysUntil(day.AddDays(n)))
		}
	})
	var none tesdiq.Date
	if v, err := none.Value(); v != nil || err != nil || none.Scan(nil) != nil || none.Scan(1) == nil || none.Scan("2026-11-21") != nil {
		t.Error("none in the database")
	}
}

func TestMoney(t *testing.T) {
	for in, want := range map[string]tesdiq.Qapik{
		"1 234,50": 123450, "1234.5": 123450, "120": 12000, "0": 0, "0,05": 5, "12\u00a0345,60 ₼": 1234560, "7.": 700,
	} {
		if got, err := tesdiq.ParseManat(in); err != nil || got != want {
			t.Errorf("%q: %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"", ",", "1,234.50", "-5", "+5", "1,2,3", "1.005", "1e3", "abc", "١٢", "1.é", "1234567890123", "0x10", "1_000"} {
		if got, err := tesdiq.ParseManat(in); key(err) != "money.malformed" {
			t.Errorf("%q was read as %d, %v", in, got, err)
		}
	}
	for q, want := range map[tesdiq.Qapik]string{
		0: "0,00\u00a0₼", 5: "0,05\u00a0₼", 123450: "1\u00a0234,50\u00a0₼", 123456789: "1\u00a0234\u00a0567,89\u00a0₼", -150: "−1,50\u00a0₼", 99999: "999,99\u00a0₼",
	} {
		if got := q.String(); got != want {
			t.Errorf("%d: %q, want %q", q, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		q := tesdiq.Qapik(rapid.Int64Range(0, 99999999999999).Draw(t, "q"))
		if got, err := tesdiq.ParseManat(q.String()); err != nil || got != q {
			t.Fatalf("%d is written %s and read %d, %v", q, q, got, err)
		}
	})
}

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codes draws codes from random bytes.
func codes(t *rapid.T) tesdiq.Code {
	c, err := tesdiq.NewCode(bytes.NewReader(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "random")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every single substitution, at each of the 17 places and by each other letter, and every swap of two neighbours is found.
func TestACodeFindsEverySlipOfOneLetter(t *testing.T) {
	mistyped := func(t *rapid.T, c []byte) {
		if _, err := tesdiq.ParseCode(string(c)); key(err) != "code.check" {
			t.Fatalf("%s passes: %v", c, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		code := codes(t)
		for i := range code {
			for _, letter := range []byte(alphabet) {
				slip := []byte(code)
				if slip[i] = letter; letter != code[i] {
					mistyped(t, slip)
				}
			}
			slip := []byte(code)
			if i > 0 && slip[i] != slip[i-1] {
				slip[i], slip[i-1] = slip[i-1], slip[i]
				mistyped(t, slip)
			}
		}
	})
}

func TestACodeIsReadAsPeopleTypeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := codes(t)
		typed := code.String()
		if len(typed) != 21 || strings.Count(typed, "-") != 4 {
			t.Fatalf("printed as %s", typed)
		}
		for _, s := range []string{
			typed, strings.ToLower(typed), string(code), " " + strings.ReplaceAll(typed, "-", " ") + "\r\n", strings.ReplaceAll(typed, "-", "–"),
			strings.ReplaceAll(typed, "0", "O"), strings.ReplaceAll(typed, "0", "o"), strings.ReplaceAll(typed, "1", "I"),
			strings.ReplaceAll(typed, "1", "l"), strings.ReplaceAll(typed, "1", "ı"), strings.ReplaceAll(typed, "1", "İ"),
		} {
			if got, err := tesdiq.ParseCode(s); err != nil || got != code {
				t.Fatalf("%q: %q, %v, want %q", s, got, err, code)
			}
		}
	})
	for in, want := range map[string]string{
		"": "code.empty", " - ": "code.empty", "7K2M": "code.length", strings.Repeat("7", 18): "code.length", strings.Repeat(" ", 300): "code.length",
		"7K2M-9QXA-4TRC-W8HN-U": "code.letter", "7K2M-9QXA-4TRC-W8HN-Ə": "code.letter", "<script>": "code.letter", "7K2M\x00": "code.letter", "\xff": "code.letter",
	} {
		if got, err := tesdiq.ParseCode(in); key(err) != want {
			t.Errorf("%q: %q, %v, want %s", in, got, err, want)
		}
	}
	if _, err := tesdiq.NewCode(bytes.NewReader(nil)); err == nil {
		t.Error("a code without randomness")
	}
}

// The sum is that of the contract: aᵢ·2ⁱ, i = 1…16 from the left, in GF(32) with x⁵+x²+1, computed here another way:
// by logarithms to the base 2, which generates the field.
func TestTheCheckCharacterIsTheContracts(t *testing.T) {
	power, logarithm := [31]int{}, [32]int{}
	for i, x := 0, 1; i < 31; i++ {
		power[i], logarithm[x] = x, i
		if x <<= 1; x >= 32 {
			x ^= 0b100101
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		code := codes(t)
		sum := 0
		for i := range 16 {
			if a := strings.IndexByte(alphabet, code[i]); a > 0 {
				sum ^= power[(logarithm[a]+i+1)%31]
			}
		}
		if alphabet[sum] != code[16] {
			t.Fatalf("%s should end in %c", code, alphabet[sum])
		}
	})
}

func TestPurposesAndLanguages(t *testing.T) {
	for _, p := range tesdiq.Purposes {
		if got, err := tesdiq.ParsePurpose(string(p)); err != nil || got != p {
			t.Errorf("%s: %v", p, err)
		}
	}
	_, missing := tesdiq.ParsePurpose("")
	_, unknown := tesdiq.ParsePurpose("curiosity")
	_, lang := tesdiq.ParseLang("de")
	if key(missing) != "purpose.missing" || key(unknown) != "purpose.unknown" || key(lang) != "lang.unknown" {
		t.Error(missing, unknown, lang)
	}
	for _, l := range tesdiq.Langs {
		if got, err := tesdiq.ParseLang(string(l)); err != nil || got != l {
			t.Errorf("%s: %v", l, err)
		}
	}
}

func TestCheckText(t *testing.T) {
	for _, good := range []string{"“Nümunə Market” MMC", "7 saylı TSEK", "Юрист", "baş mühasib (əvəzçi)", "A", "№ 5"} {
		if err := tesdiq.CheckText(good, 40, true); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for in, want := range map[string]string{
		"": "text.missing", "...": "text.missing", strings.Repeat("ə", 41): "text.long", " a": "text.blanks", "a  b": "text.blanks",
		"a\nb": "text.letter", "a\u202eb": "text.letter", "a\u200db": "text.letter", "\xff": "text.letter", "漢": "text.letter", "😀": "text.letter", "a\u00a0b": "text.letter",
		"a\u0301": "text.letter",
	} {
		if err := tesdiq.CheckText(in, 40, true); key(err) != want {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
	if err := tesdiq.CheckText("", 40, false); err != nil {
		t.Error(err)
	}
}

func TestProblems(t *testing.T) {
	p := tesdiq.Invalid("fin.malformed")
	if p.In("fin").Field != "fin" || p.Field != "" || p.With("A", 1).With("A", 2).Args["A"] != 2 || p.Args != nil {
		t.Error("In and With change what they are called on")
	}
	if !errors.Is(fmt.Errorf("reading: %w", p.In("fin")), tesdiq.Invalid("fin.malformed")) || errors.Is(p, tesdiq.NewProblem(tesdiq.Conflict, "fin.malformed")) {
		t.Error("problems are compared by kind and key")
	}
	var ps tesdiq.Problems
	if ps.Err() != nil {
		t.Error("nothing wrong is an error")
	}
	ps.Add("a", nil)
	ps.Add("a", tesdiq.Invalid("x"))
	ps.Add("b", tesdiq.Invalid("y").In("c"))
	if ps.Err() == nil || ps.Error() != "a: x; c: y" {
		t.Error(ps)
	}
	for _, c := range []struct {
		err  error
		want string
	}{{fmt.Errorf("w: %w", ps), "a: x; c: y"}, {fmt.Errorf("w: %w", p), "fin.malformed"}, {errors.New("a cause that nobody may see"), "internal"}} {
		if got := tesdiq.ProblemsOf(c.err).Error(); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an internal error became a problem of a field")
		}
	}()
	ps.Add("a", errors.New("internal"))
}

func TestPersonalDataStaysOutOfTheLog(t *testing.T) {
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "fin", tesdiq.FIN("5NQ7K2M"), "document", tesdiq.DocumentNumber("AA1234567"),
		"name", tesdiq.Name{Surname: "Quliyeva", Given: "Nərmin"}, "code", tesdiq.Code("7K2M9QXA4TRCW8HNR"))
	for _, s := range []string{"5NQ7K2M", "1234567", "Quliyeva", "Nərmin", "7K2M9"} {
		if strings.Contains(b.String(), s) {
			t.Errorf("%s is in the log: %s", s, &b)
		}
	}
}

// fuzz checks what holds for every parser: an error is a Problem that people can read, and a second reading agrees with the first.
func fuzz[T comparable](f *testing.F, parse func(string) (T, error), write func(T) string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parse(s)
		if err != nil {
			var zero T
			var p *tesdiq.Problem
			if !errors.As(err, &p) || p.Kind != tesdiq.Refused || p.Key == "" || v != zero {
				t.Fatalf("%q: %v, %#v", s, v, err)
			}
			return
		}
		if again, err := parse(write(v)); err != nil || again != v {
			t.Fatalf("%q is read as %v, which is written %q and read as %v, %v", s, v, write(v), again, err)
		}
	})
}

func FuzzParseCode(f *testing.F) {
	fuzz(f, tesdiq.ParseCode, tesdiq.Code.String, "7K2M-9QXA-4TRC-W8HN-R", "", "ıİoO", "\xff", "0000000000000000 0")
}

func FuzzParseFIN(f *testing.F) {
	fuzz(f, tesdiq.ParseFIN, func(v tesdiq.FIN) string { return string(v) }, "5NQ7K2M", " 5nq7k2m", "İııııı")
}

func FuzzParseDocumentNumber(f *testing.F) {
	fuzz(f, tesdiq.ParseDocumentNumber, tesdiq.DocumentNumber.String, "AZE12345678", "aa 1234567")
}

func FuzzParseVOEN(f *testing.F) {
	fuzz(f, tesdiq.ParseVOEN, func(v tesdiq.VOEN) string { v.CheckDigit(); return string(v) }, "1400057421", "14 00-057421")
}

func FuzzParseDate(f *testing.F) {
	fuzz(f, tesdiq.ParseDate, tesdiq.Date.String, "21.11.2026", "2026-11-21", "1/1/1900", "29.02.2023")
}

func FuzzParseManat(f *testing.F) {
	fuzz(f, tesdiq.ParseManat, tesdiq.Qapik.String, "1 234,50", "0.5 ₼", "99999999999999", "1.é")
}

func FuzzParsePurpose(f *testing.F) {
	fuzz(f, tesdiq.ParsePurpose, func(v tesdiq.Purpose) string { return string(v) }, "credit", "")
}

func FuzzParseName(f *testing.F) {
	f.Add("Quliyeva", "Nərmin", "Əli")
	f.Add("O’Neil", "İ", "")
	f.Fuzz(func(t *testing.T, surname, given, father string) {
		n, err := tesdiq.ParseName(surname, given, father)
		if err != nil {
			if key(err) != "name.malformed" || n != (tesdiq.Name{}) {
				t.Fatal(n, err)
			}
			return
		}
		if again, err := tesdiq.ParseName(n.Surname, n.Given, n.Father); err != nil || again != n {
			t.Fatal(n, again, err)
		}
		if full := n.Full(tesdiq.Female); strings.ContainsAny(full, "<>&\"\x00\u202e\u200b\n=+@") || !utf8.ValidString(full+n.Initials()) {
			t.Fatalf("%q", full)
		}
	})
}

func FuzzCheckText(f *testing.F) {
	f.Add("“Nümunə” MMC")
	f.Add("a\u202eb")
	f.Fuzz(func(t *testing.T, s string) {
		if tesdiq.CheckText(s, math.MaxInt, false) != nil {
			return
		}
		for _, r := range s {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff || r == utf8.RuneError {
				t.Fatalf("%q has %U", s, r)
			}
		}
	})
}
