package tesdiq

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Code is an authentication code: 16 characters of Crockford's base 32 (80 random bits) and one check character,
// here without hyphens. Outside this package and the database, a Code comes only from NewCode and ParseCode.
type Code string

const (
	crockford  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeRandom = 16 // characters before the check character
)

// NewCode draws a code from random.
func NewCode(random io.Reader) (Code, error) {
	s, err := RandomText(random, codeRandom)
	if err != nil {
		return "", err
	}
	return Code(s + string(checkCharacter(s))), nil
}

// RandomText draws n characters of Crockford's base 32 from random, five bits each.
func RandomText(random io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("tesdiq: random text: %w", err)
	}
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return string(b), nil
}

// ParseCode reads a code that somebody typed or scanned: case, blanks and hyphens do not matter, O reads as 0, I and L as 1.
// Errors are Problems of kind Invalid: "code.empty", "code.length" (how many characters stand there is Args["Count"]),
// "code.letter" (the character is Args["Letter"]), "code.check": mistyped, as the check character tells without asking anybody.
func ParseCode(s string) (Code, error) {
	if len(s) > 200 {
		return "", Invalid("code.length").With("Count", len(s))
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == ' ', r == '-', r == '\t', r == '\n', r == '\r', r == '\u00a0', r == '‐', r == '‑', r == '–', r == '—':
			continue
		case r == 'o', r == 'O':
			r = '0'
		case r == 'i', r == 'I', r == 'l', r == 'L', r == 'ı', r == 'İ':
			// ı and İ: an Azerbaijani keyboard writes them for the Latin I.
			r = '1'
		case 'a' <= r && r <= 'z':
			r -= 'a' - 'A'
		}
		if value(r) < 0 {
			return "", Invalid("code.letter").With("Letter", string(r))
		}
		b.WriteRune(r)
	}
	c := b.String()
	switch {
	case c == "":
		return "", Invalid("code.empty")
	case len(c) != codeRandom+1:
		return "", Invalid("code.length").With("Count", len(c))
	case checkCharacter(c[:codeRandom]) != c[codeRandom]:
		return "", Invalid("code.check")
	}
	return Code(c), nil
}

// String groups the code as it is printed: 7K2M-9QXA-4TRC-W8HN-R.
func (c Code) String() string {
	var b strings.Builder
	for i := 0; i < len(c); i++ {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(c[i])
	}
	return b.String()
}

// LogValue keeps the code out of the logs: whoever holds it may read its excerpt.
func (Code) LogValue() slog.Value { return slog.StringValue("[code]") }

func value(r rune) int {
	if r > 'Z' {
		return -1
	}
	return strings.IndexRune(crockford, r)
}

// checkCharacter is the sum of aᵢ·2ⁱ, i = 1…n from the left, in GF(32) with x⁵+x²+1. The weights 2ⁱ differ from each
// other and from zero for 31 places, so every single substitution and every swap of two neighbours changes the sum.
func checkCharacter(s string) byte {
	sum, weight := 0, 1
	for i := 0; i < len(s); i++ {
		weight = double(weight)
		sum ^= multiply(value(rune(s[i])), weight)
	}
	return crockford[sum]
}

func double(a int) int {
	a <<= 1
	if a&32 != 0 {
		a ^= 0b100101
	}
	return a
}

func multiply(a, b int) int {
	p := 0
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			p ^= a
		}
		a = double(a)
	}
	return p
}
