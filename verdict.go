package tesdiq

// Verdict is the one-word answer to a check, the same by code, QR and file.
type Verdict string

// The verdicts, in their precedence: what comes first decides.
const (
	Altered    Verdict = "altered"    // the file is not what was issued
	Revoked    Verdict = "revoked"    // by the issuer
	Withdrawn  Verdict = "withdrawn"  // by the citizen
	Superseded Verdict = "superseded" // a newer entry says something else
	Expired    Verdict = "expired"    // its own time is over
	Valid      Verdict = "valid"
	Unknown    Verdict = "unknown" // nothing was issued under this code, or the file is none of ours
)

// Verdicts are all of them, in their precedence.
var Verdicts = []Verdict{Altered, Revoked, Withdrawn, Superseded, Expired, Valid, Unknown}

// Way is how a check was asked.
type Way string

// The three ways.
const (
	ByCode Way = "code"
	ByQR   Way = "qr"
	ByFile Way = "file"
)

// Purpose is what somebody checks for: a closed list.
type Purpose string

// Purposes are the closed list, in the order in which forms show it.
var Purposes = []Purpose{"credit", "employment", "benefit", "transport", "education", "court", "other"}

// ParsePurpose reads a purpose. The error is a Problem of kind Invalid, "purpose.missing" or "purpose.unknown".
func ParsePurpose(s string) (Purpose, error) {
	if s == "" {
		return "", Invalid("purpose.missing")
	}
	for _, p := range Purposes {
		if string(p) == s {
			return p, nil
		}
	}
	return "", Invalid("purpose.unknown")
}

// Lang is a language of pages and documents.
type Lang string

// The three languages; Azerbaijani comes first.
const (
	Az Lang = "az"
	En Lang = "en"
	Ru Lang = "ru"
)

// Langs are all languages, in the order in which they are offered.
var Langs = []Lang{Az, En, Ru}

// ParseLang reads a language. The error is a Problem of kind Invalid, "lang.unknown".
func ParseLang(s string) (Lang, error) {
	for _, l := range Langs {
		if string(l) == s {
			return l, nil
		}
	}
	return "", Invalid("lang.unknown")
}
