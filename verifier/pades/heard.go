package pades

import (
	"strings"
	"unicode/utf16"
)

// Said is one piece of what a screen reader says: its role (ISO 32000-1, 14.8.4) and, of a figure, the text in its place.
type Said struct{ Role, Text string }

// spoken collects the text of a page by its marked content.
type spoken struct {
	l      *linter
	open   []int    // identifiers of what is open
	pieces [][]byte // text by identifier
	used   []bool   // identifiers that were begun
}

// What stands for the identifier of marked content that has none.
const (
	artefact = -1
	outside  = -2
)

func newSpoken(l *linter) *spoken { return &spoken{l: l} }

// maxMarked bounds the identifiers of one page.
const maxMarked = 4096

// mark follows the operators of marked content (ISO 32000-1, 14.6). In a file that says that it is tagged, what is not
// an artefact has an identifier, and neither is inside the other.
func (s *spoken) mark(op operation) {
	switch op.operator {
	case "BMC", "BDC":
		id := outside
		switch {
		case len(op.operands) == 0 || op.operands[0].kind != name:
			s.l.find("page: marked content without a tag")
		case op.operands[0].isName("Artifact"):
			id = artefact
		case op.operator == "BDC" && len(op.operands) == 2 && onlyKeys(&op.operands[1], "MCID") && op.operands[1].get("MCID").kind == integer:
			id = int(op.operands[1].get("MCID").n)
		}
		// What is said of artefacts may stand there too, but a dictionary could hold text that is heard.
		if id == artefact && op.operator == "BDC" && (len(op.operands) != 2 || !onlyKeys(&op.operands[1], "Type", "BBox", "Attached", "Subtype")) {
			s.l.find("page: artefact with more than its type")
		}
		if len(s.open) > 0 && s.l.tagged() {
			s.l.find("page: marked content inside other")
		}
		if id == outside && s.l.tagged() {
			s.l.find("page: marked content that no element can hold")
		}
		if id >= 0 {
			if id >= maxMarked || id < len(s.used) && s.used[id] {
				s.l.find("page: marked content %d is there twice, or too many", id)
				id = outside
			} else {
				for len(s.used) <= id {
					s.used, s.pieces = append(s.used, false), append(s.pieces, nil)
				}
				s.used[id] = true
			}
		}
		s.open = append(s.open, id)
	case "EMC":
		if len(s.open) == 0 {
			s.l.find("page: marked content ends that was not begun")
			return
		}
		s.open = s.open[:len(s.open)-1]
	case "Tj", "TJ", "Do", "f", "F", "f*", "S", "s", "B", "B*", "b", "b*":
		if len(s.open) == 0 && s.l.tagged() {
			s.l.find("page: something is drawn that is neither heard nor an artefact")
		}
	}
}

// text is told each line that is drawn.
func (s *spoken) text(line string) bool {
	if n := len(s.open); n > 0 && s.open[n-1] >= 0 {
		s.pieces[s.open[n-1]] = append(s.pieces[s.open[n-1]], line...)
	}
	return false
}

// tagged says whether the file says so of itself.
func (l *linter) tagged() bool {
	marked := l.resolve(l.resolve(l.trailer().get("Root")).get("MarkInfo")).get("Marked")
	return marked.kind == boolean && marked.n == 1
}

// listen walks the structure tree in the order in which it is heard, and compares it with what was drawn.
func (l *linter) listen(page *value, s *spoken) {
	catalog := l.resolve(l.trailer().get("Root"))
	if catalog.get("Lang").kind != text || len(catalog.get("Lang").s) == 0 {
		l.find("tags: no language")
	}
	if !page.get("Tabs").isName("S") || !page.get("StructParents").isInt(0) {
		l.find("tags: the page is not in the order of its structure")
	}
	if len(s.open) > 0 {
		l.find("page: marked content does not end")
	}
	root := l.resolve(catalog.get("StructTreeRoot"))
	if root.kind != dictionary {
		l.find("tags: no structure")
		return
	}
	// By identifier: which element the parent tree says.
	nums := l.resolve(root.get("ParentTree")).get("Nums")
	var parents []value
	if nums.kind == array && len(nums.items) == 2 && nums.items[0].isInt(0) && nums.items[1].kind == array {
		parents = nums.items[1].items
	}
	if len(parents) != len(s.used) {
		l.find("tags: the parent tree is not that of the page")
		return
	}
	heard := make([]bool, len(s.used))
	seen := map[int32]bool{}
	var walk func(v *value, depth int)
	walk = func(v *value, depth int) {
		if v.kind != reference || seen[v.n] || depth > maxNesting {
			l.find("tags: an element is no object, is there twice, or is too deep")
			return
		}
		seen[v.n] = true
		e := l.resolve(v)
		role := string(e.get("S").s)
		if e.kind != dictionary || e.get("S").kind != name {
			l.find("tags: an element without a role")
			return
		}
		if e.has("Alt") && role != "Figure" || role == "Figure" && e.get("Alt").kind != text {
			l.find("tags: %s: only a figure has text in its place", role)
		}
		switch k := e.get("K"); k.kind {
		case array:
			for i := range k.items {
				walk(&k.items[i], depth+1)
			}
		case integer:
			id := int(k.n)
			if id < 0 || id >= len(heard) || heard[id] || !parents[id].isRef(int(v.n)) {
				l.find("tags: %s holds content that is not its own", role)
				return
			}
			heard[id] = true
			said := Said{role, strings.TrimSpace(string(s.pieces[id]))}
			if role == "Figure" {
				if said.Text != "" {
					l.find("tags: a figure with text")
				}
				said.Text = decodeText(e.get("Alt").s)
			}
			l.heard = append(l.heard, said)
		default:
			l.find("tags: %s is empty", role)
		}
	}
	walk(root.get("K"), 0)
	for id := range heard {
		if !heard[id] || !s.used[id] {
			l.find("tags: content %d is seen and not heard", id)
		}
	}
}

// decodeText reads a text string in UTF-16, as ours are; of others what is ASCII.
func decodeText(b []byte) string {
	if len(b) >= 2 && b[0] == 0xfe && b[1] == 0xff {
		var units []uint16
		for rest := b[2:]; len(rest) >= 2; rest = rest[2:] {
			units = append(units, uint16(rest[0])<<8|uint16(rest[1]))
		}
		return string(utf16.Decode(units))
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(b))
}
