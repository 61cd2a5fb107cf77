package pades

// CMS may be written in BER (RFC 5652, 5.3, 5.4 ask for DER only where something is signed). Here it is brought into DER's lengths,
// so that the rest reads one form. What is DER already stays as it is, byte for byte.

const maxBERNesting = 48

// toDER gives the first element of in with definite, shortest lengths and primitive octet strings, and what follows it.
func toDER(in []byte) (der, rest []byte, ok bool) {
	if n, isDER := derLength(in, 0); isDER {
		return in[:n:n], in[n:], true
	}
	return transcode(in, 0)
}

// derLength gives the length of the first element of in, if every length in it is DER's.
func derLength(in []byte, depth int) (int, bool) {
	head, length, constructed, ok := elementHead(in)
	if !ok || length < 0 || depth > maxBERNesting || head != 1+tagExtra(in)+lengthSize(length) || in[0] == 0x24 {
		return 0, false
	}
	if constructed {
		for body := in[head : head+length]; len(body) > 0; {
			n, ok := derLength(body, depth+1)
			if !ok {
				return 0, false
			}
			body = body[n:]
		}
	}
	return head + length, true
}

// tagExtra gives how many bytes a tag has behind its first.
func tagExtra(in []byte) int {
	if in[0]&0x1f != 0x1f {
		return 0
	}
	n := 1
	for n < len(in) && in[n]&0x80 != 0 {
		n++
	}
	return n
}

// elementHead reads tag and length. length is -1 if it is indefinite.
func elementHead(in []byte) (head, length int, constructed, ok bool) {
	if len(in) < 2 {
		return 0, 0, false, false
	}
	head = 1 + tagExtra(in)
	if head > 4 || head >= len(in) {
		return 0, 0, false, false
	}
	constructed = in[0]&0x20 != 0
	first := in[head]
	head++
	switch {
	case first < 0x80:
		length = int(first)
	case first == 0x80:
		return head, -1, constructed, constructed
	default:
		n := int(first & 0x7f)
		if n > 8 || len(in)-head < n {
			return 0, 0, false, false
		}
		for _, c := range in[head : head+n] {
			if length > 1<<40 {
				return 0, 0, false, false
			}
			length = length<<8 | int(c)
		}
		head += n
	}
	return head, length, constructed, length <= len(in)-head
}

func lengthSize(n int) int {
	size := 1
	if n >= 0x80 {
		for ; n > 0; n >>= 8 {
			size++
		}
	}
	return size
}

func appendLength(out []byte, n int) []byte {
	size := lengthSize(n) - 1
	if size == 0 {
		return append(out, byte(n))
	}
	out = append(out, 0x80|byte(size))
	for size--; size >= 0; size-- {
		out = append(out, byte(n>>(8*size)))
	}
	return out
}

// transcode writes the first element of in anew.
func transcode(in []byte, depth int) (der, rest []byte, ok bool) {
	head, length, constructed, ok := elementHead(in)
	if !ok || depth > maxBERNesting {
		return nil, nil, false
	}
	tag := in[:1+tagExtra(in)]
	if !constructed {
		out := appendLength(append([]byte{}, tag...), length)
		return append(out, in[head:head+length]...), in[head+length:], true
	}
	body, rest := in[head:], []byte(nil)
	if length >= 0 {
		body, rest = in[head:head+length], in[head+length:]
	}
	var inner []byte
	octets := tag[0] == 0x24 // a constructed OCTET STRING: its pieces are joined
	for {
		if length < 0 && len(body) >= 2 && body[0] == 0 && body[1] == 0 {
			rest = body[2:]
			break
		}
		if len(body) == 0 {
			if length < 0 {
				return nil, nil, false
			}
			break
		}
		part, after, ok := transcode(body, depth+1)
		if !ok {
			return nil, nil, false
		}
		if octets {
			h, n, _, ok := elementHead(part)
			if !ok || part[0] != 0x04 {
				return nil, nil, false
			}
			part = part[h : h+n]
		}
		inner = append(inner, part...)
		body = after
	}
	out := append([]byte{}, tag...)
	if octets {
		out[0] = 0x04
	}
	return append(appendLength(out, len(inner)), inner...), rest, true
}
