package pades

import "math"

// The rules for new annotations other than signatures.

// harmless allows an annotation that cannot hide or change what the page says: a note and its window, a marker's colour, a line. All other
// kinds can paint over the page (the evil annotation attack), and so can these by an appearance of their own.
func (x *delta) harmless(number, page int) bool {
	it := x.d.load(number, x.new)
	if placed, noted := x.notes[number]; noted { // a window, by way of its note
		return !placed
	}
	if it == nil || it.value.kind != dictionary || !x.changed(number) || x.d.load(number, x.old) != nil || x.roles[number] != 0 {
		return false
	}
	v := &it.value
	kind := string(v.get("Subtype").s)
	if !onlyKeys(v, "Type", "Subtype", "Rect", "Contents", "P", "NM", "M", "F", "C", "CA", "T", "Popup", "CreationDate", "Subj", "Name", "Open", "Parent",
		"State", "StateModel", "QuadPoints", "RC", "IRT", "RT", "Border", "AP", "StructParent", "Rotate", "BS") || v.has("P") && !v.get("P").isRef(page) {
		return false
	}
	rect := x.d.resolve(v.get("Rect"), x.new)
	if rect.kind != array || len(rect.items) != 4 {
		return false
	}
	var place [4]float64
	for i := range place {
		place[i] = numberOf(x.d.resolve(&rect.items[i], x.new))
	}
	switch kind {
	case "Text":
		// Its own picture might be anything, another amount too, or a digit before the one that is there.
		if math.Abs(place[2]-place[0]) > 40 || math.Abs(place[3]-place[1]) > 40 || v.has("AP") && (x.covers(place, page) || x.isWritten(v.get("AP"))) {
			return false
		}
	case "Highlight":
		if c := x.d.resolve(v.get("C"), x.new); c.kind != null && !x.isLight(c.items) || v.has("AP") && !x.isMarker(v.get("AP")) {
			return false
		}
	case "Underline", "StrikeOut", "Squiggly":
		if v.has("AP") || !x.isLow(v.get("QuadPoints"), place) {
			return false
		}
	case "Popup":
		if v.has("AP") {
			return false
		}
	default:
		return false
	}
	x.roles[number], x.allowed[number], x.notes[number] = fieldRole, true, false
	for _, key := range []string{"AP", "Rect", "QuadPoints", "RC"} {
		x.reach(v.get(key))
	}
	if window, ok := refOf(v.get("Popup")); ok && x.roles[window] == 0 {
		w := x.d.load(window, x.new)
		return w != nil && w.value.get("Subtype").isName("Popup") && x.harmless(window, page)
	}
	return true
}

// maxLine is how high the words may be that a line is drawn through or below, in points: programs draw it the thicker the higher they are
// (mupdf by a fourteenth), and so it could lie over other words.
const maxLine = 48

// isLow says whether all quadrilaterals of a line, or without any its place, are no higher. Their corners come as all programs write and read
// them, whatever ISO 32000-2, 12.5.6.10, says: the upper two from left to right, then the lower two.
func (x *delta) isLow(quads *value, place [4]float64) bool {
	if quads = x.d.resolve(quads, x.new); quads.kind == null {
		return math.Abs(place[3]-place[1]) <= maxLine
	}
	if quads.kind != array || len(quads.items)%8 != 0 {
		return false
	}
	for q := quads.items; len(q) > 0; q = q[8:] {
		var at [8]float64
		for i := range at {
			at[i] = numberOf(x.d.resolve(&q[i], x.new))
		}
		if math.Hypot(at[0]-at[4], at[1]-at[5]) > maxLine || math.Hypot(at[2]-at[6], at[3]-at[7]) > maxLine {
			return false
		}
	}
	return true
}

// isWritten says whether an appearance has text or a picture in it, or may have.
func (x *delta) isWritten(v *value) bool {
	states := x.d.resolve(v, x.new)
	for i := range states.pairs {
		number, ok := refOf(&states.pairs[i].value)
		it := x.d.load(number, x.new)
		if !ok || it == nil || !it.isFlow {
			return true
		}
		everywhere := math.Inf(1)
		p := &painter{d: x.d, rev: x.new, rect: box{-everywhere, -everywhere, everywhere, everywhere}, page: everywhere, left: maxMarker}
		content, ok := p.decode(it)
		if !ok {
			return true
		}
		if p.paint(content, it.value.get("Resources"), graphics{ctm: unit, scale: 1}); p.hit {
			return true
		}
	}
	return states.kind != dictionary
}

// isLight says whether the text over which a colour is laid as by a marker can still be read. Grey and print colours are no marker's.
func (x *delta) isLight(c []value) bool {
	light, weights := 0.0, []float64{0.3, 0.6, 0.1}
	if len(c) != len(weights) {
		return len(c) == 0
	}
	for i := range c {
		light += weights[i] * numberOf(x.d.resolve(&c[i], x.new))
	}
	return light >= 0.5
}

// isMarker says whether an appearance only multiplies light colours with what is there, as a marker does: paths and nothing else, painted
// in the blend mode Multiply, in no group that would keep them from what is below.
func (x *delta) isMarker(v *value) bool {
	states := x.d.resolve(v, x.new)
	number, ok := refOf(states.get("N"))
	it := x.d.load(number, x.new)
	if !ok || !onlyKeys(states, "N") || it == nil || !it.isFlow ||
		!onlyKeys(&it.value, "Type", "Subtype", "FormType", "BBox", "Matrix", "Resources", "Length", "Filter") {
		return false
	}
	resources := x.d.resolve(it.value.get("Resources"), x.new)
	modes := x.d.resolve(resources.get("ExtGState"), x.new)
	if !onlyKeys(resources, "ExtGState", "ProcSet") {
		return false
	}
	for i := range modes.pairs {
		if !onlyKeys(x.d.resolve(&modes.pairs[i].value, x.new), "Type", "BM", "ca", "CA", "AIS") {
			return false
		}
	}
	p := &painter{d: x.d, rev: x.new, left: maxMarker}
	content, ok := p.decode(it)
	values := min(maxMarker, x.d.work)
	r := &reader{src: content, values: &values, legal: true}
	type state struct{ multiplies, fill, stroke bool } // the last two: in a light colour
	var (
		now      state
		stack    []state
		operands []value
	)
	for ok {
		if r.space(); r.at >= len(r.src) {
			return true
		}
		var v value
		if r.token(0, &v) != nil {
			return false
		}
		if v.kind != keyword {
			operands = append(operands, v)
			continue
		}
		switch string(v.s) {
		case "q":
			stack = append(stack, now)
		case "Q":
			if ok = len(stack) > 0; ok {
				now, stack = stack[len(stack)-1], stack[:len(stack)-1]
			}
		case "gs":
			mode := &value{}
			if len(operands) == 1 {
				mode = x.d.resolve(modes.get(string(operands[0].s)), x.new)
			}
			if mode.has("BM") {
				now.multiplies = mode.get("BM").isName("Multiply")
			}
		case "rg":
			now.fill = len(operands) == 3 && x.isLight(operands)
		case "RG":
			now.stroke = len(operands) == 3 && x.isLight(operands)
		case "f", "F", "f*":
			ok = now.multiplies && now.fill
		case "s", "S":
			ok = now.multiplies && now.stroke
		case "cm", "re", "m", "l", "c", "v", "y", "h", "n", "w", "J", "j", "M", "d", "i":
		default:
			ok = false
		}
		operands = operands[:0]
	}
	return false
}

const maxMarker = 20_000 // values in the appearance of a highlight
