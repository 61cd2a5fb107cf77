package tesdiq

import (
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sex decides between oğlu and qızı in a full name.
type Sex string

// The two entries of the population register.
const (
	Male   Sex = "m"
	Female Sex = "f"
)

// Valid says whether s is one of the two.
func (s Sex) Valid() bool { return s == Male || s == Female }

// Name is a person's name as registered: surname, given name, father's name.
type Name struct {
	Surname string `json:"surname"`
	Given   string `json:"given"`
	Father  string `json:"father"` // may be empty: not everybody has one
}

// MaxNamePart is how many letters one part of a name may have.
const MaxNamePart = 100

// ParseName reads the three parts of a name. Letters, marks, spaces, hyphens, apostrophes and full stops are names;
// control characters, digits, mark-up and direction overrides are not.
// The error is a Problem of kind Invalid, "name.malformed", with the Field surname, given or father.
func ParseName(surname, given, father string) (Name, error) {
	n := Name{squeeze(surname), squeeze(given), squeeze(father)}
	for _, p := range []struct {
		field, value string
		needed       bool
	}{{"surname", n.Surname, true}, {"given", n.Given, true}, {"father", n.Father, false}} {
		if p.value == "" && !p.needed {
			continue
		}
		if !nameLike(p.value) {
			return Name{}, Invalid("name.malformed").In(p.field)
		}
	}
	return n, nil
}

func nameLike(s string) bool {
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > MaxNamePart {
		return false
	}
	letters := false
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters = true
		case unicode.Is(unicode.Mn, r), r == ' ', r == '-', r == '\'', r == '’', r == '.':
		default:
			return false
		}
	}
	return letters
}

// Full is the name in Azerbaijani order: "Quliyeva Nərmin Əli qızı".
func (n Name) Full(sex Sex) string {
	s := n.Surname + " " + n.Given
	if n.Father != "" {
		s += " " + n.Father
		switch sex {
		case Male:
			s += " oğlu"
		case Female:
			s += " qızı"
		}
	}
	return s
}

// Short is the given name and the surname, for a greeting and a header.
func (n Name) Short() string { return strings.TrimSpace(n.Given + " " + n.Surname) }

// Initials is the masked name: "Q. N. Ə.".
func (n Name) Initials() string {
	var b strings.Builder
	for _, p := range []string{n.Surname, n.Given, n.Father} {
		r, _ := utf8.DecodeRuneInString(p)
		if p == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(UpperAz(string(r)))
		b.WriteByte('.')
	}
	return b.String()
}

// LogValue keeps personal data out of the logs.
func (Name) LogValue() slog.Value { return slog.StringValue("[name]") }

// UpperAz raises letters by Azerbaijani rules: i becomes İ, ı becomes I.
func UpperAz(s string) string { return strings.ToUpperSpecial(unicode.AzeriCase, s) }

// LowerAz lowers letters by Azerbaijani rules: İ becomes i, I becomes ı.
func LowerAz(s string) string { return strings.ToLowerSpecial(unicode.AzeriCase, s) }

// azOrder is the Azerbaijani alphabet, after Unicode CLDR's az.xml: w after z, q after k, x and ı after h.
var azOrder = func() map[rune]int {
	m := make(map[rune]int)
	for i, r := range []rune("abcçdeəfgğhxıijkqlmnoöprsştuüvyzw") {
		m[r] = i + 1
	}
	return m
}()

// CompareAz orders two texts by the Azerbaijani alphabet, without regard to case; below 0 when a comes first.
// What is not an Azerbaijani letter comes in its own order: signs and digits before letters, other alphabets after.
func CompareAz(a, b string) int {
	ra, rb := []rune(LowerAz(a)), []rune(LowerAz(b))
	for i := 0; i < len(ra) && i < len(rb); i++ {
		if d := azWeight(ra[i]) - azWeight(rb[i]); d != 0 {
			return d
		}
	}
	return len(ra) - len(rb)
}

func azWeight(r rune) int {
	if w, ok := azOrder[r]; ok {
		return 1000 + w
	}
	if r < 'a' {
		return int(r)
	}
	return 2000 + int(r)
}

// squeeze trims a text and makes every run of white space one blank.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
