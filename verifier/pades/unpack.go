package pades

import "fmt"

// Object streams (ISO 32000-2, 7.5.7) and the filters that structure may be written with: FlateDecode, with PNG or TIFF predictors.
// Everything else (pictures, fonts, pages) is compared as it is stored and never decompressed.

// pack is an object stream that was read.
type pack struct {
	reader  *reader
	numbers []int32
	offsets []int32
}

// unpack reads an object from an object stream.
func (d *document) unpack(container, containerNumber, number, index, rev int) (*item, error) {
	p := d.packs[int32(container)]
	if p == nil {
		var err error
		if p, err = d.readPack(containerNumber, rev); err != nil {
			return nil, fmt.Errorf("object stream %d: %w", containerNumber, err)
		}
		d.packs[int32(container)] = p
	}
	if index >= len(p.numbers) || int(p.numbers[index]) != number {
		return nil, errElse
	}
	it := &item{packed: true}
	p.reader.at = int(p.offsets[index])
	if err := p.reader.token(0, &it.value); err != nil {
		return nil, err
	}
	if index+1 < len(p.offsets) && p.reader.at > int(p.offsets[index+1]) || it.value.kind == keyword || it.value.kind == reference {
		return nil, errSyntax
	}
	return it, nil
}

func (d *document) readPack(number, rev int) (*pack, error) {
	it := d.load(number, rev)
	if it == nil || !it.isFlow || !it.value.get("Type").isName("ObjStm") {
		return nil, errElse
	}
	n, first := it.value.get("N"), it.value.get("First")
	if n.kind != integer || first.kind != integer || n.n > maxPacked {
		return nil, errStream
	}
	data, err := d.decode(it, rev, 0)
	if err != nil {
		return nil, err
	}
	if int(first.n) > len(data) || int(n.n) > int(first.n) {
		return nil, errStream
	}
	p := &pack{reader: &reader{src: data, values: &d.left, legal: true}}
	head := reader{src: data[:first.n], legal: true}
	seen := make(map[int32]bool, n.n)
	for range n.n {
		head.space()
		number, ok1 := digits(head.word())
		head.space()
		offset, ok2 := digits(head.word())
		at := int32(int(first.n) + offset)
		if !ok1 || !ok2 || int(at) > len(data) || seen[int32(number)] || len(p.offsets) > 0 && at < p.offsets[len(p.offsets)-1] {
			return nil, errStream
		}
		seen[int32(number)] = true
		p.numbers, p.offsets = append(p.numbers, int32(number)), append(p.offsets, at)
	}
	return p, nil
}

// decode gives the bytes of a stream that structure depends on. If it breaks off after exactly need bytes, which is all that it is to
// hold, they are taken: some writers do not end what they compress.
func (d *document) decode(it *item, rev, need int) ([]byte, error) {
	filter, params := it.value.get("Filter"), it.value.get("DecodeParms")
	if filter.kind == array {
		switch len(filter.items) {
		case 0:
			filter = &value{}
		case 1:
			filter = &filter.items[0]
		default:
			return nil, errFilter
		}
		if params.kind == array && len(params.items) == 1 {
			params = &params.items[0]
		}
	}
	if filter.kind == null {
		return it.stream, nil
	}
	if !filter.isName("FlateDecode") && !filter.isName("Fl") || params.kind != null && params.kind != dictionary || it.value.has("F") {
		return nil, errFilter
	}
	data, err := unzip(it.stream, d.unpacked)
	if err != nil && (need == 0 || len(data) != need || params.has("Predictor")) {
		return nil, err
	}
	if d.unpacked -= len(data); d.unpacked < 0 {
		return nil, errLimit
	}
	return unpredict(data, params)
}

// unpredict undoes a predictor (ISO 32000-2, 7.4.4.4). data is changed.
func unpredict(data []byte, params *value) ([]byte, error) {
	number := func(key string, otherwise int) int {
		v := params.get(key)
		if v.kind == null {
			return otherwise
		}
		if v.kind != integer {
			return -1
		}
		return int(v.n)
	}
	predictor := number("Predictor", 1)
	if predictor == 1 {
		return data, nil
	}
	colors, bits, columns := number("Colors", 1), number("BitsPerComponent", 8), number("Columns", 1)
	if colors < 1 || colors > 32 || bits != 8 || columns < 1 || columns > 1<<16 {
		return nil, errFilter
	}
	row := colors * columns
	if predictor == 2 {
		for at := 0; at+row <= len(data); at += row {
			for i := colors; i < row; i++ {
				data[at+i] += data[at+i-colors]
			}
		}
		return data, nil
	}
	if predictor < 10 || predictor > 15 || len(data)%(row+1) != 0 {
		return nil, errFilter
	}
	out := data[:0]
	before := make([]byte, row)
	line := make([]byte, row)
	for at := 0; at < len(data); at += row + 1 {
		kind := data[at]
		copy(line, data[at+1:at+1+row])
		if !unfilter(kind, line, before, colors) {
			return nil, errFilter
		}
		out = append(out, line...)
		line, before = before, line
	}
	return out, nil
}

// unfilter undoes one of the filters of PNG on a line.
func unfilter(kind byte, line, before []byte, step int) bool {
	for i := range line {
		var left, corner byte
		if i >= step {
			left, corner = line[i-step], before[i-step]
		}
		switch kind {
		case 0:
		case 1:
			line[i] += left
		case 2:
			line[i] += before[i]
		case 3:
			line[i] += byte((int(left) + int(before[i])) / 2)
		case 4:
			line[i] += paeth(left, before[i], corner)
		default:
			return false
		}
	}
	return true
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := max(p-int(a), int(a)-p), max(p-int(b), int(b)-p), max(p-int(c), int(c)-p)
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}
