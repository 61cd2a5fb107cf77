"""The signature's own entries: universal forgery, and what CMS allows to be said twice."""

from attackmaker import *


class Entries:
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
