// Command checkpdf checks saved excerpts offline: whether they are as they were signed, by whom, and when. It needs no database and
// no network. So it reads what an excerpt says for programs, and the QR code of a print. It cannot say whether an excerpt still holds today; only a check by its code does.
package main

import (
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"github.com/tesdiq/tesdiq/verifier/statement"
)

//go:embed words/*.json
var wordFiles embed.FS

const usage = `checkpdf checks saved excerpts offline.

  checkpdf -roots FILE [-trust FILE] [-at TIME] [-json] [-lang az|en|ru] FILE…
  checkpdf -integrity  [-json] [-lang az|en|ru] FILE…
  checkpdf -qr TEXT   -roots FILE -signers FILE [-trust FILE] [-json] [-lang az|en|ru]
  checkpdf -statement -roots FILE -signers FILE [-trust FILE] [-lang az|en|ru] FILE

  -roots FILE   judge by the pinned root certificates in FILE (PEM; an issuer publishes its own as /pki/roots.pem)
  -trust FILE   and by the issuer’s trust list in FILE (/pki/trust.json), which knows what was revoked later
  -integrity    judge only whether the bytes are as they were signed, whoever signed
  -qr TEXT      judge what the QR code of a print says: genuine as of its day, or not
  -statement    print what an excerpt (PDF, or the statement.jws out of one) states, as JSON
  -signers FILE certificates of those who sign excerpts (PEM; an issuer publishes its own as /pki/signers.pem)
  -at TIME      judge as of that time (2026-11-21T10:00:00Z) instead of now
  -json         one line of JSON for each file
  -lang LANG    language of the sentences: az, en (default) or ru

Exit status: 0 every file is TOTAL-PASSED (with -integrity: intact; with -qr and -statement: genuine), 1 some are not,
2 wrong use.
`

// Exit statuses.
const (
	allPassed, someNot, wrongUse = 0, 1, 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// line is what -json prints of a file.
type line struct {
	File          string `json:"file"`
	Integrity     string `json:"integrity"`
	Indication    string `json:"indication"`
	SubIndication string `json:"sub_indication"`
	Reason        string `json:"reason"`
	Signer        string `json:"signer"`
	SignedAt      string `json:"signed_at"` // RFC 3339, UTC
	Level         string `json:"level"`
	Code          string `json:"code"`
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("checkpdf", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what is wrong is said below, in the person's language
	rootsFile := flags.String("roots", "", "")
	trustFile := flags.String("trust", "", "")
	integrity := flags.Bool("integrity", false, "")
	at := flags.String("at", "", "")
	qr := flags.String("qr", "", "")
	printed := flags.Bool("statement", false, "")
	signersFile := flags.String("signers", "", "")
	asJSON := flags.Bool("json", false, "")
	flags.String("lang", "en", "")
	words, err := readWords(langOf(args))
	if err != nil {
		fmt.Fprintf(stderr, "checkpdf: no language %q: az, en or ru\n", langOf(args))
		return wrongUse
	}
	say := func(key string, values ...string) {
		fmt.Fprintf(stderr, "checkpdf: %s\n", printable(strings.NewReplacer(values...).Replace(words[key])))
	}
	refuse := func(key string, values ...string) int {
		say(key, values...)
		return wrongUse
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stderr, usage)
		return allPassed
	case err != nil:
		return refuse(useOption, "{detail}", err.Error())
	case *qr != "" && (*printed || *integrity || flags.NArg() > 0), *printed && (*integrity || *asJSON || flags.NArg() > 1):
		return refuse(useWays)
	case (*qr != "" || *printed) != (*signersFile != ""):
		return refuse(useSigners)
	case flags.NArg() == 0 && *qr == "":
		return refuse(useNothing)
	case (*rootsFile == "") == !*integrity:
		return refuse(useWay)
	case *trustFile != "" && *rootsFile == "":
		return refuse(useTrust)
	}
	for _, name := range flags.Args() {
		if _, err := os.Stat(name); strings.HasPrefix(name, "-") && errors.Is(err, fs.ErrNotExist) {
			return refuse(useOrder, "{file}", name)
		}
	}
	now := time.Now()
	if *at != "" {
		if now, err = time.Parse(time.RFC3339, *at); err != nil {
			return refuse(useAt, "{value}", *at)
		}
	}
	// unusable says what is wrong with a file that the judging needs.
	unusable := func(option, name, key string, err error) int {
		if key != "" {
			fmt.Fprintf(stderr, "checkpdf: %s %s: %s\n", option, printable(name), words[key])
			return wrongUse
		}
		detail := err.Error()
		for _, ours := range []string{"keys: roots: ", "keys: trust list: ", "statement: signers: "} {
			detail = strings.TrimPrefix(detail, ours)
		}
		return refuse(map[string]string{"-roots": rootsWrong, "-trust": trustWrong, "-signers": signersWrong}[option], "{file}", name, "{detail}", detail)
	}
	var roots *keys.Roots
	if *rootsFile != "" {
		data, key := load(*rootsFile)
		if key == "" {
			roots, err = keys.ParseRoots(data)
		}
		if key != "" || err != nil {
			return unusable("-roots", *rootsFile, key, err)
		}
	}
	var trust *keys.TrustList
	if *trustFile != "" {
		data, key := load(*trustFile)
		if key == "" {
			trust, err = keys.ReadTrustList(data, roots)
		}
		if key != "" || err != nil {
			return unusable("-trust", *trustFile, key, err)
		}
		if now.After(trust.NextUpdate) {
			say(trustStale, "{time}", trust.NextUpdate.Format(time.RFC3339))
		}
	}
	if *signersFile != "" {
		var signers *statement.Signers
		data, key := load(*signersFile)
		if key == "" {
			signers, err = statement.ParseSigners(roots, data)
		}
		if key != "" || err != nil {
			return unusable("-signers", *signersFile, key, err)
		}
		s := &statements{signers: signers, roots: roots, now: now, trust: trust, words: words, stdout: stdout, stderr: stderr}
		if *qr != "" {
			return s.qr(*qr, *asJSON)
		}
		return s.print(flags.Arg(0))
	}

	status := allPassed
	for _, name := range flags.Args() {
		report, key := check(name, roots, now)
		if trust != nil && report.Indication == pades.Passed && revoked(trust, report) {
			report = pades.Report{Integrity: report.Integrity, Indication: pades.Failed, SubIndication: pades.Revoked}
			key = trustRevoked
		}
		if report.Indication != pades.Passed && !(*integrity && report.Integrity == pades.Intact) {
			status = someNot
		}
		l := line{name, string(report.Integrity), string(report.Indication), string(report.SubIndication), words[key],
			report.Signer, "", report.Level, report.Code}
		if !report.SignedAt.IsZero() {
			l.SignedAt = report.SignedAt.Format(time.RFC3339)
		}
		if *asJSON {
			err = l.writeJSON(stdout)
		} else {
			err = l.writeText(stdout, words, *integrity)
		}
		if err != nil {
			return refuse(useWrite, "{detail}", err.Error())
		}
	}
	return status
}

// writeJSON writes a file's line for programs.
func (l line) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(l)
}

// writeText writes a file's line for people. Where only integrity was asked for, the standard's words on trust say nothing.
func (l line) writeText(w io.Writer, words map[string]string, integrityOnly bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", printable(l.File))
	if !integrityOnly {
		b.WriteString(l.Indication)
		if l.SubIndication != "" {
			fmt.Fprintf(&b, " (%s)", l.SubIndication)
		}
		b.WriteString(", ")
	}
	fmt.Fprintf(&b, "%s. %s", l.Integrity, l.Reason)
	for _, f := range []struct{ label, value string }{{"signer", l.Signer}, {"signed_at", l.SignedAt}, {"level", l.Level}, {"code", l.Code}} {
		if f.value != "" {
			fmt.Fprintf(&b, " %s: %s.", words["label."+f.label], printable(f.value))
		}
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// printable keeps a name from the command line or from a certificate from moving the cursor or turning the line's direction.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// Keys of the sentences on files that are not even read, and on those of which only the trust list knows. The others are pades.Reasons.
const (
	trustRevoked   = "trust.revoked"
	fileMissing    = "file.missing"
	fileDirectory  = "file.directory"
	fileUnreadable = "file.unreadable"
	filePicture    = "file.picture"
)

// Keys of the sentences on wrong use.
const (
	useNothing   = "use.nothing"
	useOption    = "use.option"
	useOrder     = "use.order"
	useAt        = "use.at"
	useWay       = "use.way"
	useWays      = "use.ways"
	useSigners   = "use.signers"
	useTrust     = "use.trust"
	useWrite     = "use.write"
	rootsWrong   = "roots.wrong"
	trustWrong   = "trust.wrong"
	trustStale   = "trust.stale"
	signersWrong = "signers.wrong"
)

// useKeys lists them, so that a test can find out whether each has its sentence.
var useKeys = []string{useNothing, useOption, useOrder, useAt, useWay, useWays, useSigners, useTrust, useWrite, rootsWrong, trustWrong, trustStale, signersWrong}

// check judges a file and gives the key of the sentence on it.
func check(name string, roots *keys.Roots, now time.Time) (pades.Report, string) {
	// The standard's word for "what was signed cannot be obtained".
	unread := pades.Report{Integrity: pades.Broken, Indication: pades.Indeterminate, SubIndication: "SIGNED_DATA_NOT_FOUND"}
	data, key := load(name)
	if key != "" {
		return unread, key
	}
	report := pades.ReadAt(data, roots, now)
	if report.Reason == pades.ReasonNotPDF && verifier.IsPicture(data) {
		return report, filePicture
	}
	return report, string(report.Reason)
}

// load reads a file, or gives the key of the sentence that says why it cannot.
func load(name string) (data []byte, key string) {
	data, err := read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fileMissing
	case errors.Is(err, errDirectory):
		return nil, fileDirectory
	case err != nil:
		return nil, fileUnreadable
	}
	return data, ""
}

var errDirectory = errors.New("is a directory")

// read reads a file, at most one byte more than pades reads, which will then say that it is too large.
func read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errDirectory
	}
	return io.ReadAll(io.LimitReader(f, pades.MaxSize+1))
}

// revoked says whether the list knows that a certificate by which the file passes was revoked when it was signed.
func revoked(t *keys.TrustList, r pades.Report) bool {
	for _, serial := range []string{r.SignerSerial, r.StampSerial} {
		if _, so := t.RevokedFor(serial, r.SignedAt); so {
			return true
		}
	}
	return false
}

// langOf is the language that the arguments ask for: known before they are read, so that what is wrong with them can be said in it.
func langOf(args []string) string {
	lang := "en"
	for i, a := range args {
		name, value, joined := strings.Cut(a, "=")
		switch {
		case a == "--":
			return lang
		case name != "-lang" && name != "--lang":
		case joined:
			lang = value
		case i+1 < len(args):
			lang = args[i+1]
		}
	}
	return lang
}

// readWords gives the sentences of a language by their keys.
func readWords(lang string) (map[string]string, error) {
	data, err := wordFiles.ReadFile("words/" + lang + ".json")
	if err != nil {
		return nil, err
	}
	var words map[string]string
	if err := json.Unmarshal(data, &words); err != nil {
		return nil, fmt.Errorf("words: %w", err)
	}
	return words, nil
}
