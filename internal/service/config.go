package service

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/tesdiq/tesdiq/internal/postgres"
)

// Program is a program that reads a configuration. All read the same form of it, and each refuses what is not for it.
type Program string

// The programs.
const (
	AllInOne Program = "tesdiq serve"
	Issuer   Program = "issuer"
	Verifier Program = "verifier"
	Casework Program = "casework"
	// Operator is every command that works on the database and serves nothing. It reads any program's file.
	Operator Program = "tesdiq"
	// Reissuer is the operator's command that signs as the issuing process does. It reads the file of a program that has keys.
	Reissuer Program = "tesdiq keys reissue"
)

// Roles are the database roles under which a program signs in.
func (p Program) Roles() []postgres.Role {
	switch p {
	case Issuer, Reissuer:
		return []postgres.Role{postgres.Issuer}
	case Verifier:
		return []postgres.Role{postgres.Verifier, postgres.Reception}
	case Casework:
		return []postgres.Role{postgres.Cabinet, postgres.Worker, postgres.Sender, postgres.Casework, postgres.Commission, postgres.Lookup, postgres.Inspection}
	case Operator:
		return []postgres.Role{postgres.Registry, postgres.Operator}
	}
	return postgres.OneProcess()
}

// operates says whether a program is one of the operator's commands, which read the files of other programs.
func (p Program) operates() bool { return p == Operator || p == Reissuer }

// Config is what -config FILE holds: docs/tesdiq.example.toml, with a comment at each setting.
type Config struct {
	Address        string   `toml:"address"`
	PublicURL      string   `toml:"public_url"`
	TrustedProxies []string `toml:"trusted_proxies"`

	Database struct {
		URL       string `toml:"url"`
		Passwords string `toml:"passwords"`
	} `toml:"database"`

	SignIn struct {
		Issuer       string            `toml:"issuer"`
		ClientID     string            `toml:"client_id"`
		ClientSecret string            `toml:"client_secret_file"`
		Claims       map[string]string `toml:"claims"`
	} `toml:"sign_in"`

	Keys struct {
		Dir      string           `toml:"dir"`
		Deadline time.Duration    `toml:"deadline"` // of one signature in a module; 0: two seconds
		Limits   map[string]Limit `toml:"limits"`   // by the key's role
	} `toml:"keys"`

	Trust struct {
		Roots   string `toml:"roots"`
		Signers string `toml:"signers"` // may be empty: then nothing is offered for checks without network
	} `toml:"trust"`

	TimeStamps struct {
		AnswerTo  []string `toml:"answer_to"`
		Authority string   `toml:"authority"`
		Roots     string   `toml:"roots"`
		Policy    string   `toml:"policy"`
		OCSP      string   `toml:"ocsp"`
	} `toml:"time_stamps"`

	SMS   SMS   `toml:"sms"`
	Email Email `toml:"email"`

	Gateway Gateway `toml:"gateway"`
	Draws   Draws   `toml:"draws"`

	Proxies, StampFor []netip.Prefix `toml:"-"`

	program Program
}

// Limit is how many signatures a key may give; what is 0 has a default.
type Limit struct {
	PerSecond float64 `toml:"per_second"`
	Burst     int     `toml:"burst"`
	PerDay    int64   `toml:"per_day"`
}

// refusal notes that a setting is missing or unsafe, and why.
type refusal func(setting, why string, args ...any)

// settings are all that there are, each with the programs that have it and how it is judged. A setting in a file of
// another program is refused: a secret that lies about where nobody needs it is one that gets lost.
var settings = []struct {
	name  string // as in the file, or the table that all of these are in
	has   []Program
	not   string // why another program must not have it
	judge func(c *Config, refuse refusal)
}{
	{"address", []Program{AllInOne, Issuer, Verifier, Casework}, "", judgeAddress},
	{"public_url", []Program{AllInOne, Issuer, Verifier, Casework, Reissuer}, "", judgePublicURL},
	{"trusted_proxies", []Program{AllInOne, Verifier, Casework}, "only who answers the public stands behind a proxy", judgeProxies},
	{"database.url", []Program{AllInOne, Issuer, Verifier, Casework, Operator, Reissuer}, "", judgeDatabaseURL},
	{"database.passwords", []Program{AllInOne, Issuer, Verifier, Casework, Operator, Reissuer}, "", judgePasswords},
	{"sign_in.issuer", []Program{AllInOne, Verifier, Casework}, "it signs nobody in", judgeSignInIssuer},
	{"sign_in", []Program{AllInOne, Casework}, "it signs nobody in", judgeSignIn},
	{"keys", []Program{AllInOne, Issuer, Reissuer}, "only the issuing process has keys", judgeKeys},
	{"time_stamps", []Program{AllInOne, Issuer, Reissuer}, "only the issuing process gives time stamps", judgeTimeStamps},
	{"sms", []Program{AllInOne, Casework}, "it sends nothing", judgeSMS},
	{"email", []Program{AllInOne, Casework}, "it sends nothing", judgeEmail},
	{"gateway", []Program{AllInOne, Casework}, "it asks no agency", judgeGateway},
	{"draws", []Program{AllInOne, Casework}, "it draws no commission", judgeDraws},
	{"trust", []Program{Verifier}, "it has the roots from its keys, or needs none", judgeTrust},
}

// ReadConfig reads and judges a program's configuration. The error names every setting that is missing or unsafe, so that
// an operator mends all of them at once.
func ReadConfig(path string, program Program) (Config, error) {
	c := Config{program: program}
	meta, err := toml.DecodeFile(path, &c)
	if err != nil {
		return c, fmt.Errorf("configuration %s: %w", path, err)
	}
	var wrong []string
	refuse := func(setting, why string, args ...any) {
		wrong = append(wrong, "  "+setting+": "+fmt.Sprintf(why, args...))
	}
	for _, k := range meta.Undecoded() {
		refuse(k.String(), "is not a setting")
	}
	for _, k := range meta.Keys() {
		if program.operates() || meta.Type(k...) == "Hash" {
			continue
		}
		for _, s := range settings {
			if k.String() != s.name && !strings.HasPrefix(k.String(), s.name+".") {
				continue
			}
			if !slices.Contains(s.has, program) {
				refuse(k.String(), "does not belong to %s: %s", program, s.not)
			}
			break
		}
	}
	for _, s := range settings {
		if slices.Contains(s.has, program) {
			s.judge(&c, refuse)
		}
	}
	if len(wrong) > 0 {
		return c, fmt.Errorf("configuration %s is not safe to start with:\n%s", path, strings.Join(wrong, "\n"))
	}
	return c, nil
}

func judgeAddress(c *Config, refuse refusal) {
	host, _, err := net.SplitHostPort(c.Address)
	switch {
	case c.Address == "":
		refuse("address", "is missing: where to listen, for example \"127.0.0.1:8080\"")
	case err != nil:
		refuse("address", "%q is not a host and a port such as \"127.0.0.1:8080\"", c.Address)
	case c.program == Issuer && (host == "" || !Local(host) && !inside(host)):
		refuse("address", "%q may be reached by everybody: the issuing process listens on this machine or on a private address", c.Address)
	}
}

func judgePublicURL(c *Config, refuse refusal) {
	u, err := url.Parse(c.PublicURL)
	switch {
	case c.PublicURL == "":
		refuse("public_url", "is missing: the address that people open, for example \"https://tesdiq.example\"")
	case err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil:
		refuse("public_url", "%q is not an address such as \"https://tesdiq.example\"", c.PublicURL)
	case u.Scheme != "https":
		refuse("public_url", "must begin with https: sign-in cookies are not sent over plain HTTP")
	}
}

func judgeProxies(c *Config, refuse refusal) {
	c.Proxies = prefixes("trusted_proxies", c.TrustedProxies, refuse)
}

func judgeTimeStamps(c *Config, refuse refusal) {
	c.StampFor = prefixes("time_stamps.answer_to", c.TimeStamps.AnswerTo, refuse)
	t := c.TimeStamps
	about := []struct{ setting, value string }{{"roots", t.Roots}, {"policy", t.Policy}, {"ocsp", t.OCSP}}
	if t.Authority == "" {
		for _, s := range about {
			if s.value != "" {
				refuse("time_stamps."+s.setting, "is about an authority elsewhere, and time_stamps.authority names none")
			}
		}
		return
	}
	// By plain HTTP too: the answers are signed.
	for _, s := range []struct{ setting, value string }{{"authority", t.Authority}, {"ocsp", t.OCSP}} {
		if u, err := url.Parse(s.value); s.value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil) {
			refuse("time_stamps."+s.setting, "%q is not an address such as \"https://tsa.example/tsp\"", s.value)
		}
	}
	if t.Roots == "" {
		refuse("time_stamps.roots", "is missing: the file with the root certificates of the authority at time_stamps.authority")
	}
}

func prefixes(setting string, texts []string, refuse refusal) (all []netip.Prefix) {
	for _, p := range texts {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			refuse(setting, "%q is not an address range such as 10.0.0.0/24", p)
			continue
		}
		all = append(all, prefix)
	}
	return all
}

func judgeDatabaseURL(c *Config, refuse refusal) {
	u, err := url.Parse(c.Database.URL)
	switch {
	case c.Database.URL == "":
		refuse("database.url", "is missing: the address of PostgreSQL, for example \"postgres://db.example:5432/tesdiq?sslmode=verify-full\"")
	case err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql":
		refuse("database.url", "is not an address that begins with postgres://")
	case u.User != nil:
		refuse("database.url", "must not name a user: each component signs in under its own role")
	case !Local(u.Hostname(), u.Query().Get("host")) && u.Query().Get("sslmode") != "verify-full":
		refuse("database.url", "goes over the network, so it needs sslmode=verify-full")
	}
}

func judgePasswords(c *Config, refuse refusal) {
	dir := c.Database.Passwords
	if dir == "" {
		refuse("database.passwords", "is missing: the folder with one file per database role")
		return
	}
	if why := private(dir); why != "" {
		refuse("database.passwords", "%s", why)
		return
	}
	if c.program == AllInOne || c.program.operates() {
		return
	}
	for _, role := range postgres.Roles() {
		if _, err := os.Lstat(filepath.Join(dir, string(role))); err == nil && !slices.Contains(c.program.Roles(), role) {
			refuse("database.passwords", "%s holds the password of %s, which %s must not have", dir, role, c.program)
		}
	}
}

func judgeSignInIssuer(c *Config, refuse refusal) {
	u, err := url.Parse(c.SignIn.Issuer)
	switch {
	case c.SignIn.Issuer == "":
		refuse("sign_in.issuer", "is missing: the OpenID Connect provider's address")
	case err != nil || u.Host == "":
		refuse("sign_in.issuer", "%q is not an address", c.SignIn.Issuer)
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/demo-provider"):
		refuse("sign_in.issuer", "is the demonstration's provider: anybody may sign in there as anybody")
	case u.Scheme != "https":
		refuse("sign_in.issuer", "must begin with https")
	}
}

func judgeSignIn(c *Config, refuse refusal) {
	if c.SignIn.ClientID == "" {
		refuse("sign_in.client_id", "is missing: the name under which the provider knows this service")
	}
	if c.SignIn.ClientSecret == "" {
		refuse("sign_in.client_secret_file", "is missing: the file with the provider's secret")
	} else if why := private(c.SignIn.ClientSecret); why != "" {
		refuse("sign_in.client_secret_file", "%s", why)
	}
}

func judgeKeys(c *Config, refuse refusal) {
	if c.Keys.Dir == "" {
		refuse("keys.dir", "is missing: the folder with the certificates and keys that sign excerpts")
	} else if why := private(c.Keys.Dir); why != "" {
		refuse("keys.dir", "%s", why)
	}
	if d := c.Keys.Deadline; d != 0 && (d < 100*time.Millisecond || d > 30*time.Second) {
		refuse("keys.deadline", "must be from \"100ms\" to \"30s\"")
	}
}

func judgeTrust(c *Config, refuse refusal) {
	judge := func(key, file string) {
		if info, err := os.Stat(file); err != nil {
			refuse(key, "%s cannot be read", file)
		} else if info.Mode().Perm()&0o022 != 0 {
			refuse(key, "%s can be changed by others: chmod 644 %s", file, file)
		}
	}
	if c.Trust.Roots == "" {
		refuse("trust.roots", "is missing: the file with the certificates of the authorities whose excerpts are ours (roots.pem)")
	} else {
		judge("trust.roots", c.Trust.Roots)
	}
	if c.Trust.Signers != "" {
		judge("trust.signers", c.Trust.Signers)
	}
}

// Local says whether all of the hosts are this machine: loopback addresses, and folders of Unix sockets.
func Local(hosts ...string) bool {
	for _, host := range hosts {
		a, err := netip.ParseAddr(host)
		if host != "" && host != "localhost" && !strings.HasPrefix(host, "/") && (err != nil || !a.IsLoopback()) {
			return false
		}
	}
	return true
}

// inside says whether a host is an address of a private network (RFC 1918, RFC 4193).
func inside(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsPrivate()
}

// private says why a file or folder with secrets must not be used; empty when it may.
func private(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Sprintf("%s cannot be read", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Sprintf("%s can be read by others: chmod %s %s", path, map[bool]string{true: "700", false: "600"}[info.IsDir()], path)
	}
	return ""
}

// Secret reads a file with one secret in it.
func Secret(path string) (string, error) {
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	s := strings.TrimSpace(string(b))
	if s == "" {
		return "", fmt.Errorf("secret: %s is empty", path)
	}
	return s, nil
}

// Passwords reads the passwords of some roles from a folder with one file per role.
func Passwords(dir string, roles ...postgres.Role) (map[postgres.Role]string, error) {
	passwords := make(map[postgres.Role]string)
	for _, role := range roles {
		word, err := Secret(filepath.Join(dir, string(role)))
		if err != nil {
			return nil, err
		}
		passwords[role] = word
	}
	return passwords, nil
}
