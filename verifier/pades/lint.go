package pades

import (
	"fmt"
	"slices"
	"sort"
)

// Lint says in words what in a file is not as what we sign must be: built as ours are, one page, no form but the signature, no
// annotation, script, action, embedded file or unreferenced object, all fonts embedded with their character maps, nothing drawn
// that Text would not see; and, where a file says that it is tagged, nothing heard that is not seen, and nothing seen that is not
// heard. No finding means that the file may be signed, or stays as it was signed.
func Lint(pdf []byte) []string { return Inspect(pdf).Findings }

// Inspection is what Inspect finds in a file. Drawn and Heard are complete only without Findings.
type Inspection struct {
	Drawn    []string // see Text
	Heard    []Said   // what a screen reader says, in its order; empty if the file is not tagged
	Attached []byte   // see Attachment
	Findings []string // see Lint

	shown *shown // for ReadInspected; nil if there are findings
}

// Inspect is Text, Lint and a reading aloud in one, for who needs all of every file.
func Inspect(pdf []byte) Inspection {
	if len(pdf) > MaxSize {
		return Inspection{Findings: []string{fmt.Sprintf("larger than %d bytes", MaxSize)}}
	}
	f, err := readFile(pdf)
	if err != nil {
		return Inspection{Findings: []string{"structure: " + err.Error()}}
	}
	l := linter{file: f, seen: map[int]bool{}}
	var ok bool
	if l.attached, l.parts, ok = f.attachment(); !ok {
		l.find("attachment: not as ours is")
	}
	if f.update != nil {
		if _, ok := readExcerpt(f); !ok {
			l.find("structure: the update is not one of our signer's")
		}
		if f.to != len(pdf) {
			l.find("structure: something follows the signature")
		}
	}
	l.tree()
	l.objects()
	l.page()
	sort.Strings(l.findings)
	i := Inspection{Drawn: l.drawn, Heard: l.heard, Attached: l.attached, Findings: slices.Compact(l.findings)}
	if len(i.Findings) == 0 {
		i.shown = f.shown(l.drawn)
	}
	return i
}

type linter struct {
	*file
	seen     map[int]bool // objects that something refers to
	findings []string
	drawn    []string
	heard    []Said
	attached []byte
	parts    map[*value]bool // of which the attachment consists
}

func (l *linter) find(format string, args ...any) {
	if len(l.findings) < 100 {
		l.findings = append(l.findings, fmt.Sprintf(format, args...))
	}
}

// Keys that may stand in the objects from which a reader starts. The rest of the tree is searched for what is forbidden.
var (
	trailerKeys = []string{"Size", "Root", "Info", "ID", "Prev"}
	catalogKeys = []string{"Type", "Version", "Pages", "Lang", "MarkInfo", "StructTreeRoot", "Metadata", "OutputIntents",
		"ViewerPreferences", "PageMode", "PageLayout", "AcroForm", "Perms", "AF", "Names"}
	pagesKeys = []string{"Type", "Count", "Kids", "MediaBox", "Resources"}
	pageKeys  = []string{"Type", "Parent", "Resources", "Contents", "MediaBox", "StructParents", "Tabs", "Group", "Annots"}
)

// forbiddenKeys start something, carry something along, or show one thing now and another later, wherever they stand.
var forbiddenKeys = map[string]string{
	"AA": "action", "OpenAction": "action", "JS": "script", "JavaScript": "script", "URI": "link", "Launch": "action",
	"EmbeddedFile": "embedded file", "EmbeddedFiles": "embedded file", "EF": "embedded file", "AF": "embedded file",
	"RichMedia": "media", "XFA": "form", "Names": "name tree", "Dests": "destination", "Threads": "article thread",
	"OCProperties": "optional content", "OC": "optional content", "Alternates": "alternate image", "OPI": "other prepress image",
	"ActualText": "text that is heard and not seen", "E": "text that is heard and not seen", "RoleMap": "roles under other names",
	"Ref": "reference to another file", "PS": "PostScript", "Encrypt": "encryption", "PieceInfo": "private data", "Collection": "portfolio",
}

// actionNames are the values of /S of an action (ISO 32000-1, table 198). In a structure element, /S is its role.
var actionNames = []string{"GoTo", "GoToR", "GoToE", "Launch", "Thread", "URI", "Sound", "Movie", "Hide", "Named", "SubmitForm",
	"ResetForm", "ImportData", "JavaScript", "SetOCGState", "Rendition", "Trans", "GoTo3DView"}

func (l *linter) keys(what string, v *value, allowed []string) {
	if v.kind != dictionary {
		l.find("%s: missing", what)
	}
	for i := range v.pairs {
		if !slices.Contains(allowed, v.pairs[i].key) {
			l.find("%s: has /%s", what, v.pairs[i].key)
		}
	}
}

// tree walks from the trailer to everything it refers to.
func (l *linter) tree() {
	l.keys("trailer", l.trailer(), trailerKeys)
	catalog := l.resolve(l.trailer().get("Root"))
	l.keys("catalog", catalog, catalogKeys)
	pages := l.resolve(catalog.get("Pages"))
	l.keys("pages", pages, pagesKeys)
	if kids := pages.get("Kids"); !pages.get("Count").isInt(1) || kids.kind != array || len(kids.items) != 1 {
		l.find("pages: not exactly one")
	}
	l.walk(l.trailer())
	if l.update != nil { // what only the original's trailer has
		l.walk(&l.base.trailer)
	}
}

// walk visits a value and what it refers to, each object once. Values of one object are not nested deeper than maxNesting; a chain of
// references may be longer, so objects are visited from a list and not by recursion.
func (l *linter) walk(start *value) {
	queue := []*value{start}
	for len(queue) > 0 {
		v := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		switch v.kind {
		case reference:
			number := int(v.n)
			if l.seen[number] {
				continue
			}
			l.seen[number] = true
			o := l.object(number)
			if o == nil {
				l.find("object %d: referred to, but not there", number)
				continue
			}
			queue = append(queue, &o.value)
		case array:
			for i := range v.items {
				queue = append(queue, &v.items[i])
			}
		case dictionary:
			l.dict(v)
			for i := range v.pairs {
				queue = append(queue, &v.pairs[i].value)
			}
		}
	}
}

func (l *linter) dict(v *value) {
	for i := range v.pairs {
		// Where an attachment must be, and nowhere else, the keys that lead to it are right.
		if what := forbiddenKeys[v.pairs[i].key]; what != "" && !l.parts[v] {
			l.find("%s: /%s", what, v.pairs[i].key)
		}
	}
	if s := v.get("S"); s.kind == name && slices.Contains(actionNames, string(s.s)) {
		l.find("action: /S /%s", s.s)
	}
	if t := v.get("Type"); t.isName("Action") || !l.parts[v] && (t.isName("Filespec") || t.isName("EmbeddedFile")) || t.isName("ObjStm") || t.isName("XRef") {
		l.find("%s: not in what we sign", t.s)
	}
	if v.get("Type").isName("Font") {
		l.font(v)
	}
}

// objects looks for what nothing refers to.
func (l *linter) objects() {
	for _, rev := range []*revision{l.base, l.update} {
		if rev == nil {
			continue
		}
		for i := range rev.objects {
			if o := &rev.objects[i]; !l.seen[o.number] && !emptyOutlines(o) {
				l.find("object %d: nothing refers to it", o.number)
			}
		}
	}
}

// emptyOutlines knows the bookmarks without entries that gopdf writes into every file and refers to from nowhere.
func emptyOutlines(o *object) bool {
	return o.stream == nil && onlyKeys(&o.value, "Type", "Count") && o.value.get("Type").isName("Outlines") && o.value.get("Count").isInt(0)
}

// font checks composite fonts and their descendants; simple fonts are not what we write.
func (l *linter) font(v *value) {
	switch base := v.get("BaseFont").s; string(v.get("Subtype").s) {
	case "Type0":
		if !v.get("Encoding").isName("Identity-H") || v.get("ToUnicode").kind != reference {
			l.find("font %s: no character map", base)
		}
		if below := l.resolve(v.get("DescendantFonts")); below.kind != array || len(below.items) != 1 {
			l.find("font %s: not exactly one descendant", base)
		}
	case "CIDFontType2":
		descriptor := l.resolve(v.get("FontDescriptor"))
		file := descriptor.get("FontFile2")
		if o := l.object(int(file.n)); file.kind != reference || o == nil || len(o.stream) == 0 {
			l.find("font %s: not embedded", base)
		}
	default:
		l.find("font %s: %s, not an embedded TrueType font by glyph", base, v.get("Subtype").s)
	}
}

// operators that our pages may use: paths, colours, text with a font and glyphs, marked content, images. Left out are those that write
// or hide text in other ways: Tr (invisible), ' and ", inline images, shadings, compatibility sections.
var operators = setOf(
	"q", "Q", "cm", "w", "J", "j", "M", "d", "ri", "i", "m", "l", "c", "v", "y", "h", "re", "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "n", "W", "W*",
	"BT", "ET", "Tc", "Tw", "Tz", "TL", "Tf", "Ts", "Td", "TD", "Tm", "T*", "Tj", "TJ",
	"CS", "cs", "SC", "sc", "SCN", "scn", "G", "g", "RG", "rg", "K", "k", "Do", "MP", "DP", "BMC", "BDC", "EMC",
)

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

func (l *linter) page() {
	page, err := l.file.page()
	if err != nil {
		l.find("page: %s", err)
		return
	}
	l.keys("page", page, pageKeys)
	if page.has("Annots") && l.update == nil {
		l.find("page: has annotations")
	}
	resources := l.resolve(page.get("Resources"))
	if resources.kind == null {
		resources = l.resolve(l.resolve(page.get("Parent")).get("Resources"))
	}
	fonts := l.resolve(resources.get("Font"))
	for i := range fonts.pairs {
		font := l.resolve(&fonts.pairs[i].value)
		l.font(font)
		for j := range l.resolve(font.get("DescendantFonts")).items {
			l.font(l.resolve(&l.resolve(font.get("DescendantFonts")).items[j]))
		}
	}
	images := l.resolve(resources.get("XObject"))
	for i := range images.pairs {
		if image := l.resolve(&images.pairs[i].value); !image.get("Subtype").isName("Image") {
			l.find("page: drawing /%s is not an image", images.pairs[i].key)
		}
	}
	spoken := newSpoken(l)
	l.drawn, err = l.text(func(op operation) {
		if !operators[op.operator] {
			l.find("page: operator %q", op.operator)
		}
		spoken.mark(op)
	}, spoken.text)
	if err != nil {
		l.find("page: %s", err)
	}
	if l.tagged() {
		l.listen(page, spoken)
	}
}
