package service

import (
	"net/url"
	"os"
	"time"
)

// Gateway is [gateway] of the configuration: how other agencies are asked. Without it no assessments are offered.
type Gateway struct {
	Member      string `toml:"member"`
	Key         string `toml:"key"`
	Certificate string `toml:"certificate"`
	Trust       string `toml:"trust"`
	Services    string `toml:"services"`
	TimeStamps  string `toml:"time_stamps"` // may be empty: then exchanges get no time stamp here
}

// Given says whether the configuration has it.
func (g Gateway) Given() bool { return g != Gateway{} }

// Draws is [draws] of the configuration: how commissions are drawn.
type Draws struct {
	Key   string        `toml:"key"`
	Every time.Duration `toml:"every"` // 0: an hour
}

// minDrawKey is how many random bytes the draws' secret has at least.
const minDrawKey = 32

func judgeGateway(c *Config, refuse refusal) {
	g := c.Gateway
	if !g.Given() {
		return
	}
	if g.Member == "" {
		refuse("gateway.member", "is missing: who asks, as the instance's trust file names it, for example \"AZ/GOV/MLSPP/TESDIQ\"")
	}
	for _, f := range []struct{ setting, path, what string }{
		{"gateway.certificate", g.Certificate, "the seal's certificate"}, {"gateway.trust", g.Trust, "the instance's trust file"},
		{"gateway.services", g.Services, "what is asked and where"},
	} {
		if f.path == "" {
			refuse(f.setting, "is missing: the file with %s", f.what)
		} else if info, err := os.Stat(f.path); err != nil {
			refuse(f.setting, "%s cannot be read", f.path)
		} else if info.Mode().Perm()&0o022 != 0 {
			refuse(f.setting, "%s can be changed by others: chmod 644 %s", f.path, f.path)
		}
	}
	if g.Key == "" {
		refuse("gateway.key", "is missing: the file with the seal's key")
	} else if why := private(g.Key); why != "" {
		refuse("gateway.key", "%s", why)
	}
	if u, err := url.Parse(g.TimeStamps); g.TimeStamps != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil) {
		refuse("gateway.time_stamps", "%q is not an address such as \"https://tsa.example/tsp\"", g.TimeStamps)
	}
	if c.Draws.Key == "" {
		refuse("draws.key", "is missing: the file with at least 32 random bytes from which commissions are drawn")
	}
}

func judgeDraws(c *Config, refuse refusal) {
	d := c.Draws
	if d == (Draws{}) {
		return
	}
	if !c.Gateway.Given() {
		refuse("draws", "goes with gateway: without it no assessments are offered and nobody is drawn")
	}
	if d.Key != "" {
		if why := private(d.Key); why != "" {
			refuse("draws.key", "%s", why)
		} else if info, err := os.Stat(d.Key); err != nil || info.Size() < minDrawKey {
			refuse("draws.key", "%s has fewer than %d bytes: head -c %d /dev/urandom > %s", d.Key, minDrawKey, minDrawKey, d.Key)
		}
	}
	if d.Every < 0 || d.Every > 24*time.Hour || d.Every > 0 && d.Every < time.Second {
		refuse("draws.every", "must be from \"1s\" to \"24h\"")
	}
}
