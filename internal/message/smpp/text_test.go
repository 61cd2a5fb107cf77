package smpp

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSplitTakesAsFewPartsAsItCan(t *testing.T) {
	for _, c := range []struct {
		what, text string
		coding     byte
		parts      int
	}{
		{"one letter", "a", codingGSM, 1},
		{"160 septets", strings.Repeat("a", 160), codingGSM, 1},
		{"161 septets", strings.Repeat("a", 161), codingGSM, 2},
		{"306 septets", strings.Repeat("a", 306), codingGSM, 2},
		{"307 septets", strings.Repeat("a", 307), codingGSM, 3},
		{"extension letters count twice", strings.Repeat("€", 80), codingGSM, 1},
		{"an escape is not torn from its letter", strings.Repeat("a", 152) + "€" + strings.Repeat("b", 20), codingGSM, 2},
		{"every letter of the basic table", "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà", codingGSM, 1},
		{"ü and ö are in GSM 03.38", "Müayinə", codingUCS2, 1},
		{"ç is not, Ç is", "ç", codingUCS2, 1},
		{"70 letters of Azerbaijani", strings.Repeat("ə", 70), codingUCS2, 1},
		{"71 letters", strings.Repeat("ə", 71), codingUCS2, 2},
		{"134 letters", strings.Repeat("ə", 134), codingUCS2, 2},
		{"135 letters", strings.Repeat("ə", 135), codingUCS2, 3},
		{"a pair is not torn", strings.Repeat("ə", 66) + "😀" + strings.Repeat("ə", 10), codingUCS2, 2},
		{"Russian", "Решение принято", codingUCS2, 1},
	} {
		parts, err := Split(c.text, 7)
		if err != nil || len(parts) != c.parts || parts[0].Coding != c.coding {
			t.Errorf("%s: %d parts, coding %d, %v", c.what, len(parts), parts[0].Coding, err)
			continue
		}
		for _, p := range parts {
			most := map[byte]int{codingGSM: 160, codingUCS2: 140}[p.Coding]
			if p.UDH && p.Coding == codingGSM {
				most = 153 + 6 // each septet is an octet here; the centre packs them
			}
			if len(p.Text) > most {
				t.Errorf("%s: a part of %d octets", c.what, len(p.Text))
			}
		}
		if back, err := Join(parts); back != c.text || err != nil {
			t.Errorf("%s: comes back as %q, %v", c.what, back, err)
		}
	}
	for _, text := range []string{strings.Repeat("ə", 67*MaxParts+1), strings.Repeat("a", 153*MaxParts+1)} {
		if _, err := Split(text, 0); !errors.Is(err, ErrTooLong) {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
	for _, text := range []string{"", "a\xff"} {
		if _, err := Split(text, 0); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("Müayinə T-2026-000123: qərar qəbul olundu. Nəticəni şəxsi kabinetdə görə bilərsiniz. 142", byte(3))
	f.Add(strings.Repeat("€[", 100), byte(0))
	f.Add(strings.Repeat("😀", 50), byte(255))
	f.Fuzz(func(t *testing.T, text string, ref byte) {
		parts, err := Split(text, ref)
		if err != nil {
			if !errors.Is(err, ErrTooLong) && (!errors.Is(err, ErrMalformed) || text != "" && utf8.ValidString(text)) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 { // they come as they like
			parts[i], parts[j] = parts[j], parts[i]
		}
		if back, err := Join(parts); back != text || err != nil {
			t.Errorf("%q comes back as %q, %v", text, back, err)
		}
		for _, p := range parts {
			if len(p.Text) == 0 || p.Coding == codingUCS2 && len(p.Text) > 140 || len(p.Text) > 160 {
				t.Errorf("%q: a part of %d octets", text, len(p.Text))
			}
		}
	})
}

func FuzzJoin(f *testing.F) {
	f.Add([]byte{5, 0, 3, 1, 2, 1, 'a'}, []byte{5, 0, 3, 1, 2, 2, 'b'}, byte(0), true)
	f.Add([]byte{0, 'a'}, []byte{0}, byte(8), false)
	f.Fuzz(func(t *testing.T, a, b []byte, coding byte, udh bool) {
		for _, parts := range [][]Part{{{coding, udh, a}}, {{coding, udh, a}, {coding, udh, b}}} {
			if s, err := Join(parts); err != nil && s != "" {
				t.Errorf("%q beside %v", s, err)
			}
		}
	})
}
