package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable is a text from somebody's file as it may stand in a line of a terminal: what would begin another line, move the cursor,
// change colours or turn the direction of writing is written as its code. Else whoever writes a file could write what is said of it.
func printable(s string) string {
	var out strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, s[0])
		case unicode.IsGraphic(r): // letters, marks, numbers, signs and blanks, and no control and format characters
			out.WriteRune(r)
		default:
			fmt.Fprintf(&out, `\u{%x}`, r)
		}
		s = s[size:]
	}
	return out.String()
}

// printableLines is printable for what we wrote ourselves in several lines, such as several errors: each stays a line.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = printable(l)
	}
	return strings.Join(lines, "\n")
}
