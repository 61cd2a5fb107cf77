package tesdiq

import (
	"strconv"
	"strings"
)

// Qapik is an amount of money: a hundredth of a manat.
type Qapik int64

// ParseManat reads an amount in manats as people write it: "1 234,50", "1234.5", "120".
// The error is a Problem of kind Invalid, "money.malformed".
func ParseManat(s string) (Qapik, error) {
	s = strings.NewReplacer("₼", "", ",", ".").Replace(strings.Join(strings.Fields(s), ""))
	whole, part, _ := strings.Cut(s, ".")
	if len(part) > 2 || whole == "" || len(whole) > 12 {
		return 0, Invalid("money.malformed")
	}
	n, err := strconv.ParseUint(whole+(part + "00")[:2], 10, 63)
	if err != nil {
		return 0, Invalid("money.malformed")
	}
	return Qapik(n), nil
}

// String is the amount as people read it: "1 234,50 ₼", with no-break spaces.
func (q Qapik) String() string {
	sign := ""
	if q < 0 {
		sign, q = "−", -q
	}
	whole := strconv.FormatInt(int64(q/100), 10)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "\u00a0" + whole[i:]
	}
	part := strconv.FormatInt(int64(q%100)+100, 10)[1:]
	return sign + whole + "," + part + "\u00a0₼"
}
