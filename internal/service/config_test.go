package service

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/tesdiq/tesdiq/internal/postgres"
)

func TestSettingsOfAnAuthorityElsewhere(t *testing.T) {
	for _, c := range []struct{ authority, roots, policy, ocsp, want string }{
		{"", "x.pem", "", "", "time_stamps.roots"},
		{"", "", "1.2", "", "time_stamps.policy"},
		{"ftp://tsa.example", "x.pem", "", "", "time_stamps.authority"},
		{"https://a:b@tsa.example", "x.pem", "", "", "time_stamps.authority"},
		{"https://tsa.example", "", "", "", "time_stamps.roots"},
		{"https://tsa.example", "x.pem", "", "nowhere", "time_stamps.ocsp"},
		{"https://tsa.example", "x.pem", "1.2.3", "http://ocsp.example", ""},
		{"", "", "", "", ""},
	} {
		var settings Config
		settings.TimeStamps.Authority, settings.TimeStamps.Roots = c.authority, c.roots
		settings.TimeStamps.Policy, settings.TimeStamps.OCSP = c.policy, c.ocsp
		var refused []string
		judgeTimeStamps(&settings, func(setting, _ string, _ ...any) { refused = append(refused, setting) })
		if got := strings.Join(refused, " "); got != c.want {
			t.Errorf("%+v: refused %q, want %q", c, got, c.want)
		}
	}
}

func TestSettingsOfCarriers(t *testing.T) {
	dir := t.TempDir()
	secret, open := filepath.Join(dir, "secret"), filepath.Join(dir, "open")
	for file, mode := range map[string]os.FileMode{secret: 0o600, open: 0o644} {
		if err := os.WriteFile(file, []byte("word"), mode); err != nil {
			t.Fatal(err)
		}
	}
	good := SMS{Server: "10.1.2.3:2775", SystemID: "tesdiq", Password: secret, Sender: "142"}
	with := func(change func(*SMS)) SMS { s := good; change(&s); return s }
	for what, c := range map[string]struct {
		sms  SMS
		want string
	}{
		"none":                        {SMS{}, ""},
		"by a tunnel":                 {good, ""},
		"in the clear":                {with(func(s *SMS) { s.Server = "smsc.example:2775" }), "sms.server"},
		"by TLS":                      {with(func(s *SMS) { s.Server, s.TLS = "smsc.example:3550", true }), ""},
		"no server":                   {with(func(s *SMS) { s.Server = "" }), "sms.server"},
		"no port":                     {with(func(s *SMS) { s.Server = "10.1.2.3" }), "sms.server"},
		"nobody":                      {with(func(s *SMS) { s.SystemID = "" }), "sms.system_id"},
		"a password that others read": {with(func(s *SMS) { s.Password = open }), "sms.password_file"},
		"no sender":                   {with(func(s *SMS) { s.Sender = "" }), "sms.sender"},
		"a sender in Azerbaijani":     {with(func(s *SMS) { s.Sender = "Təsdiq" }), "sms.sender"},
		"too fast":                    {with(func(s *SMS) { s.PerSecond = 5000 }), "sms.per_second"},
		"roots without TLS":           {with(func(s *SMS) { s.Roots = "x" }), "sms.roots"},
	} {
		var refused []string
		judgeSMS(&Config{SMS: c.sms}, func(setting, _ string, _ ...any) { refused = append(refused, setting) })
		if got := strings.Join(refused, " "); got != c.want {
			t.Errorf("%s: refused %q, want %q", what, got, c.want)
		}
	}
	for what, c := range map[string]struct {
		email Email
		want  string
	}{
		"none":                        {Email{}, ""},
		"good":                        {Email{Server: "mail.example:587", From: "no-reply@tesdiq.example", User: "u", Password: secret}, ""},
		"no server":                   {Email{From: "no-reply@tesdiq.example"}, "email.server"},
		"from nobody":                 {Email{Server: "mail.example:587", From: "Tesdiq <a@b.example>"}, "email.from"},
		"a user without a password":   {Email{Server: "mail.example:587", From: "no-reply@tesdiq.example", User: "u"}, "email.user"},
		"a password that others read": {Email{Server: "mail.example:587", From: "no-reply@tesdiq.example", User: "u", Password: open}, "email.password_file"},
	} {
		var refused []string
		judgeEmail(&Config{Email: c.email}, func(setting, _ string, _ ...any) { refused = append(refused, setting) })
		if got := strings.Join(refused, " "); got != c.want {
			t.Errorf("%s: refused %q, want %q", what, got, c.want)
		}
	}
	// What the examples show, uncommented, is what can be set.
	for _, name := range []string{"tesdiq", "casework"} {
		b, err := os.ReadFile("../../docs/" + name + ".example.toml")
		if err != nil {
			t.Fatal(err)
		}
		_, part, ok := strings.Cut(string(b), "# [sms]")
		if !ok {
			t.Fatalf("%s says nothing of [sms]", name)
		}
		var lines []string
		for line := range strings.SplitSeq("[sms]"+part, "\n") {
			line = strings.TrimPrefix(line, "# ")
			if strings.Contains(line, " = ") || strings.HasPrefix(line, "[") {
				lines = append(lines, line)
			}
		}
		var c Config
		meta, err := toml.Decode(strings.Join(lines, "\n"), &c)
		if err != nil || len(meta.Undecoded()) > 0 || c.SMS.Sender != "142" || c.Email.Server == "" {
			t.Errorf("%s: %v, not known %v: %+v", name, err, meta.Undecoded(), c.SMS)
		}
		c.SMS.Password, c.Email.Password, c.SMS.Roots, c.Email.Roots = secret, secret, "", ""
		judgeSMS(&c, func(setting, why string, args ...any) {
			t.Errorf("%s: %s: "+why, append([]any{name, setting}, args...)...)
		})
		judgeEmail(&c, func(setting, why string, args ...any) {
			t.Errorf("%s: %s: "+why, append([]any{name, setting}, args...)...)
		})
		out, err := c.Carriers(Host{})
		if err != nil || len(out.Channels()) != 2 {
			t.Errorf("%s: %v, %v", name, out.Channels(), err)
		}
	}
}

// docs/processes.md is copied and pasted: it makes a password for every role, and gives each program those of its own.
func TestSettingUpNamesEveryRole(t *testing.T) {
	b, err := os.ReadFile("../../docs/processes.md")
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	given := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		switch {
		case len(words) > 4 && words[0] == "for" && words[1] == "role":
			made = strings.Split(strings.TrimSuffix(strings.Join(words[3:len(words)-1], " "), ";"), " ")
		case len(words) > 2 && words[0] == "cp" && strings.HasSuffix(words[len(words)-1], "/passwords/"):
			given[words[len(words)-1]] = words[1 : len(words)-1]
		}
	}
	for _, r := range postgres.Roles() {
		if !slices.Contains(made, strings.TrimPrefix(string(r), "tesdiq_")) {
			t.Errorf("no password is made for %s", r)
		}
	}
	for _, p := range []Program{Issuer, Verifier, Casework} {
		var want []string
		for _, r := range p.Roles() {
			want = append(want, "passwords/"+string(r))
		}
		if got := given["/etc/tesdiq/"+string(p)+"/passwords/"]; !slices.Equal(got, want) {
			t.Errorf("%s is given %q, and needs %q", p, got, want)
		}
	}
}
