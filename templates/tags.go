package templates

import "strconv"

// Roles of structure elements (ISO 32000-1, 14.8.4) that our pages use.
type role string

const (
	document  role = "Document"
	heading1  role = "H1"
	heading2  role = "H2"
	paragraph role = "P"
	tableRole role = "Table"
	tableRow  role = "TR"
	rowHead   role = "TH"
	cell      role = "TD"
	figure    role = "Figure"
)

// element is a structure element: what somebody who does not see the page is told that a part of it is. It holds either
// other elements or one piece of marked content.
type element struct {
	role                     role
	parent                   int // place in tags.all
	first, last, next        int // children and sibling; 0: none, for the document is nobody's child
	content                  int // marked-content identifier, or none
	alternate                string
	left, bottom, wide, high float64 // of a figure: its box on the page
}

const none = -1

// tags is the structure tree of a page under way, in reading order, which is the order of drawing.
type tags struct {
	all    []element
	inside int   // the element that is open
	leaves []int // by their marked-content identifiers
}

func newTags() tags {
	return tags{all: append(make([]element, 0, 96), element{role: document, content: none}), leaves: make([]int, 0, 64)}
}

// open begins an element that will hold others.
func (t *tags) open(r role) {
	at := len(t.all)
	t.all = append(t.all, element{role: r, parent: t.inside, content: none})
	if above := &t.all[t.inside]; above.first == 0 {
		above.first, above.last = at, at
	} else {
		t.all[above.last].next, above.last = at, at
	}
	t.inside = at
}

func (t *tags) shut() { t.inside = t.all[t.inside].parent }

// begin opens an element and the marked content that it consists of, up to end.
func (d *drawing) begin(r role) {
	d.tags.open(r)
	id := len(d.tags.leaves)
	d.tags.all[d.tags.inside].content = id
	d.tags.leaves = append(d.tags.leaves, d.tags.inside)
	d.content = append(append(append(d.content, '/'), r...), " <</MCID "...)
	d.content = append(strconv.AppendInt(d.content, int64(id), 10), ">>BDC\n"...)
}

func (d *drawing) end() {
	d.tags.shut()
	d.content = append(d.content, "EMC\n"...)
}

// artifact begins what is drawn for the eye alone, up to endArtifact: lines, grounds, the number of the page.
func (d *drawing) artifact() { d.content = append(d.content, "/Artifact BMC\n"...) }

func (d *drawing) endArtifact() { d.content = append(d.content, "EMC\n"...) }
