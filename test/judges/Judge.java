import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.simplereport.jaxb.XmlTimestamp;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * EU DSS and veraPDF as judges, in one process for many files, without network.
 *
 * <p>usage: Judge dss ROOTS.pem [TIME | now] [need-revocation | no-revocation] &lt;files; Judge verapdf &lt;files
 *
 * <p>Reads names of files from its input, prints one line of JSON for each: DSS's indication for every signature and time stamp by
 * its default policy (no-revocation: the same policy, but nobody need have asked whether a certificate was revoked), or veraPDF's failures for every flavour that the file claims.
 */
public final class Judge {
    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // libraries may print
        List<String> files = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).lines().toList();
        ExecutorService pool = Executors.newFixedThreadPool(2);
        List<Future<String>> answers = new ArrayList<>();
        if (args[0].equals("verapdf")) {
            VeraGreenfieldFoundryProvider.initialise();
            for (String file : files) {
                answers.add(pool.submit(() -> verapdf(file)));
            }
        } else {
            CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
            try (InputStream in = new FileInputStream(args[1])) {
                for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                    trusted.addCertificate(DSSUtils.loadCertificate(c.getEncoded()));
                }
            }
            Date at = args.length < 3 || args[2].equals("now") ? null : Date.from(Instant.parse(args[2]));
            String policy;
            try (InputStream in = Judge.class.getResourceAsStream("/policy/constraint.xml")) {
                policy = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            }
            if (args.length > 3 && args[3].equals("no-revocation")) {
                policy = policy.replaceAll("<RevocationDataAvailable Level=\"[A-Z]+\"", "<RevocationDataAvailable Level=\"IGNORE\"");
            }
            byte[] constraints = policy.getBytes(StandardCharsets.UTF_8);
            for (String file : files) {
                answers.add(pool.submit(() -> dss(file, trusted, at, constraints)));
            }
        }
        for (Future<String> answer : answers) {
            out.println(answer.get());
        }
        pool.shutdown();
    }

    private static String dss(String file, CommonTrustedCertificateSource trusted, Date at, byte[] policy) {
        StringBuilder line = new StringBuilder("{\"file\": " + quoted(Path.of(file).getFileName().toString()));
        try {
            CommonCertificateVerifier verifier = new CommonCertificateVerifier(); // no sources: nothing is fetched
            verifier.setTrustedCertSources(trusted);
            verifier.setAIASource(null);
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
            validator.setCertificateVerifier(verifier);
            if (at != null) {
                validator.setValidationTime(at);
            }
            Reports reports = validator.validateDocument(new ByteArrayInputStream(policy));
            SimpleReport r = reports.getSimpleReport();
            StringBuilder signatures = new StringBuilder();
            boolean all = r.getSignaturesCount() > 0;
            for (String id : r.getSignatureIdList()) {
                all &= r.isValid(id);
                signatures.append(signatures.isEmpty() ? "" : ", ").append("{\"indication\": ").append(quoted(String.valueOf(r.getIndication(id))))
                        .append(", \"sub_indication\": ").append(quoted(r.getSubIndication(id) == null ? "" : r.getSubIndication(id).name()))
                        .append(", \"level\": ").append(quoted(String.valueOf(r.getSignatureFormat(id))));
                List<String> said = new ArrayList<>();
                r.getAdESValidationErrors(id).forEach(m -> said.add(m.getValue()));
                line(signatures, "errors", said);
                List<String> warned = new ArrayList<>();
                r.getAdESValidationWarnings(id).forEach(m -> warned.add(m.getValue()));
                line(signatures, "warnings", warned);
                List<String> stamps = new ArrayList<>();
                for (XmlTimestamp t : r.getSignatureTimestamps(id)) {
                    stamps.add(String.valueOf(t.getIndication()));
                }
                line(signatures, "timestamps", stamps);
                signatures.append("}");
            }
            List<String> stamps = new ArrayList<>();
            for (String id : r.getTimestampIdList()) {
                stamps.add(String.valueOf(r.getIndication(id)));
            }
            if (r.getSignaturesCount() == 0) { // a document time stamp alone
                all = !stamps.isEmpty() && stamps.stream().allMatch(s -> s.equals("PASSED") || s.equals("TOTAL_PASSED"));
            }
            line(line, "timestamps", stamps);
            line.append(", \"accepted\": ").append(all).append(", \"signatures\": [").append(signatures).append("]}");
        } catch (Throwable e) {
            line.append(", \"accepted\": false, \"error\": ").append(quoted(e.toString())).append("}");
        }
        return line.toString();
    }

    private static String verapdf(String file) {
        StringBuilder line = new StringBuilder("{\"file\": " + quoted(Path.of(file).getFileName().toString()) + ", \"flavours\": [");
        String between = "";
        try {
            List<PDFAFlavour> flavours;
            try (PDFAParser parser = Foundries.defaultInstance().createParser(new FileInputStream(file))) {
                flavours = parser.getFlavours(); // what its XMP claims
            }
            for (PDFAFlavour flavour : flavours) {
                if (flavour == PDFAFlavour.NO_FLAVOUR) {
                    continue;
                }
                try (PDFAParser parser = Foundries.defaultInstance().createParser(new FileInputStream(file), flavour)) {
                    PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false);
                    ValidationResult result = validator.validate(parser);
                    TreeSet<String> failures = new TreeSet<>();
                    for (TestAssertion a : result.getTestAssertions()) {
                        if (a.getStatus() == TestAssertion.Status.FAILED) {
                            failures.add(a.getRuleId().getClause() + "-" + a.getRuleId().getTestNumber() + " " + a.getMessage() + " at " + a.getLocation().getContext());
                        }
                    }
                    line.append(between).append("{\"flavour\": ").append(quoted(flavour.getId())).append(", \"compliant\": ").append(result.isCompliant())
                            .append(", \"checks\": ").append(result.getTotalAssertions());
                    line(line, "failures", new ArrayList<>(failures));
                    line.append("}");
                    between = ", ";
                }
            }
            return line.append("]}").toString();
        } catch (Throwable e) {
            return line.append("], \"error\": ").append(quoted(e.toString())).append("}").toString();
        }
    }

    private static void line(StringBuilder to, String key, List<String> values) {
        to.append(", \"").append(key).append("\": [");
        for (int i = 0; i < values.size(); i++) {
            to.append(i == 0 ? "" : ", ").append(quoted(values.get(i)));
        }
        to.append("]");
    }

    private static String quoted(String s) {
        StringBuilder q = new StringBuilder("\"");
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\') {
                q.append('\\').append(c);
            } else if (c < ' ') {
                q.append(String.format("\\u%04x", (int) c));
            } else {
                q.append(c);
            }
        }
        return q.append('"').toString();
    }
}
