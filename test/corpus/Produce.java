import com.lowagie.text.Document;
import com.lowagie.text.Paragraph;
import com.lowagie.text.Rectangle;
import com.lowagie.text.pdf.PdfDictionary;
import com.lowagie.text.pdf.PdfName;
import com.lowagie.text.pdf.PdfReader;
import com.lowagie.text.pdf.PdfSignatureAppearance;
import com.lowagie.text.pdf.PdfStamper;
import com.lowagie.text.pdf.PdfString;
import com.lowagie.text.pdf.PdfWriter;
import eu.europa.esig.dss.enumerations.CertificationPermission;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.PAdESTimestampParameters;
import eu.europa.esig.dss.pades.SignatureFieldParameters;
import eu.europa.esig.dss.pades.SignatureImageParameters;
import eu.europa.esig.dss.pades.SignatureImageTextParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.service.crl.OnlineCRLSource;
import eu.europa.esig.dss.service.http.commons.TimestampDataLoader;
import eu.europa.esig.dss.service.ocsp.OnlineOCSPSource;
import eu.europa.esig.dss.service.tsp.OnlineTSPSource;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Calendar;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.cos.COSArray;
import org.apache.pdfbox.cos.COSBase;
import org.apache.pdfbox.cos.COSDictionary;
import org.apache.pdfbox.cos.COSInteger;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.cos.COSUpdateInfo;
import org.apache.pdfbox.pdfwriter.compress.CompressParameters;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.documentinterchange.logicalstructure.PDObjectReference;
import org.apache.pdfbox.pdmodel.documentinterchange.logicalstructure.PDStructureElement;
import org.apache.pdfbox.pdmodel.documentinterchange.logicalstructure.PDStructureTreeRoot;
import org.apache.pdfbox.pdmodel.documentinterchange.taggedpdf.StandardStructureTypes;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts;
import org.apache.pdfbox.pdmodel.graphics.color.PDColor;
import org.apache.pdfbox.pdmodel.graphics.color.PDDeviceRGB;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotation;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationHighlight;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationText;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationWidget;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.ExternalSigningSupport;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureInterface;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureOptions;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.visible.PDVisibleSigProperties;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.visible.PDVisibleSignDesigner;
import org.apache.pdfbox.pdmodel.interactive.form.PDAcroForm;
import org.apache.pdfbox.pdmodel.interactive.form.PDField;
import org.apache.pdfbox.pdmodel.interactive.form.PDSignatureField;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** Signs the bases with EU DSS, Apache PDFBox and OpenPDF, as their documentation shows. Prints one line of JSON a file. */
public final class Produce {
    static Path bases, pki, out;
    static String tsa;
    static final char[] PASSWORD = "corpus".toCharArray();

    public static void main(String[] args) throws Exception {
        bases = Path.of(args[0]);
        pki = Path.of(args[1]);
        out = Path.of(args[2]);
        tsa = args[3];
        java.security.Security.addProvider(new BouncyCastleProvider());
        dss();
        pdfbox();
        pdfboxLater();
        openpdf();
    }

    static void put(String file, String producer, String expected, String options, Callable<byte[]> make) {
        String head = "{\"file\": \"" + file + ".pdf\"";
        try {
            Files.write(out.resolve(file + ".pdf"), make.call());
            System.out.println(head + ", \"producer\": \"" + producer + "\", \"expected\": \"" + expected + "\", " + options + "}");
        } catch (Throwable e) {
            System.out.println(head + ", \"error\": \"" + e.toString().replaceAll("[\"\\\\\\n\\r\\t]", " ") + "\"}");
        }
    }

    static byte[] base(String label) throws Exception {
        return Files.readAllBytes(bases.resolve(label + ".pdf"));
    }

    static KeyStore store(String kind) throws Exception {
        KeyStore s = KeyStore.getInstance("PKCS12");
        try (InputStream in = new FileInputStream(pki.resolve(kind + ".p12").toFile())) {
            s.load(in, PASSWORD);
        }
        return s;
    }

    // EU DSS

    static PAdESService service() throws Exception {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        trusted.addCertificate(DSSUtils.loadCertificate(pki.resolve("roots.pem").toFile()));
        verifier.setTrustedCertSources(trusted);
        verifier.setCrlSource(new OnlineCRLSource());
        verifier.setOcspSource(new OnlineOCSPSource());
        PAdESService s = new PAdESService(verifier);
        OnlineTSPSource stamps = new OnlineTSPSource(tsa);
        stamps.setDataLoader(new TimestampDataLoader());
        s.setTspSource(stamps);
        return s;
    }

    interface Change {
        void on(PAdESSignatureParameters p) throws Exception;
    }

    static byte[] dss(byte[] pdf, String kind, SignatureLevel level, DigestAlgorithm digest, Change change) throws Exception {
        PAdESService service = service();
        try (Pkcs12SignatureToken token = new Pkcs12SignatureToken(pki.resolve(kind + ".p12").toFile(), new KeyStore.PasswordProtection(PASSWORD))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            PAdESSignatureParameters p = new PAdESSignatureParameters();
            p.setSignatureLevel(level);
            p.setDigestAlgorithm(digest);
            p.setSigningCertificate(key.getCertificate());
            p.setCertificateChain(key.getCertificateChain());
            p.setReason("Corpus");
            if (change != null) {
                change.on(p);
            }
            DSSDocument document = new InMemoryDocument(pdf);
            SignatureAlgorithm algorithm = p.getSignatureAlgorithm();
            SignatureValue value = token.sign(service.getDataToSign(document, p), algorithm, key);
            return bytes(service.signDocument(document, p, value));
        }
    }

    static byte[] bytes(DSSDocument d) throws Exception {
        try (InputStream in = d.openStream()) {
            return in.readAllBytes();
        }
    }

    static byte[] extend(byte[] pdf, SignatureLevel level) throws Exception {
        PAdESSignatureParameters p = new PAdESSignatureParameters();
        p.setSignatureLevel(level);
        return bytes(service().extendDocument(new InMemoryDocument(pdf), p));
    }

    static void dss() {
        String who = "EU DSS 6.4";
        for (String kind : List.of("rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521")) {
            put("dss-b-" + kind, who, "intact", "\"key\": \"" + kind + "\", \"level\": \"B-B\"",
                    () -> dss(base("reportlab"), kind, SignatureLevel.PAdES_BASELINE_B, DigestAlgorithm.SHA512, null));
        }
        put("dss-pss", who, "intact", "\"pss\": true", () -> dss(base("qpdf-streams"), "rsa3072", SignatureLevel.PAdES_BASELINE_B, DigestAlgorithm.SHA256,
                p -> p.setEncryptionAlgorithm(EncryptionAlgorithm.RSASSA_PSS)));
        for (String label : List.of("hand-crlf", "hand-noeol", "hybrid", "form", "chromium", "qpdf-streams", "qpdf-linear", "qpdf-linear-streams", "qpdf-qdf", "mutool-clean",
                "pdfcpu", "archive", "attached", "pages300", "two-revisions", "hand-tree", "fpdf2", "updated-streams")) {
            put("dss-t-" + label, who, "intact", "\"base\": \"" + label + "\", \"level\": \"B-T\"",
                    () -> dss(base(label), "p256", SignatureLevel.PAdES_BASELINE_T, DigestAlgorithm.SHA256, null));
        }
        for (String label : List.of("reportlab", "qpdf-streams", "chromium", "archive", "qpdf-linear")) {
            put("dss-lt-" + label, who, "intact", "\"base\": \"" + label + "\", \"level\": \"B-LT\"",
                    () -> dss(base(label), "rsa2048", SignatureLevel.PAdES_BASELINE_LT, DigestAlgorithm.SHA256, null));
            put("dss-lta-" + label, who, "intact", "\"base\": \"" + label + "\", \"level\": \"B-LTA\"",
                    () -> dss(base(label), "p384", SignatureLevel.PAdES_BASELINE_LTA, DigestAlgorithm.SHA384, null));
            put("dss-lta-twice-" + label, who, "intact", "\"base\": \"" + label + "\", \"level\": \"B-LTA renewed\"",
                    () -> extend(dss(base(label), "p256", SignatureLevel.PAdES_BASELINE_LTA, DigestAlgorithm.SHA256, null), SignatureLevel.PAdES_BASELINE_LTA));
        }
        put("dss-lta-vri", who, "intact", "\"level\": \"B-LTA\", \"vri\": true", () -> dss(base("reportlab"), "p256", SignatureLevel.PAdES_BASELINE_LTA, DigestAlgorithm.SHA256,
                p -> p.setIncludeVRIDictionary(true)));
        for (CertificationPermission permission : CertificationPermission.values()) {
            put("dss-certified-p" + permission.getCode(), who, "intact", "\"docmdp\": " + permission.getCode(),
                    () -> dss(base("reportlab"), "p256", SignatureLevel.PAdES_BASELINE_T, DigestAlgorithm.SHA256, p -> p.setPermission(permission)));
            put("dss-certified-lta-p" + permission.getCode(), who, "intact", "\"docmdp\": " + permission.getCode() + ", \"level\": \"B-LTA\"",
                    () -> dss(base("qpdf-streams"), "rsa2048", SignatureLevel.PAdES_BASELINE_LTA, DigestAlgorithm.SHA256, p -> p.setPermission(permission)));
        }
        put("dss-pyhanko-extended", who, "intact", "\"then\": \"pyHanko's B-B raised to LTA by DSS\"", () -> extend(base("signed"), SignatureLevel.PAdES_BASELINE_LTA));
        put("dss-second", who, "extended", "\"signatures\": 2", () -> dss(dss(base("reportlab"), "rsa2048", SignatureLevel.PAdES_BASELINE_B, DigestAlgorithm.SHA256, null), "p256",
                SignatureLevel.PAdES_BASELINE_T, DigestAlgorithm.SHA256, null));
        put("dss-second-lta", who, "extended", "\"signatures\": 2, \"level\": \"both B-LTA\"", () -> dss(dss(base("qpdf-streams"), "rsa2048", SignatureLevel.PAdES_BASELINE_LTA,
                DigestAlgorithm.SHA256, null), "p256", SignatureLevel.PAdES_BASELINE_LTA, DigestAlgorithm.SHA256, null));
        put("dss-over-pyhanko", who, "extended", "\"signatures\": 2, \"first\": \"pyHanko\"", () -> dss(base("signed"), "rsa2048", SignatureLevel.PAdES_BASELINE_LT, DigestAlgorithm.SHA256, null));
        put("dss-in-prepared-field", who, "extended", "\"signatures\": 2, \"docmdp\": 2", () -> dss(base("certified2"), "p384", SignatureLevel.PAdES_BASELINE_B, DigestAlgorithm.SHA256, p -> {
            SignatureImageParameters image = new SignatureImageParameters();
            image.getFieldParameters().setFieldId("Prepared");
            p.setImageParameters(image);
        }));
        for (String label : List.of("reportlab", "qpdf-streams", "chromium")) {
            put("dss-visible-" + label, who, "intact", "\"visible\": true", () -> dss(base(label), "p256", SignatureLevel.PAdES_BASELINE_B, DigestAlgorithm.SHA256, p -> {
                SignatureImageParameters image = new SignatureImageParameters();
                SignatureFieldParameters field = image.getFieldParameters();
                field.setPage(1);
                field.setOriginX(300);
                field.setOriginY(600);
                field.setWidth(200);
                field.setHeight(60);
                SignatureImageTextParameters words = new SignatureImageTextParameters();
                words.setText("Signed for the corpus");
                image.setTextParameters(words);
                p.setImageParameters(image);
            }));
        }
        put("dss-big-room", who, "intact", "\"room\": 100000", () -> dss(base("reportlab"), "p256", SignatureLevel.PAdES_BASELINE_B, DigestAlgorithm.SHA256, p -> p.setContentSize(100000)));
        put("dss-document-timestamp", who, "intact", "\"signature\": \"document time stamp alone\"",
                () -> bytes(service().timestamp(new InMemoryDocument(base("reportlab")), new PAdESTimestampParameters())));
    }

    // What PDFBox's and OpenPDF's examples do: CMS by Bouncy Castle, which writes BER with indefinite lengths.

    static byte[] cms(byte[] content, String kind, String algorithm, String encoding) throws Exception {
        KeyStore s = store(kind);
        String alias = s.aliases().nextElement();
        Certificate[] chain = s.getCertificateChain(alias);
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build())
                .build(new JcaContentSignerBuilder(algorithm).build((PrivateKey) s.getKey(alias, PASSWORD)), (X509Certificate) chain[0]));
        generator.addCertificates(new JcaCertStore(Arrays.asList(chain)));
        var signed = generator.generate(new CMSProcessableByteArray(content), false);
        return encoding == null ? signed.getEncoded() : signed.getEncoded(encoding);
    }

    static String algorithm(String kind, String digest) {
        return digest + "with" + (kind.startsWith("rsa") ? "RSA" : "ECDSA");
    }

    static PDSignature signature(boolean pades) {
        PDSignature s = new PDSignature();
        s.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
        s.setSubFilter(pades ? PDSignature.SUBFILTER_ETSI_CADES_DETACHED : PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
        s.setName("Corpus");
        s.setLocation("Bakı");
        s.setReason("Corpus");
        s.setSignDate(Calendar.getInstance());
        return s;
    }

    static void certify(PDDocument document, PDSignature signature, int p) {
        COSDictionary parameters = new COSDictionary();
        parameters.setItem(COSName.TYPE, COSName.getPDFName("TransformParams"));
        parameters.setInt(COSName.P, p);
        parameters.setName(COSName.V, "1.2");
        parameters.setDirect(true);
        COSDictionary reference = new COSDictionary();
        reference.setItem(COSName.TYPE, COSName.getPDFName("SigRef"));
        reference.setName("TransformMethod", "DocMDP");
        reference.setItem("TransformParams", parameters);
        reference.setDirect(true);
        COSArray references = new COSArray();
        references.add(reference);
        references.setDirect(true);
        signature.getCOSObject().setItem("Reference", references);
        COSDictionary permissions = new COSDictionary();
        permissions.setItem(COSName.DOCMDP, signature);
        document.getDocumentCatalog().getCOSObject().setItem(COSName.PERMS, permissions);
        document.getDocumentCatalog().getCOSObject().setNeedToBeUpdated(true);
        permissions.setNeedToBeUpdated(true);
    }

    static byte[] pdfbox(byte[] pdf, boolean pades, String kind, String digest, int p, boolean visible, boolean external, String encoding) throws Exception {
        try (PDDocument document = Loader.loadPDF(pdf); SignatureOptions options = new SignatureOptions()) {
            PDSignature signature = signature(pades);
            if (p > 0) {
                certify(document, signature, p);
            }
            options.setPreferredSignatureSize(SignatureOptions.DEFAULT_SIGNATURE_SIZE * 2);
            if (visible) {
                var picture = new java.awt.image.BufferedImage(120, 40, java.awt.image.BufferedImage.TYPE_INT_RGB);
                PDVisibleSignDesigner designer = new PDVisibleSignDesigner(document, picture, 1);
                designer.xAxis(300).yAxis(600).zoom(0).adjustForRotation();
                PDVisibleSigProperties properties = new PDVisibleSigProperties();
                properties.signerName("Corpus").signerLocation("Bakı").signatureReason("Corpus").preferredSize(0).page(1).visualSignEnabled(true)
                        .setPdVisibleSignature(designer);
                properties.buildSignature();
                options.setVisualSignature(properties.getVisibleSignature());
                options.setPage(0);
            }
            SignatureInterface signer = content -> {
                try {
                    return cms(content.readAllBytes(), kind, algorithm(kind, digest), encoding);
                } catch (Exception e) {
                    throw new java.io.IOException(e);
                }
            };
            ByteArrayOutputStream signed = new ByteArrayOutputStream();
            if (external) {
                document.addSignature(signature, options);
                ExternalSigningSupport support = document.saveIncrementalForExternalSigning(signed);
                support.setSignature(signer.sign(support.getContent()));
            } else {
                document.addSignature(signature, signer, options);
                document.saveIncremental(signed);
            }
            return signed.toByteArray();
        }
    }

    static byte[] written(boolean compressed) throws Exception {
        try (PDDocument document = new PDDocument()) {
            PDPage page = new PDPage();
            document.addPage(page);
            try (PDPageContentStream c = new PDPageContentStream(document, page)) {
                c.beginText();
                c.setFont(new PDType1Font(Standard14Fonts.FontName.HELVETICA), 14);
                c.newLineAtOffset(72, 700);
                c.showText("Decision. Group: 3");
                c.endText();
            }
            ByteArrayOutputStream saved = new ByteArrayOutputStream();
            document.save(saved, compressed ? CompressParameters.DEFAULT_COMPRESSION : CompressParameters.NO_COMPRESSION);
            return saved.toByteArray();
        }
    }

    /** A further signature in a new field that the structure of a tagged file names, as the accessibility rules want it. */
    static byte[] pdfboxTagged(byte[] pdf, String kind) throws Exception {
        try (PDDocument document = Loader.loadPDF(pdf)) {
            PDPage page = document.getPage(0);
            PDAcroForm form = document.getDocumentCatalog().getAcroForm(null);
            PDSignatureField field = new PDSignatureField(form);
            field.setPartialName("Tagged");
            field.setAlternateFieldName("Signature of the second party");
            PDAnnotationWidget widget = field.getWidgets().get(0);
            widget.setRectangle(new PDRectangle(330, 60, 120, 40));
            widget.setPage(page);
            widget.setPrinted(true);
            PDStructureTreeRoot root = document.getDocumentCatalog().getStructureTreeRoot();
            int key = root.getParentTreeNextKey();
            COSDictionary tree = root.getCOSObject().getCOSDictionary(COSName.PARENT_TREE);
            while (tree.containsKey(COSName.KIDS)) {
                tree = (COSDictionary) tree.getCOSArray(COSName.KIDS).getObject(tree.getCOSArray(COSName.KIDS).size() - 1);
            }
            COSArray lines = tree.getCOSArray(COSName.NUMS);
            key = Math.max(key, lines.getInt(lines.size() - 2) + 1);
            widget.setStructParent(key);
            PDStructureElement top = (PDStructureElement) root.getKids().get(0);
            PDStructureElement element = new PDStructureElement(StandardStructureTypes.FORM, top);
            element.setPage(page);
            PDObjectReference reference = new PDObjectReference();
            reference.setReferencedObject((PDAnnotation) widget);
            element.appendKid(reference);
            top.appendKid(element);
            lines.add(COSInteger.get(key));
            lines.add(element.getCOSObject());
            if (tree.containsKey(COSName.LIMITS)) {
                tree.getCOSArray(COSName.LIMITS).set(1, COSInteger.get(key));
            }
            root.setParentTreeNextKey(key + 1);
            page.getAnnotations().add(widget);
            form.getFields().add(field);
            for (COSBase changed : List.of(page.getCOSObject(), page.getCOSObject().getItem(COSName.ANNOTS), form.getCOSObject(), form.getCOSObject().getItem(COSName.FIELDS),
                    document.getDocumentCatalog().getCOSObject(), top.getCOSObject(), top.getCOSObject().getItem(COSName.K), tree, lines, root.getCOSObject())) {
                if (changed instanceof COSUpdateInfo info) {
                    info.setNeedToBeUpdated(true);
                }
            }
            PDSignature signature = signature(false);
            field.getCOSObject().setItem(COSName.V, signature);
            ByteArrayOutputStream signed = new ByteArrayOutputStream();
            document.addSignature(signature);
            ExternalSigningSupport support = document.saveIncrementalForExternalSigning(signed);
            support.setSignature(cms(support.getContent().readAllBytes(), kind, algorithm(kind, "SHA256"), null));
            return signed.toByteArray();
        }
    }

    interface Edit {
        void on(PDDocument document) throws Exception;
    }

    /** What somebody does to a signed file and saves as an update. */
    static byte[] edited(byte[] pdf, Edit edit) throws Exception {
        try (PDDocument document = Loader.loadPDF(pdf)) {
            edit.on(document);
            ByteArrayOutputStream saved = new ByteArrayOutputStream();
            document.saveIncremental(saved);
            return saved.toByteArray();
        }
    }

    static void fill(PDDocument document, String name, String value) throws Exception {
        PDField field = document.getDocumentCatalog().getAcroForm(null).getField(name);
        field.setValue(value);
        field.getCOSObject().setNeedToBeUpdated(true);
        for (PDAnnotationWidget widget : field.getWidgets()) {
            widget.getCOSObject().setNeedToBeUpdated(true);
            widget.getCOSObject().getCOSDictionary(COSName.AP).setNeedToBeUpdated(true);
            COSBase look = widget.getCOSObject().getCOSDictionary(COSName.AP).getDictionaryObject(COSName.N);
            if (look instanceof COSUpdateInfo info) {
                info.setNeedToBeUpdated(true);
            }
        }
    }

    static void annotate(PDDocument document, PDAnnotation annotation, float size) throws Exception {
        PDPage page = document.getPage(0);
        annotation.setRectangle(new PDRectangle(20, 20, size, 20));
        annotation.setContents("seen");
        annotation.setPage(page);
        page.getAnnotations().add(annotation);
        page.getCOSObject().setNeedToBeUpdated(true);
        if (page.getCOSObject().getItem(COSName.ANNOTS) instanceof COSUpdateInfo info) {
            info.setNeedToBeUpdated(true);
        }
        if (page.getCOSObject().getDictionaryObject(COSName.ANNOTS) instanceof COSUpdateInfo info) {
            info.setNeedToBeUpdated(true);
        }
    }

    static void pdfboxLater() {
        String who = "PDFBox 3.0.6";
        for (String label : List.of("chromium", "chromium-streams", "mutool-expanded")) {
            put("pdfbox-tagged-second-" + label, who, "extended", "\"signatures\": 2, \"tagged\": true, \"base\": \"" + label + "\"",
                    () -> pdfboxTagged(pdfbox(base(label), false, "rsa2048", "SHA256", 0, false, false, null), "p256"));
        }
        put("pdfbox-tagged-second-pyhanko", who, "extended", "\"signatures\": 2, \"tagged\": true, \"first\": \"pyHanko\"", () -> pdfboxTagged(base("tagged-signed"), "rsa3072"));
        put("pdfbox-tagged-third", who, "extended", "\"signatures\": 3, \"tagged\": true", () -> pdfbox(pdfboxTagged(base("tagged-signed"), "p256"), false, "rsa2048", "SHA256", 0, false,
                false, null));
        for (int p = 2; p <= 3; p++) {
            int permission = p;
            put("pdfbox-filled-p" + p, who, "extended", "\"docmdp\": " + p + ", \"filled\": true", () -> edited(pdfbox(base("form"), false, "p256", "SHA256", permission, false, false, null),
                    d -> fill(d, "remark", "Agreed")));
            put("pdfbox-ticked-p" + p, who, "extended", "\"docmdp\": " + p + ", \"filled\": true", () -> edited(pdfbox(base("form-streams"), false, "p256", "SHA256", permission, false, false, null),
                    d -> fill(d, "agreed", "Yes")));
        }
        put("pdfbox-filled", who, "extended", "\"filled\": true", () -> edited(pdfbox(base("form-linear"), false, "rsa2048", "SHA256", 0, false, true, null), d -> {
            fill(d, "remark", "Agreed");
            fill(d, "town", "Ganja");
        }));
        put("pdfbox-note-p3", who, "extended", "\"docmdp\": 3, \"note\": true", () -> edited(pdfbox(base("reportlab"), false, "p256", "SHA256", 3, false, false, null),
                d -> annotate(d, new PDAnnotationText(), 20)));
        put("pdfbox-highlight-p3", who, "extended", "\"docmdp\": 3, \"note\": true", () -> edited(pdfbox(base("qpdf-streams"), false, "p256", "SHA256", 3, false, false, null), d -> {
            PDAnnotationHighlight mark = new PDAnnotationHighlight();
            mark.setQuadPoints(new float[] {20, 40, 120, 40, 20, 20, 120, 20});
            mark.setColor(new PDColor(new float[] {1, 1, 0}, PDDeviceRGB.INSTANCE));
            annotate(d, mark, 100);
        }));
    }

    static void pdfbox() {
        String who = "PDFBox 3.0.6";
        for (String kind : List.of("rsa2048", "rsa4096", "p256", "p384", "p521")) {
            put("pdfbox-ber-" + kind, who, "intact", "\"key\": \"" + kind + "\", \"encoding\": \"BER\"", () -> pdfbox(base("reportlab"), false, kind, "SHA256", 0, false, false, null));
            put("pdfbox-der-" + kind, who, "intact", "\"key\": \"" + kind + "\", \"encoding\": \"DER\"", () -> pdfbox(base("qpdf-tables"), false, kind, "SHA512", 0, false, true, "DER"));
        }
        for (String label : List.of("hand14", "hand-cr", "hand-crlf", "hand-noeol", "hand-free", "hybrid", "form", "chromium", "chromium-streams", "qpdf-streams", "qpdf-linear", "qpdf-linear-streams",
                "qpdf-qdf", "mutool-clean", "mutool-expanded", "pdfcpu", "archive", "attached", "pages300", "two-revisions")) {
            put("pdfbox-base-" + label, who, "intact", "\"base\": \"" + label + "\"", () -> pdfbox(base(label), false, "rsa2048", "SHA256", 0, false, true, null));
        }
        for (int p = 1; p <= 3; p++) {
            int permission = p;
            put("pdfbox-certified-p" + p, who, "intact", "\"docmdp\": " + p, () -> pdfbox(base("reportlab"), false, "p256", "SHA256", permission, false, false, null));
        }
        for (boolean compressed : new boolean[] {true, false}) {
            put("pdfbox-own-" + (compressed ? "compressed" : "tables"), who, "intact", "\"base\": \"written by PDFBox\", \"object_streams\": " + compressed,
                    () -> pdfbox(written(compressed), false, "rsa3072", "SHA256", 0, false, false, null));
            put("pdfbox-visible-" + (compressed ? "compressed" : "tables"), who, "intact", "\"visible\": true, \"object_streams\": " + compressed,
                    () -> pdfbox(written(compressed), false, "rsa3072", "SHA256", 0, true, true, null));
        }
        put("pdfbox-visible-certified", who, "intact", "\"visible\": true, \"docmdp\": 2", () -> pdfbox(base("chromium"), false, "p256", "SHA256", 2, true, true, null));
        put("pdfbox-two", who, "extended", "\"signatures\": 2", () -> pdfbox(pdfbox(base("reportlab"), false, "rsa2048", "SHA256", 0, false, false, null), false, "p256", "SHA256", 0, false, true, null));
        put("pdfbox-three-visible", who, "extended", "\"signatures\": 3, \"visible\": true", () -> pdfbox(pdfbox(pdfbox(base("qpdf-streams"), false, "rsa2048", "SHA256", 0, true, false, null),
                false, "p256", "SHA256", 0, false, true, null), false, "p384", "SHA384", 0, true, true, null));
        put("pdfbox-over-pyhanko", who, "extended", "\"signatures\": 2, \"first\": \"pyHanko\"", () -> pdfbox(base("signed"), false, "rsa2048", "SHA256", 0, false, true, null));
    }

    // OpenPDF

    static byte[] openpdf(byte[] pdf, String kind, String digest, int certification, boolean append, boolean visible, char version, boolean pades) throws Exception {
        ByteArrayOutputStream signed = new ByteArrayOutputStream();
        PdfStamper stamper = PdfStamper.createSignature(new PdfReader(pdf), signed, version, null, append);
        PdfSignatureAppearance appearance = stamper.getSignatureAppearance();
        appearance.setReason("Corpus");
        appearance.setLocation("Baku");
        appearance.setCertificationLevel(certification);
        if (visible) {
            KeyStore s = store(kind);
            appearance.setCrypto(null, s.getCertificateChain(s.aliases().nextElement()), null, PdfSignatureAppearance.SELF_SIGNED); // its name is drawn
            appearance.setVisibleSignature(new Rectangle(300, 60, 500, 120), 1, "Signature" + signed.hashCode());
        }
        appearance.setSignDate(Calendar.getInstance());
        PdfDictionary dictionary = new PdfDictionary(PdfName.SIG);
        dictionary.put(PdfName.FILTER, PdfName.ADOBE_PPKLITE);
        dictionary.put(PdfName.SUBFILTER, pades ? new PdfName("ETSI.CAdES.detached") : new PdfName("adbe.pkcs7.detached"));
        dictionary.put(PdfName.M, new com.lowagie.text.pdf.PdfDate(appearance.getSignDate()));
        dictionary.put(PdfName.REASON, new PdfString("Corpus"));
        appearance.setCryptoDictionary(dictionary);
        int room = 12000;
        Map<PdfName, Integer> exclusion = new HashMap<>();
        exclusion.put(PdfName.CONTENTS, room * 2 + 2);
        appearance.preClose(exclusion);
        byte[] cms = cms(appearance.getRangeStream().readAllBytes(), kind, algorithm(kind, digest), "DER");
        byte[] padded = Arrays.copyOf(cms, room);
        PdfDictionary contents = new PdfDictionary();
        contents.put(PdfName.CONTENTS, new PdfString(padded).setHexWriting(true));
        appearance.close(contents);
        return signed.toByteArray();
    }

    static byte[] openpdfWritten(boolean compressed) throws Exception {
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        Document document = new Document();
        PdfWriter writer = PdfWriter.getInstance(document, saved);
        if (compressed) {
            writer.setFullCompression();
        }
        document.open();
        document.add(new Paragraph("Decision. Group: 3"));
        document.close();
        return saved.toByteArray();
    }

    static void openpdf() {
        String who = "OpenPDF 2.0.5";
        for (String kind : List.of("rsa2048", "rsa3072", "p256", "p384")) {
            put("openpdf-" + kind, who, "intact", "\"key\": \"" + kind + "\"", () -> openpdf(base("reportlab"), kind, "SHA256", 0, true, false, '\0', false));
            put("openpdf-rewritten-" + kind, who, "intact", "\"key\": \"" + kind + "\", \"append\": false", () -> openpdf(base("reportlab"), kind, "SHA512", 0, false, false, '\0', false));
        }
        for (int c = 1; c <= 3; c++) {
            int certification = c;
            put("openpdf-certified-p" + c, who, "intact", "\"docmdp\": " + c, () -> openpdf(base("chromium"), "rsa2048", "SHA256", certification, true, false, '\0', false));
        }
        put("openpdf-visible", who, "intact", "\"visible\": true", () -> openpdf(base("reportlab"), "rsa2048", "SHA256", 0, true, true, '\0', false));
        put("openpdf-visible-rewritten", who, "intact", "\"visible\": true, \"append\": false", () -> openpdf(base("reportlab"), "p256", "SHA256", 0, false, true, '\0', false));
        put("openpdf-own", who, "intact", "\"base\": \"written by OpenPDF\"", () -> openpdf(openpdfWritten(false), "rsa2048", "SHA256", 0, true, false, '\0', false));
        put("openpdf-own-streams", who, "intact", "\"base\": \"written by OpenPDF, full compression\"", () -> openpdf(openpdfWritten(true), "rsa2048", "SHA256", 0, true, false, '\0', false));
        put("openpdf-own-streams-rewritten", who, "intact", "\"base\": \"written by OpenPDF, full compression\", \"append\": false",
                () -> openpdf(openpdfWritten(true), "p256", "SHA256", 0, false, false, '5', false));
        for (String label : List.of("qpdf-streams", "qpdf-linear", "hand-crlf", "form", "mutool-clean", "attached", "hybrid")) {
            put("openpdf-base-" + label, who, "intact", "\"base\": \"" + label + "\"", () -> openpdf(base(label), "rsa2048", "SHA256", 0, true, false, '\0', false));
        }
        put("openpdf-two", who, "extended", "\"signatures\": 2", () -> openpdf(openpdf(base("reportlab"), "rsa2048", "SHA256", 0, true, true, '\0', false), "p256", "SHA256", 0, true, false, '\0', false));
    }
}
