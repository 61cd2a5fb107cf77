package web

import (
	"strconv"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// Decimal is a number with so many digits after its comma, or its point in English.
func Decimal(lang tesdiq.Lang, x float64, digits int) string {
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if lang != tesdiq.En {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

// Percent is a share of 1 in percent with one digit after the comma, as the Unicode CLDR writes it: in Russian with a space, which does not
// break, before the sign.
func Percent(lang tesdiq.Lang, share float64) string {
	sign := "%"
	if lang == tesdiq.Ru {
		sign = "\u00a0%"
	}
	return Decimal(lang, 100*share, 1) + sign
}
