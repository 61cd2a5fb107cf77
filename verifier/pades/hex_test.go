package pades

import "testing"

// The room for a signature is covered by nothing, so it may be written in one way only.
func TestContentsAreWrittenInOneWay(t *testing.T) {
	for written, plain := range map[string]bool{
		"<00ff>": true, "<00FF>": true, "<1230>": true, "<0000>": true, "<00fF>": false, "<ab0C>": false,
		"<00 ff>": false, "<00ff >": false, "<123 >": false, "< 123>": false, "<12\n3>": false, "<123>": false, "<>": false, "(ab)": false,
	} {
		r := &reader{src: []byte(written + " "), values: new(int), legal: true}
		*r.values = 10
		var v value
		if err := r.token(0, &v); err != nil {
			t.Errorf("%s: %v", written, err)
		} else if isPlainHex(r.src[v.at:v.to], v.s) != plain {
			t.Errorf("%s: plain %v", written, !plain)
		}
	}
	for written, want := range map[string]string{"<414243>": "ABC", "<41 4\n2 43>": "ABC", "<41424>": "AB@", "< 4>": "@", "<41 4 2>": "AB", "<>": ""} {
		r := &reader{src: []byte(written), values: new(int), legal: true}
		if got, err := r.hex(); err != nil || string(got) != want || r.at != len(written) {
			t.Errorf("%s: %q, %v", written, got, err)
		}
		r = &reader{src: []byte(written + "z"), values: new(int)}
		if _, err := r.hex(); (err != nil) != (written == "<41424>" || written == "< 4>") {
			t.Errorf("%s in ours: %v", written, err)
		}
	}
	for _, written := range []string{"<4g>", "<g4>", "<4142", "<4 g>"} {
		r := &reader{src: []byte(written), legal: true}
		if got, err := r.hex(); err == nil {
			t.Errorf("%s: %q", written, got)
		}
	}
}
