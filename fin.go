package tesdiq

import (
	"log/slog"
	"regexp"
	"strings"
)

// FIN is the seven-character personal identification number (fərdi identifikasiya nömrəsi).
// Outside this package and the database, a FIN comes only from ParseFIN.
type FIN string

// Latin letters without I and O, and digits.
var finPattern = regexp.MustCompile(`^[0-9A-HJ-NP-Z]{7}$`)

// ParseFIN reads a FIN that somebody typed: case and surrounding blanks do not matter.
// The error is a Problem of kind Invalid, "fin.malformed".
func ParseFIN(s string) (FIN, error) {
	s = upperASCII(strings.TrimSpace(s))
	if !finPattern.MatchString(s) {
		return "", Invalid("fin.malformed")
	}
	return FIN(s), nil
}

// Tail is what may be shown of a FIN to somebody who only compares it with paper: its last three characters.
func (f FIN) Tail() string {
	if len(f) < 3 {
		return ""
	}
	return string(f[len(f)-3:])
}

// LogValue keeps personal data out of the logs.
func (FIN) LogValue() slog.Value { return slog.StringValue("[fin]") }

// DocumentNumber is the number of an identity card: AZE and eight digits (older cards), or AA and seven digits.
type DocumentNumber string

var documentPattern = regexp.MustCompile(`^(AZE\d{8}|A[A-Z]\d{7})$`)

// ParseDocumentNumber reads the number of an identity card that somebody typed; blanks and hyphens do not matter.
// The error is a Problem of kind Invalid, "document.malformed".
func ParseDocumentNumber(s string) (DocumentNumber, error) {
	s = upperASCII(compact(s))
	if !documentPattern.MatchString(s) {
		return "", Invalid("document.malformed")
	}
	return DocumentNumber(s), nil
}

// String separates the series from the number: "AA 1234567", "AZE 12345678".
func (d DocumentNumber) String() string {
	i := strings.IndexAny(string(d), "0123456789")
	if i < 0 {
		return string(d)
	}
	return string(d[:i]) + " " + string(d[i:])
}

// LogValue keeps personal data out of the logs.
func (DocumentNumber) LogValue() slog.Value { return slog.StringValue("[document]") }

// VOEN is a taxpayer's identification number (vergi ödəyicisinin eyniləşdirmə nömrəsi) of ten digits.
type VOEN string

var voenPattern = regexp.MustCompile(`^\d{10}$`)

// voenWeights are those of the ninth digit's check; see ParseVOEN.
var voenWeights = [8]int{4, 1, 8, 6, 2, 7, 5, 3}

// ParseVOEN reads a VÖEN that somebody typed. Ten digits are required; whether the check digit holds is told apart by
// CheckDigit, because old numbers are in use that break it.
// The error is a Problem of kind Invalid, "voen.malformed".
func ParseVOEN(s string) (VOEN, error) {
	s = compact(s)
	if !voenPattern.MatchString(s) {
		return "", Invalid("voen.malformed")
	}
	return VOEN(s), nil
}

// CheckDigit says whether the ninth digit is the weighted sum of the first eight modulo 11.
func (v VOEN) CheckDigit() bool {
	if len(v) != 10 {
		return false
	}
	sum := 0
	for i, w := range voenWeights {
		sum += w * int(v[i]-'0')
	}
	return sum%11 == int(v[8]-'0')
}

// IsLegalPerson tells by the last digit: 1 a legal person, 2 a natural person.
func (v VOEN) IsLegalPerson() bool { return strings.HasSuffix(string(v), "1") }

// compact takes out what people group digits with: white space and hyphens.
func compact(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), ""), "-", "")
}

// upperASCII raises a–z only: the Azerbaijani rules for i and ı must not touch identifiers.
func upperASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}
