"""What a screen reader hears, and notes: attacks that hide in what may come with a further signature, or on files that allow notes."""

from attackmaker import *

TAGGED = ["pyhanko-base-chromium", "dss-t-chromium", "pdfbox-base-chromium", "pyhanko-base-chromium-streams"]


class Structure:
    # what is heard

    def structure(self):
        def signed_with(change):
            """The file, then somebody's further signature in a new field, with more in its own update."""
            def make(pdf):
                w = IncrementalPdfFileWriter(io.BytesIO(pdf))
                change(w, w.root["/StructTreeRoot"])
                s = signers.PdfSigner(signers.PdfSignatureMetadata(field_name="Second", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES), signer=self.signer("p256"),
                                      new_field_spec=SigFieldSpec("Second"))
                return s.sign_pdf(w).getvalue()
            return make

        def top(tree):
            kids = tree["/K"]
            return kids[0] if isinstance(kids, list) else kids

        def deep(element, role=None):
            """The first element below one, or the first of a role."""
            for kid in ([element["/K"]] if not isinstance(element["/K"], list) else element["/K"]):
                kid = kid.get_object()
                if isinstance(kid, generic.DictionaryObject) and "/S" in kid:
                    if role in (None, kid["/S"]):
                        return kid
                    found = deep(kid, role) if "/K" in kid else None
                    if found is not None:
                        return found
            return None

        def on(key, value, role=None):
            def change(w, tree):
                e = deep(top(tree), role)
                e[pdf_name(key)] = value
                w.update_container(e)
            return change

        text = generic.TextStringObject
        for key, value, what in (("/ActualText", text("Group: 1"), "another text"), ("/Alt", text("Group: 1"), "a description"), ("/E", text("Group: 1"), "an expansion"),
                                 ("/Lang", text("en"), "another language"), ("/S", pdf_name("/Artifact"), "the role of an artefact"), ("/T", text("Group: 1"), "a title"),
                                 ("/K", generic.ArrayObject(), "no content any more")):
            self.put(f"structure-element{key.lower().replace('/', '-')}", f"an element gets {what}, beside a further signature", signed_with(on(key, value)), TAGGED, count=2)

        def roles(w, tree):
            tree[pdf_name("/RoleMap")] = generic.DictionaryObject({pdf_name("/P"): pdf_name("/Artifact"), pdf_name("/H1"): pdf_name("/Artifact")})
            w.update_container(tree)
        self.put("structure-role-map", "paragraphs become artefacts by the role map", signed_with(roles), TAGGED, count=2)

        def order(w, tree):
            d = top(tree)
            d[pdf_name("/K")] = generic.ArrayObject(reversed(list(d.raw_get("/K"))))
            w.update_container(d)
        self.put("structure-order", "the same elements in another order", signed_with(order), TAGGED, count=2)

        def gone(w, tree):
            d = top(tree)
            d[pdf_name("/K")] = generic.ArrayObject(list(d.raw_get("/K"))[1:])
            w.update_container(d)
        self.put("structure-element-gone", "the first element is no longer heard", signed_with(gone), TAGGED, count=2)

        def more(entries):
            def change(w, tree):
                d = top(tree)
                e = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/StructElem"), pdf_name("/P"): generic.IndirectObject(d.container_ref.idnum, d.container_ref.generation, w)})
                for key, value in entries.items():
                    e[pdf_name(key)] = value
                d[pdf_name("/K")] = generic.ArrayObject([*d.raw_get("/K"), w.add_object(e)])
                w.update_container(d)
            return change
        self.put("structure-element-spoken", "a new element behind the others says something that stands nowhere", signed_with(more(
            {"/S": pdf_name("/P"), "/ActualText": text("Group: 1, Amount: 950.00")})), TAGGED, count=2)
        self.put("structure-form-spoken", "a new element for no field says something", signed_with(more({"/S": pdf_name("/Form"), "/Alt": text("Group: 1")})), TAGGED, count=2)
        self.put("structure-content-twice", "a new element claims marks that are another's", signed_with(more({"/S": pdf_name("/H1"), "/K": generic.NumberObject(0)})), TAGGED, count=2)

        def parents(w, tree):
            node = tree["/ParentTree"]
            while "/Kids" in node:
                node = node["/Kids"][0]
            lines = node["/Nums"][1]
            if not isinstance(lines, list) or len(lines) < 2:
                raise ValueError("no list of marks")
            lines[0], lines[1] = lines.raw_get(1), lines.raw_get(0)
            w.update_container(lines)
        self.put("structure-parent-tree", "two marks of the page stand for each other's elements", signed_with(parents), TAGGED, count=2)

    # notes, on files that allow them

    def notes(self):
        def note(entries, look=None, before=b""):
            def make(pdf):
                f = File(pdf)
                u = Update(f)
                ap = b"/AP<</N " + u.new(stream(look, b"/Type/XObject/Subtype/Form/BBox[0 0 100 100]/Resources" + RESOURCES)) + b">>" if look is not None else b""
                page = f.page()
                new = u.new(b"<</Type/Annot/P " + f.reference(page) + b" " + entries + ap + b">>")
                old = [f.reference(a) for a in page.Annots] if "/Annots" in page else []
                u.put(page, plain(page, Annots=b"[" + b" ".join([*old, new]) + b"]"))
                return u.write()
            return make
        over = b"/Rect[180 690 216 726]"
        put = self.put
        put("note-paints", "a note's own picture shows another group over the signed one", note(b"/Subtype/Text" + over, b"1 1 1 rg 0 0 100 100 re f BT /F1 60 Tf 10 10 Td (1) Tj ET"), CERTIFIED3)
        put("note-marker-black", "a black marker over the text", note(b"/Subtype/Highlight/C[0 0 0]/Rect[60 600 400 780]/QuadPoints[60 780 400 780 60 600 400 600]"), CERTIFIED3)
        put("note-marker-paints", "a marker's own picture covers the text", note(b"/Subtype/Highlight/C[1 1 0]/Rect[60 600 400 780]/QuadPoints[60 780 400 780 60 600 400 600]",
            b"1 1 1 rg 0 0 100 100 re f"), CERTIFIED3)
        put("note-marker-writes", "a marker's own picture writes", note(b"/Subtype/Highlight/C[1 1 0]/Rect[60 600 400 780]/QuadPoints[60 780 400 780 60 600 400 600]",
            b"BT /F1 40 Tf 10 10 Td (Group: 1) Tj ET"), CERTIFIED3)
        put("note-underline-paints", "an underline's own picture covers the text", note(b"/Subtype/Underline/Rect[60 600 400 780]/QuadPoints[60 780 400 780 60 600 400 600]",
            b"1 1 1 rg 0 0 100 100 re f"), CERTIFIED3)
        put("note-caret", "a caret whose picture writes", note(b"/Subtype/Caret" + over, b"BT /F1 40 Tf 10 10 Td (1) Tj ET"), CERTIFIED3)
