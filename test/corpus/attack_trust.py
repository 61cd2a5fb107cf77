"""Whom to trust; and what is behind and before the file."""

from attackmaker import *


class Trust:
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
            def cut(pdf):
                covered = max(int(a) + int(b) for a, b in re.findall(rb"/ByteRange\s*\[\s*0\s+\d+\s+(\d+)\s+(\d+)", pdf))
                if covered < len(pdf):  # a line end behind what nobody signed is nothing
                    return None
                return pdf[:-n].rstrip(b"\r\n") if n == 1 else pdf[:-n]
            self.put(f"truncated-{n}", f"the last {n:,} bytes are missing", cut if n == 1 else lambda pdf: pdf[:-n], USUAL, count=2)
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
