package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
)

func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/cabinet", "/cabinet/excerpts/new?kind=examination&number=M-1", "//a", `/\a`, "/\t/a", "/../a", "/%2e%2e/a", "https://a", "/a#b", "/a?b=//c", "/ə"} {
		f.Add(s)
	}
	base, err := url.Parse("https://tesdiq.example/signin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := LocalPath(s)
		if got == "" {
			return
		}
		if got != s {
			t.Fatalf("%q became %q", s, got)
		}
		u, err := base.Parse(got)
		if err != nil {
			return // a browser would not follow it either; the redirect writes it as it is, from the root
		}
		if u.Scheme != "https" || u.Host != "tesdiq.example" || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t") {
			t.Fatalf("%q leads to %s", s, u)
		}
	})
}

func FuzzPreferences(f *testing.F) {
	for _, s := range []string{"", "en", "en-GB,en;q=0.9", "*;q=0.1, ru", "az;q=NaN", "az;q=-1", "az;q=1e999", ";;;,,,", "text/html;level=1;q=.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range preferences(s) {
			if !(p.q >= 0 && p.q <= 1) || p.value == "" {
				t.Fatalf("%q: %+v", s, p)
			}
		}
		if _, err := tesdiq.ParseLang(string(acceptLanguage(s))); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
	})
}
