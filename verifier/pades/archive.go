package pades

import (
	"bytes"
	"crypto/sha256"

	"github.com/tesdiq/tesdiq/keys"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// What may follow the signature of a file of ours: updates that add to the document security store or add a document time stamp
// (EN 319 142-1, 5.4 and 5.5), judged object by object against the revision before.

// archive is what follows a signature.
type archive struct {
	stamps []docStamp
	store  bool // there is a store that has certificates and answers
	last   bool // the last revision is a time stamp
}

// docStamp is a document time stamp, its token not read yet.
type docStamp struct {
	signature
	end int // of the revision that it covers
}

// readArchive says whether the revisions after the signature are such updates and nothing else.
func readArchive(f *file) (*archive, bool) {
	a := &archive{}
	if len(f.later) == 0 {
		return a, true
	}
	root, _ := refOf(f.update.trailer.get("Root"))
	_, _, page, ok := firstPage(f.base, root)
	if !ok {
		return nil, false
	}
	s := &stored{root: root, page: page, info: f.update.trailer.get("Info"), size: f.update.size,
		catalog: &f.update.object(root).value, pageNow: &f.update.object(page).value}
	for _, v := range f.later {
		if !onlyKeys(&v.trailer, "Size", "Root", "Info", "Prev", "ID") || !v.trailer.get("Root").isRef(root) || !same(v.trailer.get("Info"), s.info) {
			return nil, false
		}
		if stamp, ok := s.readDocStamp(f.src[:v.to], v); ok {
			a.stamps, a.last = append(a.stamps, stamp), true
		} else if s.readStore(v) {
			a.store, a.last = a.store || s.store != nil && s.store.has("Certs") && s.store.has("OCSPs"), false
		} else {
			return nil, false
		}
		s.size = v.size
	}
	return a, true
}

// stored is how the objects that an archive touches stand before an update.
type stored struct {
	root, page, number int // number of the store's dictionary; 0: none yet
	size               int
	info               *value
	catalog, pageNow   *value
	store              *value
}

// readStore reads an update that adds to the store.
func (s *stored) readStore(v *revision) bool {
	number, catalog := s.number, s.catalog
	if o := v.object(s.root); o != nil {
		if number != 0 || !extends(&o.value, catalog, "DSS") && !extends(&o.value, catalog, "DSS", "Extensions") || !isExtensions(o.value.get("Extensions")) {
			return false
		}
		catalog = &o.value
		if number, _ = refOf(catalog.get("DSS")); number < s.size { // an object that was there is not to become something else
			return false
		}
	}
	o := v.object(number)
	if number == 0 || o == nil || o.stream != nil || !onlyKeys(&o.value, "Type", "Certs", "OCSPs", "CRLs") || !o.value.get("Type").isName("DSS") {
		return false
	}
	streams := 0
	for _, key := range []string{"Certs", "OCSPs", "CRLs"} {
		list := o.value.get(key)
		var had []value
		if s.store != nil {
			had = s.store.get(key).items
		}
		if list.kind == null && len(had) == 0 {
			continue
		}
		if list.kind != array || len(list.items) < len(had) {
			return false
		}
		for i := range list.items {
			if i < len(had) {
				if !same(&list.items[i], &had[i]) {
					return false
				}
				continue
			}
			n, ok := refOf(&list.items[i])
			item := v.object(n)
			if !ok || n < s.size || item == nil || !onlyKeys(&item.value, "Length") || !isDER(item.stream) {
				return false
			}
			streams++
		}
	}
	want := streams + 1
	if catalog != s.catalog {
		want++
	}
	if len(v.objects) != want {
		return false
	}
	s.number, s.catalog, s.store = number, catalog, &o.value
	return true
}

// isExtensions says whether v is the extension level of EN 319 142-1, 5.6, or absent.
func isExtensions(v *value) bool {
	level := v.get("ESIC")
	return v.kind == null || onlyKeys(v, "ESIC") && onlyKeys(level, "BaseVersion", "ExtensionLevel") &&
		level.get("BaseVersion").isName("1.7") && level.get("ExtensionLevel").isInt(2)
}

// isDER says whether b is one DER sequence.
func isDER(b []byte) bool {
	in, one := cryptobyte.String(b), cryptobyte.String(nil)
	return in.ReadASN1(&one, casn1.SEQUENCE) && in.Empty()
}

// readDocStamp reads an update that adds a document time stamp in a field of its own.
func (s *stored) readDocStamp(src []byte, v *revision) (docStamp, bool) {
	var d docStamp
	catalog, page := v.object(s.root), v.object(s.page)
	if catalog == nil || page == nil || len(v.objects) != 4 || v.size != s.size+2 {
		return d, false
	}
	sig, widget := v.object(s.size), v.object(s.size+1)
	if sig == nil || widget == nil {
		return d, false
	}
	for _, o := range v.objects {
		if o.stream != nil {
			return d, false
		}
	}
	form, before := catalog.value.get("AcroForm"), s.catalog.get("AcroForm")
	if !sameBut(&catalog.value, s.catalog, "AcroForm") || !sameBut(form, before, "Fields") || !oneMore(form.get("Fields"), before.get("Fields"), s.size+1) ||
		!sameBut(&page.value, s.pageNow, "Annots") || !oneMore(page.value.get("Annots"), s.pageNow.get("Annots"), s.size+1) ||
		!isField(&widget.value, s.size, s.page) {
		return d, false
	}
	dict := &sig.value
	if !onlyKeys(dict, "Type", "Filter", "SubFilter", "ByteRange", "Contents") || !dict.get("Type").isName("DocTimeStamp") ||
		!dict.get("Filter").isName("Adobe.PPKLite") || !dict.get("SubFilter").isName("ETSI.RFC3161") {
		return d, false
	}
	found, ok := readContents(src, dict)
	if !ok {
		return d, false
	}
	s.catalog, s.pageNow = &catalog.value, &page.value
	return docStamp{*found, len(src)}, true
}

// sameBut says whether two dictionaries are the same, in the same order, but for the value of one key.
func sameBut(a, b *value, key string) bool {
	if a.kind != dictionary || b.kind != dictionary || len(a.pairs) != len(b.pairs) {
		return false
	}
	for i := range a.pairs {
		if a.pairs[i].key != b.pairs[i].key || a.pairs[i].key != key && !same(&a.pairs[i].value, &b.pairs[i].value) {
			return false
		}
	}
	return true
}

// oneMore says whether now is the array before with one reference at its end.
func oneMore(now, before *value, number int) bool {
	if now.kind != array || before.kind != array || len(now.items) != len(before.items)+1 {
		return false
	}
	for i := range before.items {
		if !same(&now.items[i], &before.items[i]) {
			return false
		}
	}
	return now.items[len(before.items)].isRef(number)
}

// read reads the token and says whether it is over the file as it stood then, and whole. Who made it is for trust.
func (d *docStamp) read(src []byte) (*stamp, bool) {
	h := sha256.New()
	h.Write(src[:d.from])
	h.Write(src[d.to:d.end])
	return readToken(d.contents, h.Sum(nil))
}

// readToken reads a time-stamp token over a digest.
func readToken(der, imprint []byte) (*stamp, bool) {
	token, bad := readCMS(der, oidTSTInfo)
	if bad != nil {
		return nil, false
	}
	content := sha256.Sum256(token.content)
	at, ok := readTSTInfo(token.content, imprint)
	if !ok || !bytes.Equal(content[:], token.digest) || token.token != nil || token.verify() != nil || token.identify() != nil {
		return nil, false
	}
	return &stamp{token, at}, true
}

// judge says whether every document time stamp is whole, and which level the file has reached.
func (a *archive) judge(f *file, roots *keys.Roots) (level string, whole bool) {
	trusted := false // the last time stamp
	for i := range a.stamps {
		stamp, ok := a.stamps[i].read(f.src)
		if !ok {
			return "", false
		}
		if i == len(a.stamps)-1 && roots != nil {
			trusted = stamp.trust(roots) == nil
		}
	}
	switch {
	case a.store && a.last && trusted:
		return "B-LTA", true
	case a.store:
		return "B-LT", true
	}
	return "B-T", true
}
