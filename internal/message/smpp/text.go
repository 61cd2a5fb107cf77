package smpp

import (
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Data codings (5.2.19).
const (
	codingGSM  = 0x00 // the centre's default alphabet: GSM 03.38, one septet an octet
	codingUCS2 = 0x08
)

// gsmBasic is the default alphabet of GSM 03.38 (3GPP TS 23.038, section 6.2.1); 0x1b is the escape to the table of extensions.
var gsmBasic = []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")

var (
	gsmCode = func() map[rune]byte {
		m := make(map[rune]byte)
		for i, r := range gsmBasic {
			if r != escape {
				m[r] = byte(i)
			}
		}
		return m
	}()
	gsmExtension = map[rune]byte{'\f': 0x0a, '^': 0x14, '{': 0x28, '}': 0x29, '\\': 0x2f, '[': 0x3c, '~': 0x3d, ']': 0x3e, '|': 0x40, '€': 0x65}
)

const escape = 0x1b

// MaxParts is how many parts a message may have: what is longer belongs in the cabinet.
const MaxParts = 5

// Part is one short message of those that make up a text.
type Part struct {
	Coding byte
	UDH    bool   // Text begins with a user data header
	Text   []byte // at most 140 octets on the air
}

// ErrTooLong is what a text is that needs more than MaxParts.
var ErrTooLong = errors.New("smpp: the text is too long")

// Split encodes a text in as few short messages as it takes: in GSM 03.38 if that has all of its letters (160 in one message,
// 153 in each of several), else in UCS-2 (70, and 67). Parts of one text carry ref, by which the telephone joins them (3GPP
// TS 23.040, section 9.2.3.24.1); sent again with the same ref, a part that was there already is not shown twice.
func Split(text string, ref byte) ([]Part, error) {
	if text == "" || !utf8.ValidString(text) {
		return nil, fmt.Errorf("%w: no text", ErrMalformed)
	}
	coding := byte(codingGSM)
	units, ok := septets(text)
	whole, each := 160, 153
	if !ok {
		coding, units, whole, each = codingUCS2, ucs2(text), 140, 134
	}
	size := 0
	for _, u := range units {
		size += len(u)
	}
	if size <= whole {
		return []Part{{Coding: coding, Text: join(units)}}, nil
	}
	var texts [][]byte
	var part []byte
	for _, u := range units {
		if len(part)+len(u) > each {
			texts = append(texts, part)
			part = nil
		}
		part = append(part, u...)
	}
	texts = append(texts, part)
	if len(texts) > MaxParts {
		return nil, fmt.Errorf("%w: %d parts", ErrTooLong, len(texts))
	}
	parts := make([]Part, len(texts))
	for i, t := range texts {
		header := []byte{5, 0, 3, ref, byte(len(texts)), byte(i + 1)}
		parts[i] = Part{Coding: coding, UDH: true, Text: append(header, t...)}
	}
	return parts, nil
}

// septets are the text's letters in GSM 03.38, those of the extension table with their escape.
func septets(text string) (units [][]byte, ok bool) {
	for _, r := range text {
		if c, ok := gsmCode[r]; ok {
			units = append(units, []byte{c})
		} else if c, ok := gsmExtension[r]; ok {
			units = append(units, []byte{escape, c})
		} else {
			return nil, false
		}
	}
	return units, true
}

// ucs2 are the text's letters in UTF-16, which is what telephones read as UCS-2; both halves of a pair are one letter.
func ucs2(text string) (units [][]byte) {
	for _, r := range text {
		var u []byte
		for _, w := range utf16.AppendRune(nil, r) {
			u = append(u, byte(w>>8), byte(w))
		}
		units = append(units, u)
	}
	return units
}

func join(units [][]byte) (b []byte) {
	for _, u := range units {
		b = append(b, u...)
	}
	return b
}

// Join is the text of parts as a telephone shows it; those of one text in any order, each once.
func Join(parts []Part) (string, error) {
	bodies := make([][]byte, len(parts))
	for i, p := range parts {
		n, body := i, p.Text
		if p.UDH {
			if len(body) < 6 || body[0] != 5 || body[1] != 0 || body[2] != 3 || int(body[4]) != len(parts) || body[5] < 1 || int(body[5]) > len(parts) {
				return "", ErrMalformed
			}
			n, body = int(body[5])-1, body[6:]
		} else if len(parts) > 1 {
			return "", ErrMalformed
		}
		if bodies[n] != nil {
			return "", ErrMalformed
		}
		bodies[n] = append([]byte{}, body...)
	}
	text := ""
	for i, p := range parts {
		switch p.Coding {
		case codingGSM:
			s, err := fromSeptets(bodies[i])
			if err != nil {
				return "", err
			}
			text += s
		case codingUCS2:
			b := bodies[i]
			if len(b)%2 != 0 {
				return "", ErrMalformed
			}
			words := make([]uint16, len(b)/2)
			for j := range words {
				words[j] = uint16(b[2*j])<<8 | uint16(b[2*j+1])
			}
			text += string(utf16.Decode(words))
		default:
			return "", fmt.Errorf("%w: data coding %d", ErrMalformed, p.Coding)
		}
	}
	return text, nil
}

func fromSeptets(b []byte) (string, error) {
	var out []rune
	for i := 0; i < len(b); i++ {
		if b[i] >= 0x80 {
			return "", ErrMalformed
		}
		if b[i] != escape {
			out = append(out, gsmBasic[b[i]])
			continue
		}
		i++
		if i == len(b) {
			return "", ErrMalformed
		}
		found := rune(0)
		for r, c := range gsmExtension {
			if c == b[i] {
				found = r
			}
		}
		if found == 0 {
			return "", ErrMalformed
		}
		out = append(out, found)
	}
	return string(out), nil
}
