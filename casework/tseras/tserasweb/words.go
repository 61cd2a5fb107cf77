package tserasweb

import "strings"

// oneLine is what somebody typed into a field of several lines, as the line that is kept: a line break is a blank like another.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
