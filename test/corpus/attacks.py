"""Makes attack files from published descriptions over files of the benign corpus. usage: attacks.py CORPUS

CORPUS holds benign/ and pki/ as benign.py left them; attacks/ with its manifest.json is written beside them.

Sources of the descriptions: "1 Trillion Dollar Refund" (CCS 2019: universal forgery, incremental saving, signature wrapping),
"Shadow Attacks" (NDSS 2021), "Breaking the Specification: PDF Certification" (S&P 2021: evil annotation, sneaky signature), RFC 5652,
RFC 5035 and ISO 32000-2 clause 12.8. What counts as an attack: what is seen or meant has changed since the signature, or the
signature is not the named signer's. "judged": integrity (the bytes are as signed, by anybody) or trust (by a signer under our roots).
"""

import hashlib
import io
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys

import pikepdf
from asn1crypto import cms as asn1_cms
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

import bases
from append import File, Update, plain, stream, walk
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.keys import load_cert_from_pemder, load_private_key_from_pemder

EVIL = b"BT /F1 14 Tf 72 640 Td (Decision on disability: Group: 1, Amount: 950.00 AZN) Tj ET"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
RESOURCES = b"<</Font<</F1 " + FONT + b">>>>"
COVER = b"q 1 1 1 rg 0 0 600 850 re f Q " + EVIL

# Files of several producers and structures; most attacks are made over some of them in turn.
USUAL = ["pyhanko-base-hand14", "pyhanko-base-reportlab", "pyhanko-base-qpdf-streams", "dss-lta-reportlab", "pdfbox-ber-rsa2048", "openpdf-rsa2048", "pdfsign-p256",
         "openssl-p256", "pyhanko-base-chromium", "dss-t-qpdf-linear", "pyhanko-lta-qpdf-streams", "pyhanko-base-hybrid", "pyhanko-base-qpdf-linear-streams",
         "dss-t-chromium", "pdfbox-base-qpdf-streams", "signpdf-plain-adbe-rsa2048", "pyhanko-base-hand-crlf", "dss-lt-archive"]
CERTIFIED1 = ["pyhanko-certified-p1", "dss-certified-p1", "dss-certified-lta-p1", "pdfbox-certified-p1", "openpdf-certified-p1", "pyhanko-certified-p1-lta", "openssl-certified-p1"]
CERTIFIED2 = ["pyhanko-certified-p2", "dss-certified-p2", "dss-certified-lta-p2", "pdfbox-certified-p2", "pyhanko-certified-p2-lta"]
CERTIFIED3 = ["pyhanko-certified-p3", "dss-certified-p3", "pyhanko-certified-p3-lta", "pdfbox-certified-p3"]
UNCOMPRESSED = ["pyhanko-base-hand14", "pyhanko-base-hand-crlf", "pyhanko-base-hand-free", "pyhanko-base-qpdf-qdf", "pyhanko-base-hybrid"]
FORMS = ["pyhanko-form-p2-filled", "pyhanko-form-streams-p2-filled", "pyhanko-form-linear-p2-filled"]


class Maker:
    def __init__(self, corpus):
        self.corpus = pathlib.Path(corpus)
        self.out = self.corpus / "attacks"
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        self.rows, self.turn, self.failed = [], 0, []
        self.pki = self.corpus / "pki"

    def benign(self, name):
        return (self.corpus / "benign" / (name + ".pdf")).read_bytes()

    def signer(self, label, chain=True):
        p = self.pki
        certificates = [load_cert_from_pemder(str(p / f"{c}.crt")) for c in (("attacker_root",) if label == "attacker" else ("issuing", "issuing_rsa", "root"))]
        return signers.SimpleSigner(signing_cert=load_cert_from_pemder(str(p / f"{label}.pem")), signing_key=load_private_key_from_pemder(str(p / f"{label}.key"), None),
                                    cert_registry=SimpleCertificateStore.from_certs(certificates if chain else []))

    def stamper(self):
        return DummyTimeStamper(load_cert_from_pemder(str(self.pki / "tsa.pem")), load_private_key_from_pemder(str(self.pki / "tsa.key"), None),
                                certs_to_embed=SimpleCertificateStore.from_certs([load_cert_from_pemder(str(self.pki / "issuing.crt"))]))

    def sign(self, pdf, label="p256", field="Signature1", new=None, box=None, stamp=None, room=None, **meta):
        w = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
        meta = {"md_algorithm": "sha256", "subfilter": SigSeedSubFilter.PADES, **meta}
        there = [str(f.get_object().get("/T")) for f in w.root["/AcroForm"]["/Fields"]] if "/AcroForm" in w.root else []
        spec = new or (None if field in there else SigFieldSpec(field, box=box))
        return signers.PdfSigner(signers.PdfSignatureMetadata(field_name=field, **meta), signer=self.signer(label), new_field_spec=spec, stamp_style=stamp).sign_pdf(
            w, bytes_reserved=room).getvalue()

    def put(self, attack, changed, make, over, judged="integrity", count=None):
        """make(bytes of a benign file) is tried over the given files; count: over so many of them, in turn."""
        if count:
            over = [over[(self.turn + i) % len(over)] for i in range(min(count, len(over)))]
            self.turn += count
        for name in over:
            file = f"{attack}--{name}.pdf"
            try:
                original = self.benign(name) if name != "made" else None
                made = make(original)
                if made is None:
                    continue
                assert made != original, "nothing has changed"
                (self.out / file).write_bytes(made)
                self.rows.append({"file": file, "attack": attack, "changed": changed, "from": name if name == "made" else name + ".pdf", "judged": judged,
                                  "sha256": hashlib.sha256(made).hexdigest()})
            except Exception as e:
                self.failed.append(f"{file}: {type(e).__name__}: {e}")
                if "-v" in sys.argv:
                    raise

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

    # the signature's own entries

    def entries(self):
        def again(change, page=True):
            """The signature is written again with other entries, and the page is another."""
            def make(pdf):
                f = File(pdf)
                u = Update(f)
                if page:
                    p = f.page()
                    u.put(p, plain(p, Contents=u.new(stream(COVER)), Resources=RESOURCES))
                v = f.field().V
                contents = b"<" + bytes(v.Contents).hex().encode() + b">"
                given = change([int(x) for x in v.ByteRange], contents, len(pdf))
                u.put(v, plain(v, **{"Contents": contents, **given}))
                return u.write()
            return make
        usual = USUAL[:10] + CERTIFIED1[:3]
        for attack, change in {
            "usf-no-contents": lambda r, c, n: {"Contents": None},
            "usf-contents-null": lambda r, c, n: {"Contents": b"null"},
            "usf-contents-empty": lambda r, c, n: {"Contents": b"<>"},
            "usf-contents-zero": lambda r, c, n: {"Contents": b"<00>"},
            "usf-contents-number": lambda r, c, n: {"Contents": b"1"},
            "usf-no-byterange": lambda r, c, n: {"ByteRange": None},
            "usf-byterange-null": lambda r, c, n: {"ByteRange": b"null"},
            "usf-byterange-empty": lambda r, c, n: {"ByteRange": b"[]"},
            "usf-byterange-zeros": lambda r, c, n: {"ByteRange": b"[0 0 0 0]"},
            "usf-byterange-negative": lambda r, c, n: {"ByteRange": b"[0 %d -%d %d]" % (r[1], r[2], r[3])},
            "usf-byterange-strings": lambda r, c, n: {"ByteRange": b"[(0)(1)(2)(3)]"},
            "byterange-two": lambda r, c, n: {"ByteRange": b"[0 %d]" % r[1]},
            "byterange-six": lambda r, c, n: {"ByteRange": b"[0 %d %d %d 0 0]" % (r[1], r[2], r[3])},
            "byterange-split": lambda r, c, n: {"ByteRange": b"[0 100 100 %d %d %d]" % (r[1] - 100, r[2], r[3])},
            "byterange-beyond": lambda r, c, n: {"ByteRange": b"[0 %d %d %d]" % (r[1], r[2], n * 10)},
            "byterange-huge": lambda r, c, n: {"ByteRange": b"[0 %d %d %d]" % (r[1], r[2], 2**63 + r[3])},
            "byterange-overlap": lambda r, c, n: {"ByteRange": b"[0 %d 0 %d]" % (r[2], r[1])},
            "byterange-real": lambda r, c, n: {"ByteRange": b"[0.0 %d.0 %d.0 %d.0]" % tuple(r[1:])},
            "byterange-same": lambda r, c, n: {},
            "subfilter-none": lambda r, c, n: {"SubFilter": None},
            "subfilter-other": lambda r, c, n: {"SubFilter": b"/adbe.x509.rsa_sha1"},
            "subfilter-sha1": lambda r, c, n: {"SubFilter": b"/adbe.pkcs7.sha1"},
            "filter-other": lambda r, c, n: {"Filter": b"/Adobe.PPKMS"},
            "type-none": lambda r, c, n: {"Type": b"/DocTimeStamp", "SubFilter": b"/ETSI.RFC3161"},
        }.items():
            self.put(attack, "the signature is written again with this trick, the page is another", again(change), usual, count=2)

        def in_place(old, new):
            def make(pdf):
                assert old in pdf and len(old) == len(new)
                at = pdf.index(old)
                return pdf[:at] + new + pdf[at + len(old):]
            return make
        self.put("bytes-text", "the signed text says another group", in_place(b"Group: 3", b"Group: 1"), UNCOMPRESSED)
        self.put("bytes-amount", "the signed text says another amount", in_place(b"150.00", b"950.00"), UNCOMPRESSED[:3])
        self.put("bytes-reason", "the signature's reason is changed in its place", in_place(b"(Corpus)", b"(Xorpus)"), ["pyhanko-base-hand14", "dss-b-rsa2048", "openpdf-rsa2048"])
        for trick, pattern, to in (("usf-in-place-byterange", rb"/ByteRange", b"/ByteRangf"), ("usf-in-place-contents", rb"/Contents\s*<3", b"/Contentz")):
            def make(pdf, pattern=pattern, to=to):
                made = in_place(b"Group: 3", b"Group: 1")(pdf)
                at = [m.start() for m in re.finditer(pattern, made)][-1]
                return made[:at] + to + made[at + len(to):]
            self.put(trick, "the text is changed in its place, and a key of the signature is misspelt", make, UNCOMPRESSED[:3])

        def cms(change):
            def make(pdf):
                f = File(pdf)
                a, b = f.contents()
                length = (b - a - 2) // 2
                new = change(bytes(f.field().V.Contents), pdf)
                if new is None:
                    return None
                assert len(new) <= length, "too long"
                return pdf[:a] + b"<" + new.ljust(length, b"\0").hex().encode() + b">" + pdf[b:]
            return make
        self.put("contents-zeros", "/Contents is all zeros", cms(lambda c, _: b""), usual, count=3)
        self.put("contents-garbage", "/Contents is noise", cms(lambda c, _: random.Random(7).randbytes(len(c))), usual, count=3)
        self.put("contents-truncated", "/Contents is cut in its middle", cms(lambda c, _: c[:len(c.rstrip(b"\0")) // 2]), usual, count=3)
        self.put("contents-other-file", "/Contents is from another genuine file", cms(lambda c, _: self.other_contents()), USUAL[:6], count=3)
        def flip(at):
            def change(c, _):
                der = c.rstrip(b"\0")
                i = int(len(der) * at)
                return der[:i] + bytes([der[i] ^ 1]) + der[i + 1:]
            return change
        self.put("contents-flip-signature", "a bit of the signature value is another", self.flip_value, USUAL, count=4)

        def changed(pdf, edit):
            f = File(pdf)
            a, b = f.contents()
            info = asn1_cms.ContentInfo.load(bytes(f.field().V.Contents))
            info = asn1_cms.ContentInfo.load(info.dump(force=True))
            edit(info["content"])
            new = info.dump(force=True)
            length = (b - a - 2) // 2
            assert len(new) <= length, "too long"
            return pdf[:a] + b"<" + new.ljust(length, b"\0").hex().encode() + b">" + pdf[b:]
        der = ["pyhanko-base-hand14", "openssl-p256", "dss-t-qpdf-linear", "pdfsign-p256", "pyhanko-timestamp"]
        self.put("cms-no-signers", "the CMS has certificates but no signer", lambda pdf: changed(pdf, lambda c: c.__setitem__("signer_infos", [])), der, count=3)

        def digest_attribute(c):
            for attribute in c["signer_infos"][0]["signed_attrs"]:
                if attribute["type"].native == "message_digest":
                    attribute["values"] = [hashlib.sha256(b"evil").digest()]
        self.put("cms-message-digest", "the signed digest is another", lambda pdf: changed(pdf, digest_attribute), der, count=3)
        self.put("cms-without-attributes", "the signed attributes are taken out", lambda pdf: changed(pdf, lambda c: c["signer_infos"][0].__delitem__("signed_attrs")), der, count=2)

        self.put("cms-digest-of-changed-text", "the text and the signed digest are changed together",
                 lambda pdf: changed(in_place(b"Group: 3", b"Group: 1")(pdf), lambda c: [a.__setitem__("values", [self.digest(in_place(b"Group: 3", b"Group: 1")(pdf))])
                                                                                         for a in c["signer_infos"][0]["signed_attrs"] if a["type"].native == "message_digest"]), UNCOMPRESSED[:2])

        def attached(pdf):
            """Somebody's genuine CMS over other content, which it carries: the file's bytes are never looked at."""
            signed = self.detached(b"something quite different", "p256", "-nodetach")
            f = File(in_place(b"Group: 3", b"Group: 1")(pdf))
            a, b = f.contents()
            new = signed
            length = (b - a - 2) // 2
            if len(new) > length:
                raise ValueError("too long")
            return f.bytes[:a] + b"<" + new.ljust(length, b"\0").hex().encode() + b">" + f.bytes[b:]
        self.put("cms-attached", "a genuine CMS that carries other content", attached, UNCOMPRESSED[:4])

        def gap_objects(pdf):
            """/Contents ends early; in the room that nobody signed stands another page content, to which an update leads."""
            f = File(pdf)
            a, b = f.contents()
            c = bytes(f.field().V.Contents).rstrip(b"\0")
            n = f.size
            hidden = b"%d 0 obj\n" % n + stream(COVER) + b"\nendobj\n"
            start = a + 1 + 2 * len(c) + 1 + 1
            inside = b"<" + c.hex().encode() + b">\n" + hidden
            room = b - a - len(inside)
            if room < 0:
                raise ValueError("no room")
            f = File(pdf)
            made = pdf[:a] + inside + b"%" + b" " * (room - 1) + pdf[b:]
            f.bytes = made
            u = Update(f)
            u.size = n + 1
            u.redirect[n] = start
            page = f.page()
            u.put(page, plain(page, Contents=b"%d 0 R" % n, Resources=RESOURCES))
            return u.write()
        self.put("gap-object", "an object lies in the room of /Contents, and the page is led to it", gap_objects, ["pyhanko-big-room", "pdfbox-ber-rsa2048", "dss-big-room"])

        def gap_keys(pdf):
            f = File(pdf)
            a, b = f.contents()
            c = bytes(f.field().V.Contents).rstrip(b"\0")
            inside = b"<" + c.hex().encode() + b">/Name(Ministry of Labour)/Reason(Approved)"
            assert len(inside) < b - a
            return pdf[:a] + inside.ljust(b - a, b" ") + pdf[b:]
        self.put("gap-keys", "the room of /Contents holds further entries of the signature: name and reason", gap_keys, ["pyhanko-big-room", "pyhanko-base-hand14", "pdfbox-ber-rsa2048", "openpdf-rsa2048"])

        def wide_gap(_):
            """The honest key signed, but by a program that left the page's content out of the signed bytes."""
            return self.holed(after=b"Group: 1")
        self.put("byterange-skips-page", "the page's content was never signed, and is another now", wide_gap, ["made"])

        def orphan(pdf):
            f = File(pdf)
            u = Update(f)
            p = f.page()
            u.put(p, plain(p, Contents=u.new(stream(COVER)), Resources=RESOURCES, Annots=b"[]"))
            x = f.field()
            form = f.pdf.Root.AcroForm
            twin = u.new(b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Twin)/V " + f.reference(x.V) + b"/Rect[0 0 0 0]/F 132>>")
            put = b"[" + b" ".join([f.reference(k) for k in form.Fields] + [twin]) + b"]"
            if form.is_indirect:
                u.put(form, plain(form, Fields=put))
            else:
                u.put(f.pdf.Root, plain(f.pdf.Root, AcroForm=plain(form, Fields=put)))
            return u.write()
        self.put("field-twin", "a second field has the same signature, the page is another", orphan, USUAL, count=3)

        def emptied(pdf):
            f = File(pdf)
            u = Update(f)
            x = f.field()
            u.put(x, plain(x, V=None))
            p = f.page()
            u.put(p, plain(p, Contents=u.new(stream(COVER)), Resources=RESOURCES))
            return u.write()
        self.put("field-emptied", "the field's signature is taken out, the page is another", emptied, USUAL, count=3)

    def digest(self, pdf):
        f = File(pdf)
        r = [int(x) for x in f.field().V.ByteRange]
        return hashlib.sha256(pdf[r[0]:r[0] + r[1]] + pdf[r[2]:r[2] + r[3]]).digest()

    def other_contents(self):
        f = File(self.benign("pyhanko-p256-sha256"))
        return bytes(f.field().V.Contents).rstrip(b"\0")

    def flip_value(self, pdf):
        f = File(pdf)
        c = bytes(f.field().V.Contents)
        value = asn1_cms.ContentInfo.load(c)["content"]["signer_infos"][0]["signature"].native
        at = c.index(value) + len(value) // 2
        a, b = f.contents()
        return pdf[:a] + b"<" + (c[:at] + bytes([c[at] ^ 1]) + c[at + 1:]).hex().encode() + b">" + pdf[b:]

    def holed(self, after):
        """Signs with a gap that begins before the page's content and ends behind /Contents."""
        content = lambda text: stream(b"BT /F1 14 Tf 72 640 Td (Decision on disability: " + text + b") Tj ET")
        def build(text, ranges, contents):
            out = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
            offsets = {}
            objects = {1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]/SigFlags 3>>>>", 2: b"<</Type/Pages/Count 1/Kids[4 0 R]>>", 3: FONT,
                       4: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents 5 0 R/Annots[6 0 R]>>",
                       6: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Signature1)/V 7 0 R/Rect[0 0 0 0]/F 132/P 4 0 R>>"}
            for n, o in objects.items():
                offsets[n] = len(out)
                out += b"%d 0 obj\n" % n + o + b"\nendobj\n"
            offsets[7] = len(out)
            out += b"7 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/ByteRange[%010d %010d %010d %010d]/Contents" % ranges
            one = len(out)
            out += b"<" + contents.ljust(8000, b"\0").hex().encode() + b">>>\nendobj\n"
            offsets[5] = len(out)
            out += b"5 0 obj\n" + content(text) + b"\nendobj\n"
            two = len(out)
            start = len(out)
            out += b"xref\n0 8\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offsets[n] for n in range(1, 8)) + b"trailer\n<</Size 8/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
            return out, (0, one, two, len(out) - two)
        _, ranges = build(b"Group: 3", (0, 0, 0, 0), b"")
        out, ranges = build(b"Group: 3", ranges, b"")
        signed = self.detached(out[:ranges[1]] + out[ranges[2]:])
        return build(after, ranges, signed)[0]

    def detached(self, content, label="p256", *options):
        scratch = self.out / "content.tmp"
        scratch.write_bytes(content)
        try:
            chain = self.pki / f"{label}.chain.pem"
            return subprocess.run(["openssl", "cms", "-sign", "-binary", "-in", scratch, "-signer", self.pki / f"{label}.pem", "-inkey", self.pki / f"{label}.key", "-certfile", chain,
                                   "-outform", "DER", "-md", "sha256", *options], capture_output=True, check=True).stdout
        finally:
            scratch.unlink()

    # whom to trust

    def trust(self):
        def resigned(make):
            """The text is another, and the whole is signed anew in the same place by whoever make says."""
            def built(_):
                base = bases.raw()
                base = base.replace(b"Group: 3", b"Group: 1")
                return make(base)
            return built
        from benign import Corpus
        embed = lambda pdf, signature: Corpus.embed(None, pdf, signature)

        self.put("trust-attacker", "signed by an authority that only has the same name", resigned(lambda b: self.sign(b, "attacker")), ["made"], "trust")

        def bag(extra, first):
            def signature(content):
                info = asn1_cms.ContentInfo.load(self.detached(content, "attacker"))
                own = [c for c in info["content"]["certificates"]]
                more = [asn1_cms.CertificateChoices("certificate", asn1_x509.Certificate.load(load_cert_from_pemder(str(self.pki / f)).dump())) for f in extra]
                info["content"]["certificates"] = more + own if first else own + more
                return info.dump(force=True)
            return signature
        self.put("trust-genuine-first-in-bag", "the attacker's signature, with the genuine certificate first in the bag", resigned(lambda b: embed(b, bag(["p256.pem", "issuing.crt", "root.crt"], True))), ["made"], "trust")
        self.put("trust-root-in-bag", "the attacker's signature, with the trusted root in the bag", resigned(lambda b: embed(b, bag(["root.crt"], False))), ["made"], "trust")

        def other_sid(content):
            """The signer is said to be the genuine one, the key is the attacker's."""
            info = asn1_cms.ContentInfo.load(bag(["p256.pem", "issuing.crt", "root.crt"], True)(content))
            genuine = load_cert_from_pemder(str(self.pki / "p256.pem"))
            info["content"]["signer_infos"][0]["sid"] = asn1_cms.SignerIdentifier("issuer_and_serial_number", asn1_cms.IssuerAndSerialNumber(
                {"issuer": genuine.issuer, "serial_number": genuine.serial_number}))
            return info.dump(force=True)
        self.put("trust-sid-genuine", "the attacker's key, and the identifier of the genuine certificate", resigned(lambda b: embed(b, other_sid)), ["made"])

        def same_serial(content):
            """A certificate of the attacker with the genuine one's issuer and serial number."""
            from cryptography import x509
            genuine = x509.load_pem_x509_certificate((self.pki / "p256.pem").read_bytes())
            key = serialization.load_pem_private_key((self.pki / "attacker.key").read_bytes(), None)
            forged = (x509.CertificateBuilder().subject_name(genuine.subject).issuer_name(genuine.issuer).public_key(key.public_key()).serial_number(genuine.serial_number)
                      .not_valid_before(genuine.not_valid_before_utc).not_valid_after(genuine.not_valid_after_utc).sign(key, hashes.SHA256()))
            info = asn1_cms.ContentInfo.load(self.detached(content, "attacker"))
            info["content"]["certificates"] = [asn1_cms.CertificateChoices("certificate", asn1_x509.Certificate.load(c)) for c in (
                forged.public_bytes(serialization.Encoding.DER), *(load_cert_from_pemder(str(self.pki / f)).dump() for f in ("p256.pem", "issuing.crt", "root.crt")))]
            info["content"]["signer_infos"][0]["sid"] = asn1_cms.SignerIdentifier("issuer_and_serial_number", asn1_cms.IssuerAndSerialNumber(
                {"issuer": load_cert_from_pemder(str(self.pki / "p256.pem")).issuer, "serial_number": genuine.serial_number}))
            return info.dump(force=True)
        self.put("trust-same-serial", "a forged certificate with the genuine one's issuer and serial number", resigned(lambda b: embed(b, same_serial)), ["made"], "trust")

        def made_signer(eku, days_from=-10, days_to=300, usage=None, key=None, ca=False, digest=hashes.SHA256()):
            """A certificate of the corpus's own issuing authority that is not for signing documents, or not now."""
            import datetime
            from cryptography import x509
            import pki
            issuer = x509.load_pem_x509_certificate((self.pki / "issuing_rsa.crt").read_bytes())
            issuer_key = serialization.load_pem_private_key((self.pki / "issuing_rsa.key").read_bytes(), None)
            key = key or rsa.generate_private_key(65537, 2048)
            now = datetime.datetime.now(datetime.timezone.utc)
            b = (x509.CertificateBuilder().subject_name(pki.name("Web server")).issuer_name(issuer.subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
                 .not_valid_before(now + datetime.timedelta(days=days_from)).not_valid_after(now + datetime.timedelta(days=days_to))
                 .add_extension(x509.BasicConstraints(ca, None), True).add_extension(usage or pki.usage(digital_signature=True), True)
                 .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
                 .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False))
            if eku:
                b = b.add_extension(x509.ExtendedKeyUsage(eku), False)
            c = b.sign(issuer_key, digest)
            der = lambda x: x.public_bytes(serialization.Encoding.DER)
            from asn1crypto import keys as asn1_keys
            return signers.SimpleSigner(signing_cert=asn1_x509.Certificate.load(der(c)),
                                        signing_key=asn1_keys.PrivateKeyInfo.load(key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())),
                                        cert_registry=SimpleCertificateStore.from_certs([asn1_x509.Certificate.load(der(issuer)), load_cert_from_pemder(str(self.pki / "root.crt"))]))

        from cryptography.x509.oid import ExtendedKeyUsageOID
        import pki

        def by(signer, **meta):
            def make(_):
                w = IncrementalPdfFileWriter(io.BytesIO(bases.raw().replace(b"Group: 3", b"Group: 1")))
                meta_all = {"md_algorithm": "sha256", "subfilter": SigSeedSubFilter.PADES, "signer_key_usage": set(), **meta}
                return signers.PdfSigner(signers.PdfSignatureMetadata(field_name="Signature1", **meta_all), signer=signer(),
                                         new_field_spec=SigFieldSpec("Signature1")).sign_pdf(w).getvalue()
            return make
        self.put("trust-web-server", "signed with a web server's certificate of the same authority", by(lambda: made_signer([ExtendedKeyUsageOID.SERVER_AUTH])), ["made"], "trust")
        self.put("trust-time-stamp-key", "signed with a time-stamping certificate of the same authority", by(lambda: made_signer([ExtendedKeyUsageOID.TIME_STAMPING])), ["made"], "trust")
        self.put("trust-key-usage", "signed with a certificate that is only for key agreement", by(lambda: made_signer(
            [pki.DOCUMENT_SIGNING], usage=pki.usage(key_encipherment=True))), ["made"], "trust")
        self.put("trust-expired", "signed after the certificate's end", by(lambda: made_signer([pki.DOCUMENT_SIGNING], -20, -5)), ["made"], "trust")
        self.put("trust-not-yet", "signed before the certificate's beginning", by(lambda: made_signer([pki.DOCUMENT_SIGNING], 5, 50)), ["made"], "trust")
        self.put("weak-sha1", "signed over SHA-1", by(lambda: self.signer("rsa2048"), md_algorithm="sha1", subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED), ["made"], "trust")
        self.put("weak-rsa1024", "signed with RSA of 1,024 bits", by(lambda: made_signer([pki.DOCUMENT_SIGNING], key=rsa.generate_private_key(65537, 1024))), ["made"], "trust")

        def rogue(_):
            """The certificate ended; a time stamp of nobody's authority says that it was in time."""
            import datetime
            old = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=10)
            stamper = DummyTimeStamper(load_cert_from_pemder(str(self.pki / "attacker.pem")), load_private_key_from_pemder(str(self.pki / "attacker.key"), None), fixed_dt=old)
            w = IncrementalPdfFileWriter(io.BytesIO(bases.raw().replace(b"Group: 3", b"Group: 1")))
            return signers.PdfSigner(signers.PdfSignatureMetadata(field_name="Signature1", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, signer_key_usage=set()),
                                     signer=made_signer([pki.DOCUMENT_SIGNING], -20, -5), timestamper=stamper, new_field_spec=SigFieldSpec("Signature1")).sign_pdf(w).getvalue()
        self.put("trust-expired-rogue-stamp", "the certificate ended; a back-dated time stamp of an unknown authority hides it", rogue, ["made"], "trust")

        def mismatch(_):
            """signing-certificate-v2 names another certificate than the signer's."""
            from pyhanko.sign import general
            genuine = general.as_signing_certificate_v2
            other = load_cert_from_pemder(str(self.pki / "rsa2048.pem"))
            try:
                for module in list(sys.modules.values()):
                    if getattr(module, "as_signing_certificate_v2", None) is genuine:
                        module.as_signing_certificate_v2 = lambda cert, hash_algo="sha256": genuine(other, hash_algo)
                return self.sign(bases.raw(), "p256")
            finally:
                for module in list(sys.modules.values()):
                    if getattr(module, "as_signing_certificate_v2", None) is not None:
                        module.as_signing_certificate_v2 = genuine
        self.put("cms-signing-certificate", "signing-certificate-v2 names another certificate", mismatch, ["made"], "trust")

    # behind and before

    def ends(self):
        self.put("trailing-text", "text follows the file", lambda pdf: pdf + b"Group: 1\n" * 20, USUAL + CERTIFIED1[:2], count=4)
        self.put("trailing-noise", "noise follows the file", lambda pdf: pdf + random.Random(3).randbytes(2000), USUAL, count=3)
        self.put("trailing-file", "another PDF follows the file", lambda pdf: pdf + bases.raw().replace(b"Group: 3", b"Group: 1"), USUAL, count=4)
        self.put("trailing-comment", "comments with objects follow the file", lambda pdf: pdf + b"% 5 0 obj (Group: 1) endobj\n" * 3, USUAL, count=2)
        for n in (1, 40, 1500):
            self.put(f"truncated-{n}", f"the last {n:,} bytes are missing", lambda pdf: pdf[:-n].rstrip(b"\r\n") if n == 1 else pdf[:-n], USUAL, count=2)
        for seed in range(12):
            def flip(pdf):
                f = File(pdf)
                a, b = f.contents()
                r = random.Random(seed)
                while True:
                    i = r.randrange(len(pdf))
                    if not a <= i < b and i < a:
                        return pdf[:i] + bytes([pdf[i] ^ (1 << r.randrange(8))]) + pdf[i + 1:]
            self.put(f"flip-{seed}", "one bit of the signed bytes is another", flip, USUAL, count=1)


def text_of(path):
    p = subprocess.run(["pdftotext", path, "-"], capture_output=True)
    return p.stdout if p.returncode == 0 else None


def main():
    m = Maker(sys.argv[1])
    for make in (m.incremental, m.disguised, m.forms, m.shadow, m.wrapping, m.entries, m.trust, m.ends):
        make()
    for r in m.rows:
        if r["from"] != "made":
            r["text_changed"] = text_of(m.out / r["file"]) != text_of(m.corpus / "benign" / r["from"])
    (m.out / "manifest.json").write_text("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in m.rows) + "\n]\n")
    for line in m.failed:
        print("left out " + line, file=sys.stderr)
    kinds = {r["attack"] for r in m.rows}
    print(f"{len(m.rows)} attack files of {len(kinds)} kinds; in {sum(1 for r in m.rows if r.get('text_changed'))} poppler shows another text or none")
    sys.exit(0 if len(m.rows) >= 120 else 1)


if __name__ == "__main__":
    main()
