package pades_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What anybody can write behind a file: updates with right tables and trailers, and any objects.

var sizeKey = regexp.MustCompile(`/Size (\d+)`)

// increment appends an update.
func increment(base []byte, objects ...forgedObject) []byte {
	return incrementWith(base, "/Root 1 0 R/Info 14 0 R", objects...)
}

// incrementWith appends an update with its own keys in the trailer.
func incrementWith(base []byte, keys string, objects ...forgedObject) []byte {
	u := &forgedUpdate{objects: objects, trailer: fmt.Sprintf("<</Size %d%s/Prev %%d>>", sizeAfter(base, objects), keys)}
	return u.write(nil, base)
}

func sizeAfter(base []byte, objects []forgedObject) int {
	all := sizeKey.FindAllSubmatch(base, -1)
	size, err := strconv.Atoi(string(all[len(all)-1][1]))
	if err != nil {
		panic(err)
	}
	for _, o := range objects {
		size = max(size, o.number+1)
	}
	return size
}

// body gives the newest version of an object.
func body(file []byte, number int) string {
	at := bytes.LastIndex(file, fmt.Appendf(nil, "\n%d 0 obj\n", number))
	if at < 0 {
		panic(fmt.Sprintf("no object %d", number))
	}
	_, rest, _ := bytes.Cut(file[at+1:], []byte("\n"))
	found, _, _ := bytes.Cut(rest, []byte("\nendobj"))
	return string(found)
}

// edited gives an object with some of its text replaced.
func edited(file []byte, number int, oldNew ...string) forgedObject {
	text := body(file, number)
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			panic(fmt.Sprintf("object %d has no %q: %.300s", number, oldNew[i], text))
		}
		text = strings.Replace(text, oldNew[i], oldNew[i+1], 1)
	}
	return forgedObject{number, text}
}

// stream writes a stream object.
func stream(number int, keys, data string) forgedObject {
	return forgedObject{number, fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", keys, len(data), data)}
}

// contract is a signed file with a text field "Ad" (15), a check box "Razı" (17) and a signature field "Müştəri" that is still empty (18). p is what is
// said of changes: "/P 1" to "/P 3", or nothing. locks goes into the signature's field.
func (w *world) contract(p, locks string) []byte { return w.contractWith(p, locks, nil) }

// contractWith is a contract with something more, of which change tells its writer.
func (w *world) contractWith(p, locks string, change func(*forgedUpdate)) []byte {
	u := w.genuine()
	const docMDP = "/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]"
	if p == "" {
		u.replace(12, docMDP, "")
		u.replace(1, "/Perms <</DocMDP 12 0 R>>\n", "")
	} else {
		u.replace(12, "/P 1", p)
	}
	u.replace(13, "/F 132", "/F 132"+locks)
	u.replace(1, "[13 0 R]", "[13 0 R 15 0 R 17 0 R 18 0 R]")
	u.replace(5, "[13 0 R]", "[13 0 R 15 0 R 17 0 R 18 0 R 24 0 R]")
	form := "/Type/XObject/Subtype/Form/BBox[0 0 150 20]/Resources<</Font<</F1 10 0 R>>>>"
	u.objects = append(u.objects,
		forgedObject{15, "<</Type/Annot/Subtype/Widget/FT/Tx/T(Ad)/V(Aysel)/P 5 0 R/Rect[50 50 200 70]/F 4/AP<</N 16 0 R>>>>"},
		stream(16, form, "BT /F1 9 Tf (Aysel) Tj ET"),
		forgedObject{17, "<</Type/Annot/Subtype/Widget/FT/Btn/T(Razi)/V/Off/AS/Off/P 5 0 R/Rect[50 80 60 90]/F 4/AP<</N<</Off 19 0 R/On 20 0 R>>>>>>"},
		forgedObject{18, "<</Type/Annot/Subtype/Widget/FT/Sig/T(Customer)/P 5 0 R/Rect[300 50 400 90]/F 4>>"},
		stream(19, form, ""), stream(20, form, "0 0 10 10 re f"),
		stream(21, "/Type/XObject/Subtype/Form/BBox[0 0 9 9]", "prepared, and used by nothing"),
		forgedObject{24, "<</Type/Annot/Subtype/Square/P 5 0 R/Rect[200 300 220 320]/F 4>>"},
	)
	u.trailer = strings.Replace(u.trailer, "15", "25", 1)
	if change != nil {
		change(u)
	}
	return u.write(w, w.page)
}

// signAgain signs a contract a second time: in its empty field, or, with keys, in a new one.
func (w *world) signAgain(file []byte, field, keys string, more ...forgedObject) []byte {
	u := w.genuine()
	u.sig = 30
	u.objects = append([]forgedObject{{30, "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:20261121110000Z)"}}, more...)
	if field != "" {
		u.objects = append(u.objects, edited(file, 18, "/FT/Sig", "/FT/Sig/V 30 0 R"+field))
	} else {
		u.objects = append(u.objects, forgedObject{31, "<</Type/Annot/Subtype/Widget/FT/Sig/T(Second)/V 30 0 R/P 5 0 R" + keys + ">>"},
			edited(file, 5, "24 0 R]", "24 0 R 31 0 R]"))
		if !slices.ContainsFunc(more, func(o forgedObject) bool { return o.number == 1 }) {
			u.objects = append(u.objects, edited(file, 1, "Fields[", "Fields[31 0 R "))
		}
	}
	u.trailer = fmt.Sprintf("<</Size %d/Root 1 0 R/Info 14 0 R/Prev %%d>>", sizeAfter(file, u.objects))
	return u.write(w, file)
}

// stampDocument adds a document time stamp.
func (w *world) stampDocument(file []byte, number int, at time.Time, rect string, change func(*forgedCMS)) []byte {
	u := w.genuine()
	u.sig = number
	u.objects = []forgedObject{
		{number, "<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161"},
		{number + 1, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(Stamp%d)/V %d 0 R/P 5 0 R/Rect[%s]/F 132>>", number, number, rect)},
		edited(file, 1, "Fields[", fmt.Sprintf("Fields[%d 0 R ", number+1)),
	}
	page := body(file, 5)
	at5 := strings.Index(page, "/Annots [") + len("/Annots [")
	u.objects = append(u.objects, forgedObject{5, page[:at5] + fmt.Sprintf("%d 0 R ", number+1) + page[at5:]})
	u.trailer = fmt.Sprintf("<</Size %d/Root 1 0 R/Info 14 0 R/Prev %%d>>", sizeAfter(file, u.objects))
	u.stamp = func(digest []byte) []byte { return w.stampOf(digest, at, oidSHA256, change) }
	return u.write(w, file)
}

// store adds a document security store with these streams.
func store(file []byte, certs, ocsps, crls [][]byte, more ...forgedObject) []byte {
	number := sizeAfter(file, nil)
	dss := forgedObject{number, "<</Type/DSS"}
	objects := []forgedObject{}
	for _, kind := range []struct {
		key  string
		list [][]byte
	}{{"Certs", certs}, {"OCSPs", ocsps}, {"CRLs", crls}} {
		dss.body += "/" + kind.key + "["
		for _, der := range kind.list {
			objects = append(objects, stream(number+1+len(objects), "", string(der)))
			dss.body += fmt.Sprintf("%d 0 R ", number+len(objects))
		}
		dss.body += "]"
	}
	dss.body += ">>"
	objects = append(objects, dss, edited(file, 1, "/AcroForm", fmt.Sprintf("/DSS %d 0 R/AcroForm", number)))
	return increment(file, append(objects, more...)...)
}
