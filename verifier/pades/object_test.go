package pades

import (
	"strings"
	"testing"
)

func TestStringsAndNames(t *testing.T) {
	for in, want := range map[string]string{
		`(plain)`: "plain", `()`: "", `(a(b)c)`: "a(b)c", `(\(\)\\)`: `()\`, `(\n\r\t\b\f)`: "\n\r\t\b\f", `(\101\1012\7)`: "AA2\a",
		"(a\\\nb)": "ab", "(a\\\r\nb)": "ab", "(a\r\nb\rc)": "a\nb\nc", `(\x)`: "x", `(\400)`: "\x00", "<4142>": "AB", "< 4 1\n42 >": "AB", "<>": "", "/Name": "Name", "/A#20B": "A B", "/": "",
	} {
		v, err := newReader([]byte(in)).value(0)
		if err != nil || string(v.s) != want || int(v.to) != len(in) {
			t.Errorf("%q: got %q to %d, %v", in, v.s, v.to, err)
		}
	}
}

func TestNumbersAndReferences(t *testing.T) {
	for in, want := range map[string]value{
		"0": {kind: integer}, "7": {kind: integer, n: 7}, "999999999": {kind: integer, n: 999999999}, "12 0 R": {kind: reference, n: 12},
		"12 0 Rx": {kind: integer, n: 12}, "12 1 R": {kind: integer, n: 12}, "-1": {kind: decimal, s: []byte("-1")}, "007": {kind: decimal, s: []byte("007")},
		".5": {kind: decimal, s: []byte(".5")}, "1000000000": {kind: decimal, s: []byte("1000000000")}, "true": {kind: boolean, n: 1}, "false": {kind: boolean}, "null": {},
	} {
		v, err := newReader([]byte(in)).value(0)
		if err != nil || !same(&v, &want) {
			t.Errorf("%q: got %+v, %v", in, v, err)
		}
	}
}

func TestSyntaxThatIsRefused(t *testing.T) {
	for _, in := range []string{
		"", " ", "(", "(a", `(\`, "(a\\)", "<", "<4", "<4>", "<4g>", "<<", "<<>", "<</A>>", "<</A 1/A 2>>", "<</A 1/#41 2>>", "<<1 2>>", "[", "[1", ">>", "]", ")", "{", "}",
		"%c\n1", "obj", "[R]", "--1", "1-", "1.2.3", "-", ".", "1e5", "/A#4", "/A#zz", "/A#00", "/#41", "/" + strings.Repeat("a", maxToken+1),
		strings.Repeat("[", maxNesting+2) + strings.Repeat("]", maxNesting+2), strings.Repeat("9", 33),
	} {
		if v, err := newReader([]byte(in)).value(0); err == nil {
			t.Errorf("%.40q: read as %+v", in, v)
		}
	}
	if _, err := newReader([]byte(strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting))).value(0); err != nil {
		t.Errorf("%d arrays in each other: %v", maxNesting, err)
	}
}

func TestSame(t *testing.T) {
	read := func(s string) value {
		v, err := newReader([]byte(s)).value(0)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"<</A [1 (x) 2 0 R]/B<</C/D>>>>", "<< /A[ 1 <78> 2  0  R ] /B << /C /D >> >>", true},
		{"<</A 1/B 2>>", "<</B 2/A 1>>", false}, {"<</A 1>>", "<</A 1/B 2>>", false}, {"[1 2]", "[1 3]", false}, {"1", "1 0 R", false},
		{"(A)", "/A", false}, {"<</A<</B 1>>>>", "<</A<</B 2>>>>", false}, {"1", "1.0", false},
	} {
		a, b := read(c.a), read(c.b)
		if got := same(&a, &b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

// FuzzValue: a value ends where it says, and reading it alone gives the same again.
func FuzzValue(f *testing.F) {
	for _, s := range []string{"<</A [1 (x\\051) 2 0 R]/B<</C/D#20>>>>", "<41 4>", "-1.5", "(a(b)\\\r\nc)", "null"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		v, err := newReader(src).value(0)
		if err != nil {
			return
		}
		if v.at < 0 || v.at >= v.to || int(v.to) > len(src) {
			t.Fatalf("from %d to %d of %d", v.at, v.to, len(src))
		}
		again, err := newReader(src[v.at:v.to]).value(0)
		if err != nil || !same(&v, &again) {
			t.Errorf("read again: %+v, %v", again, err)
		}
	})
}
