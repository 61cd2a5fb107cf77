package pades

// Why says what exactly was found, for the tests of this package.
func Why(r Report) string {
	if r.why == nil {
		return string(r.Reason)
	}
	return r.why.Error()
}
