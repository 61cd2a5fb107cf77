"""Throwaway authorities for the corpus: a root, an issuing authority, signers with every usual key, a time-stamping and an
OCSP authority; and one server on 127.0.0.1 that answers for them. Nothing of it is trusted by anybody else."""

import datetime
import http.server
import pathlib
import threading

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12  # noqa: F401 (loads serialization.pkcs12)
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from pyhanko.sign.timestamps import DummyTimeStamper

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336

SIGNERS = ["rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521"]


def new_key(kind):
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ec.generate_private_key({"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}[kind]())


def name(common):
    return x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "AZ"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Corpus of invented signers"),
        x509.NameAttribute(NameOID.COMMON_NAME, common),
    ])


class Entity:
    """A certificate with its key."""

    def __init__(self, key, certificate):
        self.key, self.certificate = key, certificate

    @property
    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def asn1(self):
        return asn1_x509.Certificate.load(self.certificate.public_bytes(serialization.Encoding.DER))

    @property
    def asn1_key(self):
        return asn1_keys.PrivateKeyInfo.load(self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


class PKI:
    """All authorities and signers, written to folder as PEM and PKCS #12 for producers that are other programs."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        pki = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, kind, body):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                which = self.path.strip("/")
                authority, _, kind = which.partition(".")
                if authority not in pki.authorities:
                    self.send_error(404)
                elif kind == "crl":
                    self.answer("application/pkix-crl", pki.crl(pki.authorities[authority]))
                else:
                    self.answer("application/pkix-cert", pki.authorities[authority].certificate.public_bytes(serialization.Encoding.DER))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/tsa":
                    self.answer("application/timestamp-reply", pki.stamper.request_tsa_response(tsp.TimeStampReq.load(body)).dump())
                elif self.path == "/ocsp":
                    self.answer("application/ocsp-response", pki.ocsp_answer(body))
                else:
                    self.send_error(404)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{server.server_port}"
        self.tsa_url = self.address + "/tsa"

        self.authorities = {}
        self.root = self.authority("Corpus root", None, "rsa4096")
        self.issuing = self.authority("Corpus issuing authority", self.root, "p384")
        self.issuing_rsa = self.authority("Corpus issuing authority with RSA", self.root, "rsa3072")  # some programs know nothing else
        self.signers = {kind: self.signer(kind, self.issuing_rsa if kind.startswith("rsa") else self.issuing) for kind in SIGNERS}
        self.attacker_root = self.authority("Corpus root", None, "rsa2048")
        self.attacker = self.signer("rsa2048", self.attacker_root)
        self.tsa = self.leaf("Corpus time stamps", "rsa2048", x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
        self.responders = {i: self.leaf("Corpus OCSP", "p256", x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False, i)
                           for i in (self.issuing, self.issuing_rsa)}
        self.stamper = DummyTimeStamper(self.tsa.asn1, self.tsa.asn1_key, certs_to_embed=self.store())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.write()

    def store(self):
        from pyhanko_certvalidator.registry import SimpleCertificateStore
        return SimpleCertificateStore.from_certs([self.issuing.asn1, self.issuing_rsa.asn1, self.root.asn1])

    def builder(self, subject, key, issuer):
        b = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.certificate.subject if issuer else subject)
             .public_key(key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(NOW - 30 * DAY)
             .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
        if issuer:
            own = next((label for label, a in self.authorities.items() if a is issuer), "unknown")
            b = (b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
                 .add_extension(x509.CRLDistributionPoints([x509.DistributionPoint(
                     [x509.UniformResourceIdentifier(f"{self.address}/{own}.crl")], None, None, None)]), False)
                 .add_extension(x509.AuthorityInformationAccess([
                     x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(f"{self.address}/{own}.cer")),
                     x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(self.address + "/ocsp"))]), False))
        return b

    def authority(self, common, issuer, kind):
        key = new_key(kind)
        certificate = (self.builder(name(common), key, issuer).not_valid_after(NOW + 3650 * DAY)
                       .add_extension(x509.BasicConstraints(True, None), True)
                       .add_extension(usage(key_cert_sign=True, crl_sign=True), True)
                       .sign((issuer.key if issuer else key), hashes.SHA256()))
        e = Entity(key, certificate)
        if common != "Corpus root" or "root" not in self.authorities:  # not the attacker's
            self.authorities["root" if issuer is None else "issuing" if kind == "p384" else "issuing_rsa"] = e
        return e

    def signer(self, kind, issuer=None):
        issuer = issuer or self.issuing
        key = new_key(kind)
        certificate = (self.builder(name(f"Signer with {kind}"), key, issuer).not_valid_after(NOW + 365 * DAY)
                       .add_extension(x509.BasicConstraints(False, None), True)
                       .add_extension(usage(digital_signature=True, content_commitment=True), True)
                       .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
                       .sign(issuer.key, hashes.SHA256()))
        return Entity(key, certificate)

    def leaf(self, common, kind, eku, critical, issuer=None):
        issuer = issuer or self.issuing
        key = new_key(kind)
        b = (self.builder(name(common), key, issuer).not_valid_after(NOW + 730 * DAY)
             .add_extension(x509.BasicConstraints(False, None), True).add_extension(usage(digital_signature=True), True)
             .add_extension(eku, critical))
        if not critical:
            b = b.add_extension(x509.OCSPNoCheck(), False)
        return Entity(key, b.sign(issuer.key, hashes.SHA256()))

    def crl(self, issuer):
        return (x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject).last_update(NOW - DAY)
                .next_update(NOW + 30 * DAY).add_extension(x509.CRLNumber(1), False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
                .sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))

    def ocsp_answer(self, request):
        r = ocsp.load_der_ocsp_request(request)
        everybody = [self.issuing, self.issuing_rsa, self.tsa, *self.responders.values(), *self.signers.values()]
        for e in everybody:
            if e.certificate.serial_number == r.serial_number:
                issuer = next(a for a in self.authorities.values() if a.certificate.subject == e.certificate.issuer)
                signer = self.responders.get(issuer, issuer)
                now = datetime.datetime.now(datetime.timezone.utc)
                b = (ocsp.OCSPResponseBuilder().add_response(e.certificate, issuer.certificate, r.hash_algorithm, ocsp.OCSPCertStatus.GOOD,
                                                             now, now + DAY, None, None)
                     .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate).certificates([signer.certificate]))
                try:
                    b = b.add_extension(x509.OCSPNonce(r.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce), False)
                except x509.ExtensionNotFound:
                    pass
                return b.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED).public_bytes(serialization.Encoding.DER)

    def write(self):
        for label, e in {**self.signers, "attacker": self.attacker, "tsa": self.tsa}.items():
            (self.folder / f"{label}.pem").write_bytes(e.pem)
            (self.folder / f"{label}.key").write_bytes(e.key_pem)
            chain = [self.attacker_root] if label == "attacker" else [self.issuing_rsa if label.startswith("rsa") else self.issuing, self.root]
            (self.folder / f"{label}.chain.pem").write_bytes(b"".join(c.pem for c in chain))
            # PBES1 with 3DES and SHA-1: what every reader of PKCS #12 still understands; there is nothing to protect.
            encryption = (serialization.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2048)
                          .key_cert_algorithm(serialization.pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1()).build(b"corpus"))
            (self.folder / f"{label}.p12").write_bytes(serialization.pkcs12.serialize_key_and_certificates(
                label.encode(), e.key, e.certificate, [c.certificate for c in chain], encryption))
        (self.folder / "issuing.pem").write_bytes(self.issuing.pem)
        (self.folder / "roots.pem").write_bytes(self.root.pem)


def usage(**given):
    flags = dict.fromkeys(["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                           "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"], False)
    return x509.KeyUsage(**{**flags, **given})
