package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// config is what `tesdiq serve -config FILE` reads: docs/tesdiq.example.toml, with a comment at each setting.
type config struct {
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
		Dir string `toml:"dir"`
	} `toml:"keys"`

	TimeStamps struct {
		AnswerTo []string `toml:"answer_to"`
	} `toml:"time_stamps"`

	proxies, stampFor []netip.Prefix
}

// readConfig reads and judges a configuration. The error names every setting that is missing or unsafe, so that an
// operator mends all of them at once.
func readConfig(path string) (config, error) {
	var c config
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
	if c.Address == "" {
		refuse("address", "is missing: where to listen, for example \"127.0.0.1:8080\"")
	} else if _, _, err := net.SplitHostPort(c.Address); err != nil {
		refuse("address", "%q is not a host and a port such as \"127.0.0.1:8080\"", c.Address)
	}
	checkPublicURL(c.PublicURL, refuse)
	for _, p := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			refuse("trusted_proxies", "%q is not an address range such as 10.0.0.0/24", p)
			continue
		}
		c.proxies = append(c.proxies, prefix)
	}
	for _, p := range c.TimeStamps.AnswerTo {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			refuse("time_stamps.answer_to", "%q is not an address range such as 10.0.0.0/24", p)
			continue
		}
		c.stampFor = append(c.stampFor, prefix)
	}
	checkDatabaseURL(c.Database.URL, refuse)
	if c.Database.Passwords == "" {
		refuse("database.passwords", "is missing: the folder with one file per database role")
	} else if why := private(c.Database.Passwords); why != "" {
		refuse("database.passwords", "%s", why)
	}
	checkIssuer(c.SignIn.Issuer, refuse)
	if c.SignIn.ClientID == "" {
		refuse("sign_in.client_id", "is missing: the name under which the provider knows this service")
	}
	if c.SignIn.ClientSecret == "" {
		refuse("sign_in.client_secret_file", "is missing: the file with the provider's secret")
	} else if why := private(c.SignIn.ClientSecret); why != "" {
		refuse("sign_in.client_secret_file", "%s", why)
	}
	if c.Keys.Dir == "" {
		refuse("keys.dir", "is missing: the folder with the certificates and keys that sign excerpts")
	} else if why := private(c.Keys.Dir); why != "" {
		refuse("keys.dir", "%s", why)
	}
	if len(wrong) > 0 {
		return c, fmt.Errorf("configuration %s is not safe to start with:\n%s", path, strings.Join(wrong, "\n"))
	}
	return c, nil
}

func checkPublicURL(s string, refuse func(setting, why string, args ...any)) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		refuse("public_url", "is missing: the address that people open, for example \"https://tesdiq.example\"")
	case err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil:
		refuse("public_url", "%q is not an address such as \"https://tesdiq.example\"", s)
	case u.Scheme != "https":
		refuse("public_url", "must begin with https: sign-in cookies are not sent over plain HTTP")
	}
}

func checkDatabaseURL(s string, refuse func(setting, why string, args ...any)) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		refuse("database.url", "is missing: the address of PostgreSQL, for example \"postgres://db.example:5432/tesdiq?sslmode=verify-full\"")
	case err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql":
		refuse("database.url", "is not an address that begins with postgres://")
	case u.User != nil:
		refuse("database.url", "must not name a user: each component signs in under its own role")
	case !local(u.Hostname(), u.Query().Get("host")) && u.Query().Get("sslmode") != "verify-full":
		refuse("database.url", "goes over the network, so it needs sslmode=verify-full")
	}
}

func checkIssuer(s string, refuse func(setting, why string, args ...any)) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		refuse("sign_in.issuer", "is missing: the OpenID Connect provider's address")
	case err != nil || u.Host == "":
		refuse("sign_in.issuer", "%q is not an address", s)
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/demo-provider"):
		refuse("sign_in.issuer", "is the demonstration's provider: anybody may sign in there as anybody")
	case u.Scheme != "https":
		refuse("sign_in.issuer", "must begin with https")
	}
}

// local says whether all of the hosts are this machine: loopback addresses, and folders of Unix sockets.
func local(hosts ...string) bool {
	for _, host := range hosts {
		a, err := netip.ParseAddr(host)
		if host != "" && host != "localhost" && !strings.HasPrefix(host, "/") && (err != nil || !a.IsLoopback()) {
			return false
		}
	}
	return true
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

// secret reads a file with one secret in it.
func secret(path string) (string, error) {
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
