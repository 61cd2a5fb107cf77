"""What every family of attacks is made with: the benign files, keys, and the pen. attacks.py says what they are."""

import hashlib
import io
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
