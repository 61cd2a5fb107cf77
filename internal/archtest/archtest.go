// Package archtest holds the rules of ARCHITECTURE.md about who may import whom, and some about what may stand in a
// source file, as tables with a reason for every line. Its test lays them over the whole module. To change a rule,
// change its line and its reason; there are no exceptions elsewhere.
package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the path of ours.
const Module = "github.com/tesdiq/tesdiq"

// Package is what the rules look at of a package. Imports are those of its files that are not tests: a test may use
// what it needs.
type Package struct {
	ImportPath string
	Imports    []string
}

// kind is a sort of package to which the same rules apply.
type kind string

const (
	root      kind = "root"
	component kind = "component"
	dbSide    kind = "…db"
	webSide   kind = "…web"
	program   kind = "cmd"
	templates kind = "templates"
	keys      kind = "keys"
	signer    kind = "keys/signer"
	pades     kind = "verifier/pades"
	entries   kind = "registry's entry types"
	ledger    kind = "ledger"
	gateway   kind = "gateway"
	agencies  kind = "gateway/agencies"
	rules     kind = "rules of law"
	shell     kind = "web"
	writer    kind = "shared writer"
	postgres  kind = "internal/postgres"
	privatepg kind = "internal/privatepg"
	together  kind = "internal/together"
	people    kind = "internal/people"
	bench     kind = "internal/bench"
	service   kind = "internal/service"
	carrier   kind = "a carrier of messages"
	outbox    kind = "internal/message/outbox"
	testHelp  kind = "help for tests"
)

// places says of what kind a package is, by its path in the module; the first line that fits decides. A package that
// fits none is in no room that the architecture knows.
var places = []struct {
	path string // "x" is x alone, "x/…" x and what is below it
	kind kind
}{
	{".", root},
	{"cmd/…", program},
	{"ledger/ledgerdb", writer},
	{"registry/registrydb", writer},
	{"internal/message/smpp", carrier},
	{"internal/message/mail", carrier},
	{"internal/message/outbox", outbox},
	{"internal/message", writer},
	{"internal/worker", writer},
	{"internal/postgres/…", postgres},
	{"internal/privatepg", privatepg},
	{"internal/together", together},
	{"internal/people/…", people},
	{"internal/bench/…", bench},
	{"internal/simulate/…", bench},
	{"internal/service/…", service},
	{"internal/archtest", testHelp},
	{"internal/pgtest", testHelp},
	{"internal/hsmtest", testHelp},
	{"internal/pdftest", testHelp},
	{"internal/script/…", testHelp},
	{"test/judges/…", testHelp},
	{"web/webtest", testHelp},
	{"verifier/verifierdb/verifierdbtest", testHelp},
	{"web/…", shell},
	{"templates/…", templates},
	{"keys/signer/…", signer},
	{"keys/…", keys},
	{"verifier/pades/…", pades},
	{"verifier/statement", pades},
	{"ledger/…", ledger},
	{"gateway/agencies", agencies},
	{"gateway/…", gateway},
	{"registry/…", entries},
	{"casework/tseras/criteria", rules},
	{"issuer/…", component},
	{"verifier/…", component},
	{"organisation/…", component},
	{"cabinet/…", component},
	{"casework/…", component},
}

// sided are the kinds whose folders hold a …db and a …web beside the component itself.
var sided = []kind{component, entries, keys, ledger, gateway}

// kindOf says of what kind a package of ours is, and to which top folder it belongs.
func kindOf(importPath string) (k kind, folder string, ok bool) {
	path, ok := within(importPath)
	if !ok {
		return "", "", false
	}
	folder, _, _ = strings.Cut(path, "/")
	last := path[strings.LastIndexByte(path, '/')+1:]
	for _, place := range places {
		below, deep := strings.CutSuffix(place.path, "/…")
		if path != below && !(deep && strings.HasPrefix(path, below+"/")) {
			continue
		}
		if slices.Contains(sided, place.kind) && path != folder {
			switch {
			case strings.HasSuffix(last, "db"):
				return dbSide, folder, true
			case strings.HasSuffix(last, "web"):
				return webSide, folder, true
			}
		}
		return place.kind, folder, true
	}
	return "", folder, true
}

// within is a package's path in our module, "." for its root.
func within(importPath string) (string, bool) {
	if importPath == Module {
		return ".", true
	}
	return strings.CutPrefix(importPath, Module+"/")
}

// ours says which packages of ours a kind may import besides those of its own kind in its own folder.
var ours = []struct {
	kind   kind
	may    []kind
	reason string
}{
	{root, nil,
		"the words stand under everything: they import only the standard library"},
	{keys, []kind{root},
		"a relying party uses them as they are"},
	{signer, []kind{root, keys},
		"what can sign knows nothing of what it signs"},
	{pades, []kind{root, keys},
		"the strict reading, and that of statements, serve issuer and relying parties alike, offline"},
	{ledger, []kind{root},
		"a proof must be checkable without the service"},
	{gateway, []kind{root, keys},
		"questions to other agencies know no component, and what was answered is checked with public keys alone"},
	{agencies, []kind{root, gateway, entries, people},
		"the simulator of agencies answers about invented people, by the gateway's own forms, and knows nothing of who asks"},
	{entries, []kind{root},
		"what the books say is written down without knowing who asks"},
	{rules, []kind{root},
		"anybody can decide again by the rules alone: they read nothing and know no procedure"},
	{templates, []kind{root, entries},
		"a document says what an entry says, and knows no procedure"},
	{component, []kind{root, entries, rules, templates, keys, ledger, gateway, pades},
		"components do not import each other, so that each can be understood, moved and replaced alone; it is plain Go that could run in a test without database and HTTP"},
	{dbSide, []kind{root, entries, rules, templates, ledger, gateway, component, writer, together},
		"a …db serves its own component; only the shared writers take part in its transaction"},
	{webSide, []kind{root, entries, rules, templates, keys, ledger, component, shell},
		"a …web asks its own component and never the database, so that no page can pass by a rule"},
	{shell, []kind{root},
		"the shell of all pages knows no page"},
	{writer, []kind{root, entries, ledger, writer},
		"a shared writer works inside anybody's transaction, so it depends on nobody's component"},
	{carrier, []kind{root},
		"what speaks to an SMS centre or a mail server knows nothing of whom a message is about"},
	{outbox, []kind{root, writer, carrier},
		"it sends what was written, whoever wrote it, and knows no component"},
	{postgres, []kind{privatepg},
		"roles, pools and migrations stand under every …db"},
	{privatepg, nil,
		"it starts a server and knows nothing of what is in it"},
	{together, nil,
		"it gathers calls and knows nothing of what they do"},
	{people, []kind{root, entries},
		"invented people are data"},
	{service, []kind{root, component, rules, dbSide, webSide, templates, keys, signer, pades, entries, ledger, gateway, shell, writer, outbox, carrier, postgres, service},
		"it puts together what cmd's programs have in common; invented people and private servers are for the demonstration alone"},
	{bench, everything,
		"it measures the whole"},
	{program, everything,
		"the only place where all parts meet"},
	{testHelp, append([]kind{testHelp}, everything...),
		"tests may look at everything"},
}

var everything = []kind{root, component, rules, dbSide, webSide, program, templates, keys, signer, pades, entries, ledger, gateway,
	agencies, shell, writer, outbox, carrier, postgres, privatepg, together, people, bench, service}

// ofOne are the kinds that belong to one component and may import a component only if it is that one.
var ofOne = []kind{component, dbSide, webSide}

// theirs says which kinds may import a library, below its path too. What is not here may be imported by all but root.
var theirs = []struct {
	library string
	may     []kind
	reason  string
}{
	{"github.com/jackc/pgx", []kind{dbSide, writer, outbox, postgres, testHelp, bench},
		"SQL stands in …db, where a test prepares every statement; bench runs a bare handler to compare with"},
	{"database/sql", []kind{postgres},
		"pgx is our only way to the database; goose wants this one"},
	{"github.com/pressly/goose", []kind{postgres},
		"there is one place that migrates"},
	{"github.com/riverqueue/river", []kind{writer, dbSide, program, postgres, testHelp},
		"a job is inserted with its data and worked in one place; postgres makes its tables"},
	{"net/http", []kind{webSide, shell, gateway, agencies, program, service, testHelp, bench},
		"what is said over HTTP is decided without it"},
	{"github.com/go-chi", []kind{webSide, shell, gateway, program, service, testHelp, bench},
		"what is said over HTTP is decided without it"},
	{"github.com/danielgtaylor/huma", []kind{webSide, shell, program, testHelp},
		"what is said over HTTP is decided without it"},
	{"github.com/miekg/pkcs11", []kind{signer},
		"private keys are touched in one place"},
	{"github.com/ThalesGroup/crypto11", []kind{signer},
		"private keys are touched in one place"},
	{"github.com/digitorus/pdfsign", []kind{signer, bench, testHelp},
		"its verifier must never be a verdict of ours"},
	{"math/rand", []kind{people, agencies, bench, testHelp},
		"what can be foretold is for invented people; codes, keys and salts read the Rand that they are given"},
	{"testing", []kind{testHelp},
		"no program of ours carries test code"},
}

// reach says what a program must not contain, however many imports away.
var reach = []struct {
	program   string
	forbidden string
	reason    string
}{
	{"cmd/verifier", Module + "/keys/signer", "the verifier cannot sign"},
	{"cmd/verifier", Module + "/issuer", "the verifier makes no excerpts and asks for none"},
	{"cmd/verifier", Module + "/casework", "the verifier holds no cases"},
	{"cmd/verifier", Module + "/registry/registrydb", "the verifier reads no book but by its own statements, and writes none"},
	{"cmd/verifier", Module + "/registry/registryweb", "the verifier shows nobody's entries"},
	{"cmd/verifier", Module + "/cabinet/cabinetweb", "the verifier is no cabinet"},
	{"cmd/verifier", Module + "/web/signin", "the verifier signs nobody in, and holds no secret of the provider's"},
	{"cmd/verifier", Module + "/gateway", "the verifier asks no agency"},
	{"cmd/verifier", Module + "/organisation", "the verifier lets no organisation in"},
	{"cmd/verifier", Module + "/internal/message/outbox", "the verifier writes messages and sends none"},
	{"cmd/issuer", Module + "/internal/message/outbox", "what can sign reaches no carrier"},
	{"cmd/verifier", Module + "/internal/worker", "the verifier is stateless: housekeeping is done elsewhere"},
	{"cmd/casework", Module + "/keys/signer", "only the issuing process can sign"},
	{"cmd/casework", Module + "/verifier/sandbox", "foreign files are read by the verifier alone"},
	{"cmd/casework", Module + "/organisation", "organisations are let in by the operator"},
	{"cmd/issuer", Module + "/casework", "what can sign holds no cases"},
	{"cmd/issuer", Module + "/verifier/verifierdb", "what can sign answers nobody who checks"},
	{"cmd/issuer", Module + "/verifier/verifierweb", "what can sign answers nobody who checks"},
	{"cmd/issuer", Module + "/verifier/sandbox", "what can sign reads no foreign file"},
	{"cmd/issuer", Module + "/issuer/issuerweb", "what can sign shows nobody a page"},
	{"cmd/issuer", Module + "/cabinet", "what can sign shows nobody a page"},
	{"cmd/issuer", Module + "/registry/registryweb", "what can sign shows nobody a page"},
	{"cmd/issuer", Module + "/web/signin", "what can sign signs nobody in"},
	{"cmd/issuer", Module + "/keys/keysweb", "what can sign reads nothing that strangers ask: it says beforehand what there is to say"},
	{"cmd/issuer", Module + "/gateway", "what can sign asks nobody but the time-stamp authority"},
	{"cmd/issuer", Module + "/organisation", "organisations are let in by the operator"},
	{"cmd/verifier", Module + "/internal/people", "the demonstration is cmd/tesdiq's alone"},
	{"cmd/casework", Module + "/web/signin/demoprovider", "the demonstration is cmd/tesdiq's alone"},
	{"cmd/casework", Module + "/web/democlock", "nobody puts the clock of an installation"},
	{"cmd/verifier", Module + "/web/democlock", "nobody puts the clock of an installation"},
	{"cmd/issuer", Module + "/web/democlock", "nobody puts the clock of an installation"},
	{"cmd/casework", Module + "/gateway/agencies", "the demonstration is cmd/tesdiq's alone"},
	{"cmd/casework", Module + "/internal/people", "the demonstration is cmd/tesdiq's alone"},
	{"cmd/issuer", Module + "/internal/people", "the demonstration is cmd/tesdiq's alone"},
	{"cmd/checkpdf", Module + "/keys/signer", "a relying party needs no signing code"},
	{"cmd/checkpdf", Module + "/internal/postgres", "it needs no database"},
	{"cmd/checkpdf", "github.com/jackc/pgx", "it needs no database"},
	{"cmd/checkpdf", "net/http", "it works offline and must be seen to"},
}

// Check lays the tables over packages, which are ours with all that they import, directly or not.
func Check(packages []Package) []string {
	var wrong []string
	for _, p := range packages {
		if _, mine := within(p.ImportPath); mine {
			wrong = append(wrong, checkImports(p)...)
		}
	}
	return append(wrong, checkReach(packages)...)
}

func checkImports(p Package) []string {
	k, folder, _ := kindOf(p.ImportPath)
	if k == "" {
		return []string{p.ImportPath + ": this folder is not in the architecture: name it in ARCHITECTURE.md and in internal/archtest, or move what is in it"}
	}
	var wrong []string
	say := func(imported, reason string) {
		wrong = append(wrong, fmt.Sprintf("%s (%s) imports %s: %s", p.ImportPath, k, imported, reason))
	}
	for _, imported := range p.Imports {
		if other, otherFolder, mine := kindOf(imported); mine {
			if reason := refuseOurs(k, folder, other, otherFolder); reason != "" {
				say(imported, reason)
			}
			continue
		}
		if k == root && strings.Contains(strings.Split(imported, "/")[0], ".") {
			say(imported, "the words stand under everything: they import only the standard library")
		}
		for _, rule := range theirs {
			if isBelow(imported, rule.library) && !slices.Contains(rule.may, k) && imported != "database/sql/driver" {
				say(imported, rule.reason)
			}
		}
	}
	return wrong
}

// refuseOurs is the reason why a package must not import another of ours, or "".
func refuseOurs(k kind, folder string, other kind, otherFolder string) string {
	if k == other && folder == otherFolder {
		return ""
	}
	for _, rule := range ours {
		if rule.kind != k {
			continue
		}
		switch {
		case !slices.Contains(rule.may, other):
			return rule.reason
		case other == component && slices.Contains(ofOne, k) && folder != otherFolder:
			return rule.reason
		case other == pades && k == component && folder != "issuer" && folder != "verifier":
			return "the issuer re-checks with it and the verifier reads with it; nobody else judges a file"
		}
		return ""
	}
	return "no rule speaks of " + string(k)
}

// isBelow says whether a package is a library or one of its packages, in whatever major version.
func isBelow(imported, library string) bool {
	return imported == library || strings.HasPrefix(imported, library+"/")
}

func checkReach(packages []Package) []string {
	imports := map[string][]string{}
	for _, p := range packages {
		imports[p.ImportPath] = p.Imports
	}
	var wrong []string
	for _, rule := range reach {
		from := Module + "/" + rule.program
		if way := wayTo(from, rule.forbidden, imports, map[string]bool{}); way != nil {
			wrong = append(wrong, fmt.Sprintf("%s contains %s: %s", rule.program, strings.Join(way[1:], " → "), rule.reason))
		}
	}
	return wrong
}

// wayTo finds a chain of imports from one package to another, or to one below it.
func wayTo(from, to string, imports map[string][]string, seen map[string]bool) []string {
	if isBelow(from, to) {
		return []string{from}
	}
	if seen[from] {
		return nil
	}
	seen[from] = true
	for _, next := range imports[from] {
		if way := wayTo(next, to, imports, seen); way != nil {
			return append([]string{from}, way...)
		}
	}
	return nil
}
