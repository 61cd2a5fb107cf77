package pades

import "fmt"

// Why says what exactly was found, for the tests of this package.
func Why(r Report) string {
	if r.why == nil {
		return string(r.Reason)
	}
	return r.why.Error()
}

// PlainFile writes a file of these objects, numbered from 1, with a right table.
func PlainFile(objects ...string) []byte {
	b := []byte("%PDF-1.7\n")
	table := fmt.Appendf(nil, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, o := range objects {
		table = fmt.Appendf(table, "%010d 00000 n \n", len(b))
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := len(b)
	b = append(b, table...)
	return fmt.Appendf(b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, at)
}

// WithCode is an inspection that claims to have found another code on the page.
func WithCode(i Inspection, code string) Inspection {
	other := *i.shown
	other.code = code
	i.shown = &other
	return i
}
