"""Unsigned PDFs of every structure that people's programs write. Each function makes one or several; all() makes them all."""

import io
import pathlib
import shutil
import subprocess

import fpdf
import pikepdf
from pikepdf import Array, Dictionary, Name, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LINES = ["Decision on disability", "Name: Invented Person", "Group: 3", "Valid until: 31.12.2027", "Amount: 150.00 AZN"]


def text(lines, x=72, y=760):
    out = b"BT /F1 14 Tf %d %d Td 20 TL\n" % (x, y)
    for line in lines:
        out += b"(" + line.encode("latin-1") + b") Tj T*\n"
    return out + b"ET\n"


def raw(newline=b"\n", version=b"1.4", pages=1, tail=b"\n", free=False, generation=0, xref_space=b" ", info=True, inherit=False, kids_depth=1,
        indirect_length=False, split_content=False):
    """A file written by hand, byte for byte, with a classic cross-reference table."""
    objects = {}
    font = 3
    objects[font] = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    number = 4
    if free:
        number = 6  # 4 and 5 are free
    kids = []
    resources = b"/Resources<</Font<</F1 3 0 R>>>>"
    parents = [2]
    for depth in range(1, kids_depth):
        parents.append(number)
        number += 1
    for page in range(pages):
        body = text(LINES + [f"Page {page + 1} of {pages}"])
        bodies = [body]
        if split_content:
            middle = body.index(b"T*\n") + 3
            bodies = [body[:middle], body[middle:]]
        contents = []
        for b in bodies:
            n = number
            number += 1
            length = b"%d" % len(b)
            if indirect_length:
                objects[number] = length
                length = b"%d 0 R" % number
                number += 1
            objects[n] = b"<</Length " + length + b">>" + newline + b"stream\r\n" + b + newline + b"endstream"
            contents.append(b"%d 0 R" % n)
        kids.append(number)
        objects[number] = (b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]" % parents[-1] + (b"" if inherit else resources) +
                           b"/Contents" + (b" " + contents[0] if len(contents) == 1 else b"[" + b" ".join(contents) + b"]") + b">>")
        number += 1
    objects[1] = b"<</Type/Catalog/Pages 2 0 R>>"
    below = b" ".join(b"%d 0 R" % k for k in kids)
    for depth in range(kids_depth - 1, -1, -1):
        n = parents[depth]
        up = b"" if depth == 0 else b"/Parent %d 0 R" % parents[depth - 1]
        objects[n] = b"<</Type/Pages/Count %d/Kids[" % pages + below + b"]" + up + (resources if inherit and depth == 0 else b"") + b">>"
        below = b"%d 0 R" % n
    if info:
        objects[number] = b"<</Producer(written by hand)/Title(Decision)>>"
        number += 1
    out = io.BytesIO()
    out.write(b"%PDF-" + version + newline + b"%\xe2\xe3\xcf\xd3" + newline)
    offsets = {}
    for n in sorted(objects):
        offsets[n] = out.tell()
        g = generation if n == font else 0
        out.write(b"%d %d obj" % (n, g) + newline + objects[n].replace(b"3 0 R>>>>", b"3 %d R>>>>" % generation) + newline + b"endobj" + newline)
    start = out.tell()
    end = b"\r\n" if xref_space == b"" else xref_space + (b"\r" if newline == b"\r" else b"\n")
    out.write(b"xref" + newline + b"0 %d" % number + newline)
    freed = [0, *sorted(n for n in range(1, number) if n not in offsets)]
    for n in range(number):
        if n in offsets:
            out.write(b"%010d %05d n" % (offsets[n], generation if n == font else 0) + end)
        else:
            following = freed[(freed.index(n) + 1) % len(freed)]
            out.write(b"%010d %05d f" % (following, 65535 if n == 0 else 1) + end)
    out.write(b"trailer" + newline + b"<</Size %d/Root 1 0 R" % number + (b"/Info %d 0 R" % (number - 1) if info else b"") +
              b"/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]>>" + newline +
              b"startxref" + newline + b"%d" % start + newline + b"%%EOF" + tail)
    return out.getvalue()


def hybrid():
    """A hybrid-reference file as word processors write it: table for everybody, /XRefStm with an object stream for the newer."""
    body = text(LINES)
    plain = {
        1: b"<</Type/Catalog/Pages 2 0 R/StructTreeRoot 6 0 R/MarkInfo<</Marked true>>/Lang(en)>>",
        2: b"<</Type/Pages/Count 1/Kids[4 0 R]>>",
        3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        4: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents 5 0 R/StructParents 0>>",
        5: b"<</Length %d>>\nstream\n" % len(body) + body + b"\nendstream",
    }
    hidden = {6: b"<</Type/StructTreeRoot/K 7 0 R>>", 7: b"<</Type/StructElem/S/Document/P 6 0 R/K[]>>"}
    out = io.BytesIO()
    out.write(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    offsets = {}
    for n, o in plain.items():
        offsets[n] = out.tell()
        out.write(b"%d 0 obj\n" % n + o + b"\nendobj\n")
    index, packed = b"", b""
    for n, o in hidden.items():
        index += b"%d %d " % (n, len(packed))
        packed += o + b"\n"
    offsets[8] = out.tell()
    out.write(b"8 0 obj\n<</Type/ObjStm/N 2/First %d/Length %d>>\nstream\n" % (len(index), len(index) + len(packed)) + index + packed + b"\nendstream\nendobj\n")
    offsets[9] = out.tell()
    # The stream names what the table hides: 6 and 7 in the object stream, 8 the stream itself.
    rows = b"\x02" + (8).to_bytes(4, "big") + b"\x00" + b"\x02" + (8).to_bytes(4, "big") + b"\x01" + b"\x01" + offsets[8].to_bytes(4, "big") + b"\x00"
    out.write(b"9 0 obj\n<</Type/XRef/Size 10/W[1 4 1]/Index[6 3]/Root 1 0 R/Length %d>>\nstream\n" % len(rows) + rows + b"\nendstream\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 10\n")
    freed = [0, 6, 7, 8, 9]
    for n in range(10):
        if n in plain:
            out.write(b"%010d 00000 n \n" % offsets[n])
        else:
            out.write(b"%010d %05d f \n" % (freed[(freed.index(n) + 1) % 5], 65535))
    out.write(b"trailer\n<</Size 10/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]/XRefStm %d>>\n"
              b"startxref\n%d\n%%%%EOF\n" % (offsets[9], start))
    return out.getvalue()


def drawn(pages=2, form=False, links=False):
    """A page as reportlab draws it, with a form if asked for."""
    out = io.BytesIO()
    c = canvas.Canvas(out, pagesize=A4, invariant=1)
    c.setTitle("Decision")
    for page in range(pages):
        for i, line in enumerate(LINES + [f"Page {page + 1}"]):
            c.setFont("Helvetica", 13)
            c.drawString(72, 760 - 22 * i, line)
        c.rect(60, 500, 300, 90)
        c.bookmarkPage(f"p{page}")
        c.addOutlineEntry(f"Page {page + 1}", f"p{page}")
        if links:
            c.linkURL("https://example.org/", (72, 400, 200, 420))
        if form and page == 0:
            f = c.acroForm
            f.textfield(name="remark", x=72, y=300, width=250, height=24, value="", forceBorder=True)
            f.textfield(name="town", x=72, y=260, width=250, height=24, value="Baku", forceBorder=True)
            f.checkbox(name="agreed", x=72, y=220, size=18)
            f.choice(name="group", x=72, y=180, width=100, height=22, value="3", options=["1", "2", "3"])
        c.showPage()
    c.save()
    return out.getvalue()


def written_by_fpdf():
    p = fpdf.FPDF()
    p.set_title("Arayış")
    p.set_lang("az")
    p.add_font("D", "", FONT)
    p.add_page()
    p.set_font("D", size=14)
    for line in ["Əlilliyin müəyyən edilməsi haqqında arayış", "Ad: Uydurma Şəxs", "Qrup: 3", "Məbləğ: 150,00 AZN"]:
        p.cell(0, 10, line, new_x="LMARGIN", new_y="NEXT")
    return bytes(p.output())


def archived():
    """With XMP that claims PDF/A-2b, an output intent and its font embedded."""
    from PIL import ImageCms
    p = pikepdf.open(io.BytesIO(written_by_fpdf()))
    with p.open_metadata(set_pikepdf_as_editor=False) as m:
        m["pdfaid:part"], m["pdfaid:conformance"] = "2", "B"
        m["dc:title"] = "Arayış"
    profile = p.make_stream(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), {"/N": 3})
    p.Root.OutputIntents = Array([Dictionary(Type=Name.OutputIntent, S=Name.GTS_PDFA1, OutputConditionIdentifier=String("sRGB"), DestOutputProfile=profile)])
    return saved(p)


def attached():
    p = pikepdf.open(io.BytesIO(drawn(1)))
    p.attachments["facts.json"] = pikepdf.AttachedFileSpec(p, b'{"group": 3}', filename="facts.json", mime_type="application/json")
    p.attachments["note.txt"] = pikepdf.AttachedFileSpec(p, b"note", filename="note.txt")
    return saved(p)


def saved(p, **options):
    out = io.BytesIO()
    p.save(out, **options)
    return out.getvalue()


def updated(pdf):
    """Two revisions already before anybody signs."""
    w = IncrementalPdfFileWriter(io.BytesIO(pdf))
    w.root["/PageMode"] = generic.NameObject("/UseNone")
    w.update_root()
    out = io.BytesIO()
    w.write(out)
    return out.getvalue()


def program(pdf, folder, *command):
    """What an outside program makes of a file; IN and OUT stand for the names."""
    a, b = folder / "in.pdf", folder / "out.pdf"
    a.write_bytes(pdf)
    b.unlink(missing_ok=True)
    done = subprocess.run([str(a) if c == "IN" else str(b) if c == "OUT" else str(c) for c in command], capture_output=True)
    if not b.exists():
        raise RuntimeError(f"{command}: {done.stderr.decode(errors='replace')}"[:300])
    return b.read_bytes()


def printed_by_chromium(folder):
    page = folder / "page.html"
    page.write_text("<!doctype html><html lang=az><meta charset=utf-8><title>Arayış</title><h1>Əlillik haqqında arayış</h1>"
                    "<p>Ad: Uydurma Şəxs</p><table><tr><th>Qrup<th>Məbləğ</tr><tr><td>3<td>150,00</tr></table><p><a href='https://example.org/'>Keçid</a>")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    return program(b"", folder, browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--generate-pdf-document-outline",
                   f"--user-data-dir={folder / 'chromium'}", f"--print-to-pdf={folder / 'out.pdf'}", page.as_uri())


def all(folder, pdfcpu):
    """name -> bytes"""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    long = drawn(3, links=True)
    form = drawn(2, form=True)
    b = {
        "hand14": raw(),
        "hand-crlf": raw(newline=b"\r\n", tail=b"\r\n", xref_space=b""),
        "hand-cr": raw(newline=b"\r", tail=b"\r", xref_space=b" "),
        "hand-noeol": raw(tail=b""),
        "hand-free": raw(free=True, version=b"1.3"),
        "hand-generation": raw(generation=2),
        "hand-noinfo17": raw(info=False, version=b"1.7"),
        "hand-tree": raw(pages=5, inherit=True, kids_depth=4, version=b"1.6"),
        "hand-lengths": raw(indirect_length=True, split_content=True, version=b"2.0"),
        "hybrid": hybrid(),
        "reportlab": long,
        "form": form,
        "fpdf2": written_by_fpdf(),
        "archive": archived(),
        "attached": attached(),
        "pages300": drawn(300),
        "two-revisions": updated(long),
        "chromium": printed_by_chromium(folder),
    }
    qpdf = {
        "qpdf-tables": ["--object-streams=disable", "--min-version=1.4"],
        "qpdf-streams": ["--object-streams=generate"],
        "qpdf-linear": ["--linearize", "--object-streams=disable"],
        "qpdf-linear-streams": ["--linearize", "--object-streams=generate"],
        "qpdf-qdf": ["--qdf", "--object-streams=disable"],
        "qpdf-20": ["--force-version=2.0", "--object-streams=generate"],
        "qpdf-uncompressed": ["--stream-data=uncompress"],
    }
    for label, options in qpdf.items():
        b[label] = program(long, folder, "qpdf", *options, "IN", "OUT")
    b["form-streams"] = program(form, folder, "qpdf", "--object-streams=generate", "IN", "OUT")
    b["form-linear"] = program(form, folder, "qpdf", "--linearize", "IN", "OUT")
    b["chromium-streams"] = program(b["chromium"], folder, "qpdf", "--object-streams=generate", "IN", "OUT")
    b["mutool-clean"] = program(long, folder, "mutool", "clean", "-gggg", "-z", "IN", "OUT")
    b["mutool-expanded"] = program(b["chromium"], folder, "mutool", "clean", "-d", "-i", "IN", "OUT")
    b["pdfcpu"] = program(long, folder, pdfcpu, "optimize", "IN", "OUT")
    b["updated-streams"] = updated(b["qpdf-streams"])
    return b
