package verifier

import (
	"strings"

	"github.com/tesdiq/tesdiq"
)

// ParseScan reads what was typed, pasted or scanned into the code field: a code, or the whole address of a QR
// (https://host/v/CODE, also with a query or in capitals). The way says which of the two it was.
// Errors are those of tesdiq.ParseCode.
func ParseScan(s string) (tesdiq.Code, tesdiq.Way, error) {
	s = strings.TrimSpace(s)
	if len(s) > 2000 {
		return "", tesdiq.ByCode, tesdiq.Invalid("code.length").With("Count", len(s))
	}
	way := tesdiq.ByCode
	if i := strings.LastIndex(lowerASCII(s), "/v/"); i >= 0 {
		s, way = s[i+len("/v/"):], tesdiq.ByQR
		if i := strings.IndexAny(s, "?#/"); i >= 0 {
			s = s[:i]
		}
	}
	code, err := tesdiq.ParseCode(s)
	return code, way, err
}

// lowerASCII keeps every byte in its place, which strings.ToLower does not.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
