"""Appends to a PDF whatever one likes, right or wrong: the attack maker's pen. pyHanko and qpdf write only what is sound."""

import io
import re

import pikepdf


class File:
    """A signed file as an attacker reads it."""

    def __init__(self, pdf):
        self.bytes = pdf
        self.pdf = pikepdf.open(io.BytesIO(pdf))
        self.startxref = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
        self.streams = not pdf[self.startxref:self.startxref + 4] == b"xref"
        self.size = max([int(self.pdf.trailer.get("/Size", 0))] + [o.objgen[0] + 1 for o in self.pdf.objects if isinstance(o, pikepdf.Object)])
        self.root = self.pdf.Root.objgen

    def reference(self, o):
        return b"%d %d R" % o.objgen

    def page(self, n=0):
        return self.pdf.pages[n].obj

    def field(self, n=0):
        """The n-th signature field that is signed."""
        found = [f for f in walk(self.pdf.Root.AcroForm.Fields) if f.get("/FT") == "/Sig" and "/V" in f and f.V.get("/Type", "/Sig") != "/DocTimeStamp"]
        return found[n]

    def contents(self):
        """Offsets of the first signature's /Contents with its brackets, by its ByteRange."""
        r = [int(x) for x in self.field().V.ByteRange]
        return r[1], r[2]


def walk(fields):
    for f in fields:
        yield f
        yield from walk(f.get("/Kids", []))


def plain(o, **change):
    """The source of a dictionary with some keys changed; None removes one. Values are bytes."""
    parts = []
    change = {"/" + k: v for k, v in change.items()}
    for key in o.keys():
        if key in change:
            continue
        v = o[key]
        parts.append(key.encode() + b" " + (b"%d %d R" % v.objgen if v.is_indirect else v.unparse()) if isinstance(v, pikepdf.Object)
                     else key.encode() + b" " + literal(v))
    for key, v in change.items():
        if v is not None:
            parts.append(key.encode() + b" " + v)
    return b"<<" + b" ".join(parts) + b">>"


def literal(v):
    if isinstance(v, bool):
        return b"true" if v else b"false"
    return str(v).encode()


def stream(body, extra=b""):
    return b"<<" + extra + b"/Length %d>>\nstream\n" % len(body) + body + b"\nendstream"


class Update:
    """One incremental update. objects: number -> bytes, or (generation, bytes)."""

    def __init__(self, file):
        self.file, self.objects, self.free, self.redirect, self.packed = file, {}, [], {}, {}
        self.size = file.size

    def new(self, body):
        n = self.size
        self.size += 1
        self.objects[n] = body
        return b"%d 0 R" % n

    def put(self, o, body):
        number, generation = o.objgen
        assert number, "a direct object cannot be redefined alone"
        self.objects[number] = (generation, body)

    def write(self, streams=None, root=None, prev=None, trailer=b"", xref=True, end=True, before=b"", startxref=None, info=True, hybrid=False):
        f = self.file
        streams = f.streams if streams is None else streams
        out = io.BytesIO()
        out.write(f.bytes)
        if not f.bytes.endswith((b"\n", b"\r")):
            out.write(b"\n")
        out.write(before)
        rows = {n: (0, 0, 65535) for n in self.free}
        for n, body in sorted(self.objects.items()):
            generation, body = body if isinstance(body, tuple) else (0, body)
            rows[n] = (1, out.tell(), generation)
            out.write(b"%d %d obj\n" % (n, generation) + body + b"\nendobj\n")
        for n, offset in self.redirect.items():
            rows[n] = (1, offset, 0)
        hidden = {}
        if self.packed:
            index, packed = b"", b""
            for n, body in self.packed.items():
                index += b"%d %d " % (n, len(packed))
                packed += body + b"\n"
            container = self.size
            self.size += 1
            rows[container] = (1, out.tell(), 0)
            out.write(b"%d 0 obj\n" % container + stream(index + packed, b"/Type/ObjStm/N %d/First %d" % (len(self.packed), len(index))) + b"\nendobj\n")
            for i, n in enumerate(self.packed):
                hidden[n] = (2, container, i)
        if not xref:
            return out.getvalue()
        t = f.pdf.trailer
        common = b"/Root " + (root or b"%d %d R" % f.root)
        if info and "/Info" in t and t["/Info"].is_indirect:
            common += b"/Info " + f.reference(t["/Info"])
        if "/ID" in t:
            common += b"/ID" + t["/ID"].unparse()
        if prev is not False:
            common += b"/Prev %d" % (f.startxref if prev is None else prev)
        if streams:
            own = self.size
            self.size += 1
            start = out.tell()
            rows.update(hidden)
            rows[own] = (1, start, 0)
            body = b"".join(bytes([k]) + a.to_bytes(4, "big") + b.to_bytes(2, "big") for _, (k, a, b) in sorted(rows.items()))
            index = b" ".join(b"%d 1" % n for n in sorted(rows))
            out.write(b"%d 0 obj\n" % own + stream(body, b"/Type/XRef/W[1 4 2]/Size %d/Index[" % self.size + index + b"]" + common + trailer) + b"\nendobj\n")
        else:
            if hybrid or hidden:
                own = self.size
                self.size += 1
                at = out.tell()
                body = b"".join(bytes([k]) + a.to_bytes(4, "big") + b.to_bytes(2, "big") for _, (k, a, b) in sorted(hidden.items()))
                index = b" ".join(b"%d 1" % n for n in sorted(hidden))
                out.write(b"%d 0 obj\n" % own + stream(body, b"/Type/XRef/W[1 4 2]/Size %d/Index[" % self.size + index + b"]" + common) + b"\nendobj\n")
                rows[own] = (1, at, 0)
                trailer += b"/XRefStm %d" % at
            start = out.tell()
            out.write(b"xref\n")
            if not rows:
                out.write(b"0 0\n")
            for n, (k, a, b) in sorted(rows.items()):
                out.write(b"%d 1\n%010d %05d %s \n" % (n, a, b, b"n" if k else b"f"))
            if end is None:
                return out.getvalue()
            out.write(b"trailer\n<</Size %d" % self.size + common + trailer + b">>\n")
        if end:
            out.write(b"startxref\n%d\n%%%%EOF\n" % (start if startxref is None else startxref))
        return out.getvalue()
