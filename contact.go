package tesdiq

import (
	"log/slog"
	"slices"
	"strings"
)

// Channel is a way by which messages reach a person. All of them are in the cabinet; the others say that something is there.
type Channel string

// The channels.
const (
	SMS         Channel = "sms"
	Mail        Channel = "email"
	CabinetOnly Channel = "cabinet"
)

// ParseChannel reads a channel. The problem is "channel.unknown".
func ParseChannel(s string) (Channel, error) {
	if c := Channel(s); c == SMS || c == Mail || c == CabinetOnly {
		return c, nil
	}
	return "", Invalid("channel.unknown")
}

// Phone is a mobile telephone of Azerbaijan in the form of E.164: "+994501234567". It comes only from ParsePhone and the database.
type Phone string

// mobileCodes are the operators' codes (RECALL: not confirmed by the numbering plan). A number with another code takes no SMS.
var mobileCodes = []string{"10", "50", "51", "55", "60", "70", "77", "99"}

// ParsePhone reads a number as people write it: +994 50 123 45 67, 050 123-45-67, 00994501234567, (050) 1234567.
// The problems are "phone.malformed" and, for one that takes no SMS, "phone.mobile".
func ParsePhone(s string) (Phone, error) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -()\u00a0", r) {
			return -1
		}
		return r
	}, s)
	national, ok := "", false
	for _, prefix := range []string{"+994", "00994", "994", "0"} {
		if national, ok = strings.CutPrefix(digits, prefix); ok {
			break
		}
	}
	if !ok || len(national) != 9 || strings.Trim(national, "0123456789") != "" {
		return "", Invalid("phone.malformed")
	}
	if !slices.Contains(mobileCodes, national[:2]) {
		return "", Invalid("phone.mobile")
	}
	return Phone("+994" + national), nil
}

// Masked is the number as it may be shown: "+994 50 ••• •• 67".
func (p Phone) Masked() string {
	if len(p) != 13 {
		return "•••"
	}
	return string(p[:4]) + " " + string(p[4:6]) + " ••• •• " + string(p[11:])
}

// LogValue keeps personal data out of the logs.
func (Phone) LogValue() slog.Value { return slog.StringValue("[phone]") }

// Email is an e-mail address. It comes only from ParseEmail and the database.
type Email string

// ParseEmail reads an address: what nearly everybody has of what RFC 5321 allows, without quoted local parts, address literals and
// letters outside ASCII. The domain is kept in lower case. The problem is "email.malformed".
func ParseEmail(s string) (Email, error) {
	s = strings.TrimSpace(s)
	local, domain, ok := strings.Cut(s, "@")
	domain = strings.ToLower(domain)
	if !ok || len(s) > 254 || len(local) > 64 || !dotted(local, 64, isAtom) || !dotted(domain, 63, isLabel) || !strings.Contains(domain, ".") {
		return "", Invalid("email.malformed")
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label[0] == '-' || label[len(label)-1] == '-' {
			return "", Invalid("email.malformed")
		}
	}
	return Email(local + "@" + domain), nil
}

// dotted says whether s is parts of at most limit letters, with single full stops between them.
func dotted(s string, limit int, letter func(byte) bool) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || len(part) > limit {
			return false
		}
		for i := range len(part) {
			if !letter(part[i]) {
				return false
			}
		}
	}
	return true
}

func isLabel(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-'
}

// isAtom is atext of RFC 5322, section 3.2.3.
func isAtom(c byte) bool { return isLabel(c) || strings.IndexByte("!#$%&'*+/=?^_`{|}~", c) >= 0 }

// Masked is the address as it may be shown: "n•••@example.az".
func (e Email) Masked() string {
	at := strings.LastIndexByte(string(e), '@')
	if at < 1 {
		return "•••"
	}
	return string(e[:1]) + "•••" + string(e[at:])
}

// LogValue keeps personal data out of the logs.
func (Email) LogValue() slog.Value { return slog.StringValue("[e-mail]") }
