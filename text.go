package tesdiq

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckText checks a line of text that may be printed on an excerpt or a page: at most limit letters, all of them Latin and
// Cyrillic letters, digits, punctuation, blanks. Control characters, direction overrides, invisible characters and
// anything that the documents' font does not have are refused.
// The problems are "text.missing", "text.long" (Limit), "text.blanks" and "text.letter" (Letter).
func CheckText(s string, limit int, needed bool) error {
	if s == "" {
		if needed {
			return Invalid("text.missing")
		}
		return nil
	}
	if !utf8.ValidString(s) {
		return Invalid("text.letter").With("Letter", "\ufffd")
	}
	for _, r := range s {
		if !printable(r) {
			return Invalid("text.letter").With("Letter", visible(r))
		}
	}
	switch {
	case utf8.RuneCountInString(s) > limit:
		return Invalid("text.long").With("Limit", limit)
	case strings.TrimSpace(s) != s || strings.Contains(s, "  "):
		return Invalid("text.blanks")
	case strings.IndexFunc(s, unicode.IsLetter) < 0 && strings.IndexFunc(s, unicode.IsDigit) < 0:
		return Invalid("text.missing")
	}
	return nil
}

func printable(r rune) bool {
	switch {
	case ' ' <= r && r <= '~', strings.ContainsRune("«»“”„‘’–—№§°…₼·×", r):
		return true
	case unicode.IsLetter(r):
		// Latin of Europe, ə (which Unicode keeps among the phonetic letters), and the Cyrillic of the region: what
		// people are called here. A test of the registry compares this with the documents' font.
		return r <= 0x017f || 'Ș' <= r && r <= 'ț' || 0x0400 <= r && r <= 0x045f || strings.ContainsRune("ƏəҐґҒғҚқҜҝҢңҮүҰұҲҳҸҹҺһӘәӨө", r)
	}
	return false
}

// visible writes a character so that it can be seen in a message: itself, or its number when it cannot be shown.
func visible(r rune) string {
	if unicode.IsPrint(r) && r != ' ' {
		return string(r)
	}
	return fmt.Sprintf("U+%04X", r)
}
