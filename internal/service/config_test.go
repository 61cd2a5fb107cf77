package service

import (
	"strings"
	"testing"
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
