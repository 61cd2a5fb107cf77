"""Makes signed PDFs as honest people's programs make them. usage: benign.py OUT TOOLS

OUT gets *.pdf, manifest.json and roots.pem beside its folder's other contents; TOOLS is the folder that make.sh prepared
(node modules, Java classes and class path, pdfcpu, the Go signer). A file that neither pdfsig nor pyHanko calls valid is not kept.
"""

import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback
import types

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.ades.api import CAdESSignedAttrSpec
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.stamp import QRStampStyle, TextStampStyle
from pyhanko_certvalidator import ValidationContext

import bases
import pki

PADES, ADOBE = SigSeedSubFilter.PADES, SigSeedSubFilter.ADOBE_PKCS7_DETACHED


class Corpus:
    def __init__(self, out, tools):
        # Made beside the last one and put in its place when it is whole.
        self.final, self.tools = pathlib.Path(out), pathlib.Path(tools)
        self.folder = self.final.parent / (self.final.name + ".new")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.out = self.folder / "benign"
        self.out.mkdir(parents=True)
        self.scratch = pathlib.Path(tempfile.mkdtemp())
        self.pki = pki.PKI(self.scratch / "pki")
        (self.folder / "roots.pem").write_bytes((self.scratch / "pki/roots.pem").read_bytes())
        keep = self.folder / "pki"  # the attack maker signs with the same keys
        shutil.copytree(self.scratch / "pki", keep)
        for entity in ("root", "issuing", "issuing_rsa", "attacker_root"):
            e = getattr(self.pki, entity)
            (keep / f"{entity}.key").write_bytes(e.key_pem)
            (keep / f"{entity}.crt").write_bytes(e.pem)
        self.base = bases.all(self.scratch / "bases", self.tools / "pdfcpu")
        self.rows, self.failed = [], []

    def add(self, name, producer, expected, pdf, **options):
        print(name, file=sys.stderr) if "-v" in sys.argv else None
        self.rows.append({"file": name + ".pdf", "producer": producer, "expected": expected, "options": options})
        (self.out / (name + ".pdf")).write_bytes(pdf)

    def attempt(self, name, producer, expected, make, **options):
        """One file; a producer that refuses is noted and left out."""
        try:
            self.add(name, producer, expected, make(), **options)
        except Exception as e:  # whatever a foreign program throws
            self.failed.append((name, f"{type(e).__name__}: {e}"))
            if "-v" in sys.argv:
                traceback.print_exc()

    # pyHanko

    def context(self, fetch=True):
        return ValidationContext(trust_roots=[self.pki.root.asn1], other_certs=[self.pki.issuing.asn1, self.pki.issuing_rsa.asn1], allow_fetching=fetch,
                                 revocation_mode="soft-fail")

    def signer(self, kind, **options):
        e = self.pki.signers[kind]
        return signers.SimpleSigner(signing_cert=e.asn1, signing_key=e.asn1_key, cert_registry=self.pki.store(), **options)

    def hanko(self, pdf, kind="rsa2048", field="Signature1", box=None, page=0, stamp=None, new=None, signer=None, room=None, stamper=None, hybrid=False,
              strict=True, **meta):
        w = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=strict and not hybrid)
        meta = {"md_algorithm": "sha256", "subfilter": PADES, "reason": "Corpus", "location": "Bakı", **meta}
        if stamper is None and meta.get("use_pades_lta"):
            stamper = self.pki.stamper
        spec = new or (SigFieldSpec(field, box=box, on_page=page) if field not in names(pdf) else None)
        s = signers.PdfSigner(signers.PdfSignatureMetadata(field_name=field, **meta), signer=signer or self.signer(kind), timestamper=stamper,
                              stamp_style=stamp, new_field_spec=spec)
        out = s.sign_pdf(w, bytes_reserved=room, appearance_text_params={"url": "https://example.org/"} if isinstance(stamp, QRStampStyle) else None)
        return out.getvalue()

    def long_term(self, **more):
        return dict(embed_validation_info=True, validation_context=self.context(), **more)

    def stamped(self, pdf):
        """A document time stamp on its own."""
        w = IncrementalPdfFileWriter(io.BytesIO(pdf))
        out = signers.PdfTimeStamper(self.pki.stamper).timestamp_pdf(w, "sha256", validation_context=self.context(), validation_paths=None)
        return out.getvalue()

    def renewed(self, pdf):
        r = PdfFileReader(io.BytesIO(pdf))
        out = signers.PdfTimeStamper(self.pki.stamper).update_archival_timestamp_chain(r, self.context(), in_place=False)
        return out.getvalue()

    def with_dss(self, pdf):
        """Validation data added by somebody later."""
        from pyhanko.sign.validation import add_validation_info
        r = PdfFileReader(io.BytesIO(pdf))
        return add_validation_info(r.embedded_signatures[0], self.context(), skip_timestamp=True).getvalue()

    def make_pyhanko(self):
        b, put = self.base, self.attempt
        text = TextStampStyle(stamp_text="Signed by %(signer)s\n%(ts)s")
        for i, (label, pdf) in enumerate(b.items()):
            kind, sub = pki.SIGNERS[i % 6], (PADES, ADOBE)[i % 2]
            put(f"pyhanko-base-{label}", "pyHanko", "intact", lambda: self.hanko(pdf, kind, subfilter=sub, hybrid=label == "hybrid", strict=not label.startswith("mutool")),
                base=label, key=kind, subfilter=sub.value)
        for kind in pki.SIGNERS:
            for digest in ("sha256", "sha384", "sha512"):
                put(f"pyhanko-{kind}-{digest}", "pyHanko", "intact", lambda: self.hanko(b["reportlab"], kind, md_algorithm=digest), key=kind, digest=digest)
        for kind in ("rsa2048", "rsa3072"):
            put(f"pyhanko-pss-{kind}", "pyHanko", "intact", lambda: self.hanko(b["qpdf-streams"], signer=self.signer(kind, prefer_pss=True)), key=kind, pss=True)
        for p in MDPPerm:
            put(f"pyhanko-certified-p{p.value}", "pyHanko", "intact", lambda: self.hanko(b["reportlab"], certify=True, docmdp_permissions=p), docmdp=p.value)
            put(f"pyhanko-certified-p{p.value}-lta", "pyHanko", "intact", lambda: self.hanko(
                b["qpdf-streams"], "p256", certify=True, docmdp_permissions=p, use_pades_lta=True, **self.long_term()), docmdp=p.value, level="B-LTA")
        put("pyhanko-visible", "pyHanko", "intact", lambda: self.hanko(b["reportlab"], box=(300, 60, 560, 120), stamp=text), visible=True)
        put("pyhanko-visible-streams", "pyHanko", "intact", lambda: self.hanko(b["qpdf-streams"], box=(300, 60, 560, 120), stamp=text, page=1), visible=True)
        put("pyhanko-visible-qr", "pyHanko", "intact", lambda: self.hanko(
            b["chromium"], "p384", box=(300, 60, 560, 160), stamp=QRStampStyle(stamp_text="%(signer)s")), visible="QR")
        put("pyhanko-big-room", "pyHanko", "intact", lambda: self.hanko(b["reportlab"], room=200_000), room=200000)
        put("pyhanko-timestamp", "pyHanko", "intact", lambda: self.hanko(b["reportlab"], "p256", stamper=self.pki.stamper), level="B-T")
        put("pyhanko-adobe-timestamp", "pyHanko", "intact", lambda: self.hanko(b["reportlab"], stamper=self.pki.stamper, subfilter=ADOBE), level="time stamp")
        put("pyhanko-adobe-revinfo", "pyHanko", "intact", lambda: self.hanko(b["reportlab"], stamper=self.pki.stamper, subfilter=ADOBE, **self.long_term()),
            revocation="adbe-revocationInfoArchival")
        put("pyhanko-commitment", "pyHanko", "intact", lambda: self.hanko(b["reportlab"], cades_signed_attr_spec=CAdESSignedAttrSpec(
            timestamp_content=True), stamper=self.pki.stamper), cades="content time stamp")
        for label in ("reportlab", "qpdf-streams", "qpdf-linear", "chromium", "hand-crlf", "archive"):
            put(f"pyhanko-lt-{label}", "pyHanko", "intact", lambda: self.hanko(b[label], "p256", stamper=self.pki.stamper, **self.long_term()), level="B-LT", base=label)
            put(f"pyhanko-lta-{label}", "pyHanko", "intact", lambda: self.hanko(b[label], "p384", use_pades_lta=True, **self.long_term()), level="B-LTA", base=label)
            put(f"pyhanko-lta-renewed-{label}", "pyHanko", "intact", lambda: self.renewed(self.hanko(
                b[label], use_pades_lta=True, **self.long_term())), level="B-LTA renewed", base=label)
        put("pyhanko-doctimestamp-only", "pyHanko", "intact", lambda: self.stamped(b["reportlab"]), signature="document time stamp alone")
        put("pyhanko-doctimestamp-after", "pyHanko", "intact", lambda: self.stamped(self.hanko(b["reportlab"])), then="document time stamp")
        put("pyhanko-dss-after", "pyHanko", "intact", lambda: self.with_dss(self.hanko(b["reportlab"])), then="DSS")
        put("pyhanko-dss-after-streams", "pyHanko", "intact", lambda: self.with_dss(self.hanko(b["qpdf-streams"], "p521")), then="DSS")
        put("pyhanko-dss-after-p1", "pyHanko", "intact", lambda: self.with_dss(self.hanko(
            b["reportlab"], certify=True, docmdp_permissions=MDPPerm.NO_CHANGES)), then="DSS", docmdp=1)

        two = lambda pdf, **second: self.hanko(self.hanko(pdf), "p256", field="Signature2", **second)
        for label in ("reportlab", "qpdf-streams", "qpdf-linear", "hand-crlf", "chromium", "mutool-clean"):
            put(f"pyhanko-two-{label}", "pyHanko", "extended", lambda: two(b[label]), signatures=2, base=label)
        put("pyhanko-two-visible", "pyHanko", "extended", lambda: self.hanko(self.hanko(b["reportlab"], box=(60, 60, 200, 110), stamp=text), "p256", field="Signature2",
            box=(300, 60, 500, 110), stamp=text, page=1), signatures=2, visible=True)
        put("pyhanko-three", "pyHanko", "extended", lambda: self.hanko(two(b["reportlab"]), "p521", field="Signature3"), signatures=3)
        put("pyhanko-two-lta", "pyHanko", "extended", lambda: two(b["reportlab"], use_pades_lta=True, **self.long_term()), signatures=2, level="second B-LTA")
        put("pyhanko-lta-then-signed", "pyHanko", "extended", lambda: self.hanko(self.hanko(
            b["reportlab"], use_pades_lta=True, **self.long_term()), "p256", field="Signature2"), signatures=2, level="first B-LTA")
        put("pyhanko-certified-p2-countersigned", "pyHanko", "extended", lambda: self.hanko(self.prepared(b["reportlab"], certify=True,
            docmdp_permissions=MDPPerm.FILL_FORMS), "p256", field="Prepared"), docmdp=2, signatures=2)
        put("pyhanko-certified-p3-countersigned", "pyHanko", "extended", lambda: self.hanko(self.prepared(b["reportlab"], certify=True,
            docmdp_permissions=MDPPerm.ANNOTATE), "p256", field="Prepared"), docmdp=3, signatures=2)
        put("pyhanko-certified-p2-empty-field", "pyHanko", "intact", lambda: self.prepared(b["reportlab"], certify=True, docmdp_permissions=MDPPerm.FILL_FORMS), docmdp=2,
            empty_field=True)
        # Forms
        for label in ("form", "form-streams", "form-linear"):
            put(f"pyhanko-{label}-filled", "pyHanko", "extended", lambda: self.fill(self.hanko(b[label]), remark="Agreed"), filled="after an approval signature")
            put(f"pyhanko-{label}-p2-filled", "pyHanko", "extended", lambda: self.fill(self.hanko(b[label], certify=True, docmdp_permissions=MDPPerm.FILL_FORMS),
                remark="Agreed", town="Ganja"), filled=True, docmdp=2)
            put(f"pyhanko-{label}-filled-signed", "pyHanko", "extended", lambda: self.hanko(self.fill(self.hanko(b[label], certify=True,
                docmdp_permissions=MDPPerm.FILL_FORMS, new=None), remark="Agreed"), "p256", field="Signature2"), filled="between two signatures", docmdp=2)
            put(f"pyhanko-{label}-p3-filled-twice", "pyHanko", "extended", lambda: self.fill(self.fill(self.hanko(b[label], certify=True,
                docmdp_permissions=MDPPerm.ANNOTATE), remark="A"), town="Sumgait"), filled="twice", docmdp=3)
        for action, which in ((FieldMDPAction.INCLUDE, ["town"]), (FieldMDPAction.EXCLUDE, ["remark"]), (FieldMDPAction.ALL, None)):
            lock = FieldMDPSpec(action, which)
            spec = SigFieldSpec("Signature1", field_mdp_spec=lock)
            put(f"pyhanko-lock-{action.name.lower()}", "pyHanko", "intact", lambda: self.hanko(b["form"], new=spec), lock=action.name)
            if action is not FieldMDPAction.ALL:
                put(f"pyhanko-lock-{action.name.lower()}-filled", "pyHanko", "extended", lambda: self.fill(self.hanko(b["form"], new=spec), remark="Free"),
                    lock=action.name, filled="a field that is not locked")
        spec = SigFieldSpec("Signature1", field_mdp_spec=FieldMDPSpec(FieldMDPAction.INCLUDE, ["town"]), doc_mdp_update_value=MDPPerm.FILL_FORMS)
        put("pyhanko-lock-mdp-filled", "pyHanko", "extended", lambda: self.fill(self.hanko(b["form-streams"], new=spec), remark="Free"), lock="with /P 2")

    def prepared(self, pdf, **meta):
        """Signed with an empty signature field waiting for somebody else."""
        w = IncrementalPdfFileWriter(io.BytesIO(pdf))
        fields.append_signature_field(w, SigFieldSpec("Prepared", box=(300, 200, 500, 260)))
        out = io.BytesIO()
        w.write(out)
        return self.hanko(out.getvalue(), field="Signature1", **meta)

    def fill(self, pdf, **values):
        """Fills text fields as a viewer does: value and appearance, nothing else."""
        w = IncrementalPdfFileWriter(io.BytesIO(pdf))
        for reference in w.root["/AcroForm"]["/Fields"]:
            f = reference.get_object()
            if str(f.get("/T", "")) in values:
                value = values[str(f["/T"])]
                f["/V"] = generic.TextStringObject(value)
                r = f["/Rect"]
                font = generic.DictionaryObject({generic.pdf_name("/Type"): generic.pdf_name("/Font"), generic.pdf_name("/Subtype"): generic.pdf_name("/Type1"),
                                                 generic.pdf_name("/BaseFont"): generic.pdf_name("/Helvetica")})
                look = generic.StreamObject(dict_data={
                    generic.pdf_name("/Type"): generic.pdf_name("/XObject"), generic.pdf_name("/Subtype"): generic.pdf_name("/Form"),
                    generic.pdf_name("/BBox"): generic.ArrayObject([generic.FloatObject(0), generic.FloatObject(0), generic.FloatObject(r[2] - r[0]), generic.FloatObject(r[3] - r[1])]),
                    generic.pdf_name("/Resources"): generic.DictionaryObject({generic.pdf_name("/Font"): generic.DictionaryObject({generic.pdf_name("/Helv"): font})})},
                    stream_data=f"/Tx BMC q BT /Helv 12 Tf 2 7 Td ({value}) Tj ET Q EMC".encode())
                f["/AP"] = generic.DictionaryObject({generic.pdf_name("/N"): w.add_object(look)})
                w.update_container(f)
        out = io.BytesIO()
        w.write(out)
        return out.getvalue()

    # others' CMS in a place that pyHanko prepared

    def embed(self, pdf, make, room=16384, certify=None, subfilter=ADOBE):
        """Signs with whatever make(bytes to be signed) answers, DER or BER."""
        from pyhanko.sign.signers import cms_embedder
        w = IncrementalPdfFileWriter(io.BytesIO(pdf))
        embedder = cms_embedder.PdfCMSEmbedder(new_field_spec=SigFieldSpec("Signature1")).write_cms(field_name="Signature1", writer=w)
        next(embedder)
        mdp = None
        if certify:
            mdp = cms_embedder.SigMDPSetup(md_algorithm="sha256", certify=True, docmdp_perms=certify)
        embedder.send(cms_embedder.SigObjSetup(sig_placeholder=SignatureObject(subfilter=subfilter, bytes_reserved=2 * room), mdp_setup=mdp))
        output = io.BytesIO()
        prepared, output = embedder.send(cms_embedder.SigIOSetup(md_algorithm="sha256", in_place=False, output=output))
        content = output.getvalue()
        start, end = prepared.reserved_region_start, prepared.reserved_region_end
        signature = make(content[:start] + content[end:])
        embedder.send(signature)
        return output.getvalue()

    def openssl(self, content, kind, *options, form="DER"):
        d = self.scratch
        (d / "content").write_bytes(content)
        p = d / "pki"
        command = ["openssl", "cms", "-sign", "-binary", "-in", d / "content", "-signer", p / f"{kind}.pem", "-inkey", p / f"{kind}.key",
                   "-certfile", p / f"{kind}.chain.pem", "-outform", form, *options]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def make_openssl(self):
        b, put = self.base, self.attempt
        for kind in ("rsa2048", "rsa4096", "p256", "p521"):
            put(f"openssl-{kind}", "openssl cms", "intact", lambda: self.embed(b["reportlab"], lambda c: self.openssl(c, kind, "-md", "sha256")), key=kind)
            put(f"openssl-cades-{kind}", "openssl cms -cades", "intact", lambda: self.embed(
                b["qpdf-streams"], lambda c: self.openssl(c, kind, "-md", "sha384", "-cades"), subfilter=PADES), key=kind, digest="sha384")
        put("openssl-pss", "openssl cms", "intact", lambda: self.embed(b["reportlab"], lambda c: self.openssl(
            c, "rsa3072", "-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest")), pss=True)
        put("openssl-keyid", "openssl cms", "intact", lambda: self.embed(b["reportlab"], lambda c: self.openssl(c, "p256", "-md", "sha256", "-keyid")), sid="subjectKeyIdentifier")
        put("openssl-nosmimecap", "openssl cms", "intact", lambda: self.embed(b["hand-crlf"], lambda c: self.openssl(c, "rsa2048", "-md", "sha512", "-nosmimecap")), digest="sha512")
        for kind in ("rsa2048", "p256"):
            put(f"openssl-ber-{kind}", "openssl cms", "intact", lambda: self.embed(b["reportlab"], lambda c: indefinite(self.openssl(c, kind, "-md", "sha256"))), encoding="BER, indefinite length", key=kind)
        put("openssl-certified-p1", "openssl cms", "intact", lambda: self.embed(b["qpdf-tables"], lambda c: self.openssl(c, "p256", "-md", "sha256"), certify=MDPPerm.NO_CHANGES), docmdp=1)

    def make_endesive(self):
        # Its verifier wants a library that fails with current OpenSSL; signing needs none of it.
        sys.modules["endesive.verifier"] = types.SimpleNamespace(SignatureVerifier=object, Result=None)
        from endesive import pdf as endesive_pdf
        for label, kind, more in (("reportlab", "rsa2048", {}), ("qpdf-tables", "rsa4096", {"sigandcertify": True}), ("chromium", "rsa3072", {"signaturebox": (60, 60, 260, 110), "signature": "Imzalandi", "sigpage": 0}),
                                  ("fpdf2", "rsa2048", {"sigflagsft": 132}), ("two-revisions", "rsa3072", {}), ("qpdf-streams", "rsa2048", {})):
            def make(label=label, kind=kind, more=more):
                e = self.pki.signers[kind]
                d = {"aligned": 0, "sigflags": 3, "sigflagsft": 132, "sigpage": 0, "sigbutton": False, "sigfield": "Signature1", "auto_sigfield": False, "contact": "x@example.org",
                     "location": "Baku", "signingdate": pki.NOW.strftime("D:%Y%m%d%H%M%S+00'00'"), "reason": "Corpus", **more}
                pdf = self.base[label]
                return pdf + endesive_pdf.cms.sign(pdf, d, e.key, e.certificate, [self.pki.issuing_rsa.certificate, self.pki.root.certificate], "sha256")
            self.attempt(f"endesive-{label}-{kind}", "endesive", "intact", make, base=label, key=kind, **{k: str(v) for k, v in more.items()})

    def make_poppler(self):
        nss = self.scratch / "poppler"
        nss.mkdir()
        subprocess.run(["certutil", "-N", "-d", nss, "--empty-password"], check=True)
        subprocess.run(["pk12util", "-i", self.scratch / "pki/rsa2048.p12", "-d", nss, "-W", "corpus", "-K", ""], check=True, capture_output=True)
        for label in ("reportlab", "hand14", "qpdf-tables", "qpdf-streams", "fpdf2", "form"):
            self.attempt(f"poppler-{label}", "poppler pdfsig", "intact", lambda: bases.program(
                self.base[label], self.scratch, "pdfsig", "-nssdir", nss, "-no-ocsp", "-add-signature", "-nick", "rsa2048", "-reason", "Corpus", "IN", "OUT"), base=label)

    # programs in other languages: each is given a folder with bases and keys and answers with files and one line of JSON each

    def outside(self, producer, *command):
        folder = self.scratch / "for-others"
        folder.mkdir(exist_ok=True)
        for label, pdf in self.base.items():
            (folder / f"{label}.pdf").write_bytes(pdf)
        (folder / "signed.pdf").write_bytes(self.hanko(self.base["reportlab"], "p256"))
        (folder / "tagged-signed.pdf").write_bytes(self.hanko(self.base["chromium"], "p256"))
        (folder / "certified2.pdf").write_bytes(self.prepared(self.base["reportlab"], certify=True, docmdp_permissions=MDPPerm.FILL_FORMS))
        results = self.scratch / ("out-" + producer)
        results.mkdir(exist_ok=True)
        done = subprocess.run([*map(str, command), str(folder), str(self.scratch / "pki"), str(results), self.pki.tsa_url], capture_output=True, text=True)
        for line in done.stdout.splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if "error" in row:
                self.failed.append((row["file"], row["error"]))
                continue
            self.add(row["file"].removesuffix(".pdf"), row.pop("producer"), row.pop("expected", "intact"), (results / row["file"]).read_bytes(), **{k: v for k, v in row.items() if k != "file"})
        if done.returncode:
            self.failed.append((producer, done.stderr[-2000:]))

    def make_java(self):
        self.outside("java", "java", "-cp", f"{self.tools / 'classes'}:{(self.tools / 'classpath').read_text().strip()}", "Produce")

    def make_node(self):
        self.outside("node", "node", self.tools / "node/produce.mjs")

    def make_go(self):
        self.outside("go", self.tools / "pdfsigner")

    # keeping only what others call valid

    def sound(self, row):
        path = self.out / row["file"]
        said = {}
        nss = self.scratch / "nss"
        p = subprocess.run(["pdfsig", "-nssdir", nss, "-nocert", path], capture_output=True, text=True).stdout
        verdicts = [line.split(":", 1)[1].strip() for line in p.splitlines() if "Signature Validation:" in line]
        said["pdfsig"] = bool(verdicts) and all(v == "Signature is Valid." for v in verdicts)
        try:
            r = PdfFileReader(io.BytesIO(path.read_bytes()), strict=False)
            found = r.embedded_signatures
            said["pyhanko"] = bool(found)
            for s in found:
                if s.sig_object.get("/Type") == "/DocTimeStamp":
                    status = validate_pdf_timestamp(s, self.context(False), skip_diff=True)
                else:
                    status = validate_pdf_signature(s, self.context(False), self.context(False), skip_diff=True)
                said["pyhanko"] = said["pyhanko"] and status.valid and status.intact and status.trusted
        except Exception as e:
            said["pyhanko"] = False
            said["pyhanko_error"] = f"{type(e).__name__}: {e}"[:200]
        row["sound"] = said
        return said["pdfsig"] or said["pyhanko"]

    def finish(self):
        nss = self.scratch / "nss"
        nss.mkdir()
        subprocess.run(["certutil", "-N", "-d", nss, "--empty-password"], check=True)
        subprocess.run(["certutil", "-A", "-d", nss, "-n", "root", "-t", "C,C,C", "-a", "-i", self.folder / "roots.pem"], check=True)
        kept = []
        for row in self.rows:
            if self.sound(row):
                row["sha256"] = hashlib.sha256((self.out / row["file"]).read_bytes()).hexdigest()
                kept.append(row)
            else:
                (self.out / row["file"]).unlink()
                self.failed.append((row["file"], f"nobody calls it valid: {row['sound']}"))
        (self.out / "manifest.json").write_text("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in kept) + "\n]\n")
        for name, why in self.failed:
            print(f"left out {name}: {why}", file=sys.stderr)
        producers = {}
        for r in kept:
            producers[r["producer"]] = producers.get(r["producer"], 0) + 1
        print(f"{len(kept)} benign files: " + ", ".join(f"{k} {v}" for k, v in sorted(producers.items())))
        shutil.rmtree(self.scratch)
        for made, place in ((self.out, self.final), (self.folder / "pki", self.final.parent / "pki")):
            shutil.rmtree(place, ignore_errors=True)
            made.rename(place)
        (self.folder / "roots.pem").rename(self.final.parent / "roots.pem")
        self.folder.rmdir()
        return len(kept)


def names(pdf):
    """Field names that are there already."""
    try:
        r = PdfFileReader(io.BytesIO(pdf), strict=False)
        return [str(f.get_object().get("/T")) for f in r.root["/AcroForm"]["/Fields"]]
    except KeyError:
        return []


def indefinite(der):
    """The same CMS with indefinite lengths outside of what is signed, as streaming encoders write it."""
    def tlv(data):
        head = 1
        while data[0] & 31 == 31 and data[head] & 128:
            head += 1
        n = data[head]
        head += 1
        if n & 128:
            k = n & 127
            n = int.from_bytes(data[head:head + k], "big")
            head += k
        return data[:head], data[head:head + n], data[head + n:]
    _, info, _ = tlv(der)
    oid_head, oid, rest = tlv(info)
    _, explicit, _ = tlv(rest)
    _, signed, _ = tlv(explicit)
    return b"\x30\x80" + oid_head + oid + b"\xa0\x80" + b"\x30\x80" + signed + b"\x00\x00" * 3


def main():
    out, tools = sys.argv[1:3]
    c = Corpus(out, tools)
    for make in (c.make_pyhanko, c.make_openssl, c.make_endesive, c.make_poppler, c.make_java, c.make_node, c.make_go):
        try:
            make()
        except Exception as e:
            c.failed.append((make.__name__, f"{type(e).__name__}: {e}"))
            if "-v" in sys.argv:
                traceback.print_exc()
    sys.exit(0 if c.finish() >= 150 else 1)


if __name__ == "__main__":
    main()
