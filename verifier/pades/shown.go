package pades

import (
	"bytes"
	"slices"
)

// shown is all on which it depends what a page of ours draws: its content and its fonts' character maps, with the dictionaries that lead
// to them, as they stand in the file. Where all of it is the same again, so is the text.
type shown struct {
	code    string // the first line that is one
	streams []shownStream
	page    []*value // /Contents and the dictionary of fonts, and the fonts' own
}

type shownStream struct {
	head *value
	data []byte
}

// shown notes what a page shows whose text was read; nil if it is not built as ours are.
func (f *file) shown(drawn []string) *shown {
	s := &shown{}
	for _, line := range drawn {
		if s.code = codeIn(line); s.code != "" {
			break
		}
	}
	ok := s.collect(f.resolve, func(number int) (*value, []byte) {
		o := f.object(number)
		if o == nil {
			return &value{}, nil
		}
		return &o.value, o.stream
	}, f.trailer())
	if !ok {
		return nil
	}
	return s
}

// still says whether a revision shows the same.
func (s *shown) still(d *document, rev int) bool {
	var now shown
	ok := now.collect(func(v *value) *value { return d.resolve(v, rev) }, func(number int) (*value, []byte) {
		it := d.load(number, rev)
		if it == nil {
			return &value{}, nil
		}
		return &it.value, it.stream
	}, &d.revisions[rev].trailer)
	return ok && slices.EqualFunc(s.page, now.page, same) &&
		slices.EqualFunc(s.streams, now.streams, func(a, b shownStream) bool { return same(a.head, b.head) && bytes.Equal(a.data, b.data) })
}

// collect walks from the trailer to whatever text reads, in the order in which text does.
func (s *shown) collect(resolve func(*value) *value, stream func(int) (*value, []byte), trailer *value) bool {
	take := func(v *value) bool {
		number, ok := refOf(v)
		if !ok {
			return false
		}
		head, data := stream(number)
		s.streams = append(s.streams, shownStream{head, data})
		return data != nil
	}
	kids := resolve(resolve(trailer.get("Root")).get("Pages")).get("Kids")
	if len(kids.items) == 0 {
		return false
	}
	page := resolve(&kids.items[0])
	resources := page.get("Resources")
	if !page.get("Type").isName("Page") || resources.kind == null || !take(page.get("Contents")) {
		return false
	}
	fonts := resolve(resolve(resources).get("Font"))
	s.page = append(s.page, fonts)
	for i := range fonts.pairs {
		font := resolve(&fonts.pairs[i].value)
		s.page = append(s.page, font)
		if !take(font.get("ToUnicode")) {
			return false
		}
	}
	return true
}
