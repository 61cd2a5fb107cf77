package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tesdiq/tesdiq"
)

const langCookie = "lang"

// language decides in which language a request is answered: ?lang= (remembered in a cookie), the cookie, what the
// browser asks for, Azerbaijani; a program that asks for nothing is answered in English.
func (s *Shell) language(w http.ResponseWriter, r *http.Request) tesdiq.Lang {
	if r.URL.RawQuery != "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		if lang, err := tesdiq.ParseLang(r.URL.Query().Get("lang")); err == nil {
			http.SetCookie(w, &http.Cookie{
				Name: langCookie, Value: string(lang), Path: "/", MaxAge: 365 * 24 * 60 * 60,
				HttpOnly: true, Secure: s.Secure, SameSite: http.SameSiteLaxMode,
			})
			return lang
		}
	}
	if c, err := r.Cookie(langCookie); err == nil {
		if lang, err := tesdiq.ParseLang(c.Value); err == nil {
			return lang
		}
	}
	header := r.Header.Get("Accept-Language")
	if header == "" && (strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/oauth/")) {
		return tesdiq.En
	}
	return acceptLanguage(header)
}

// acceptLanguage picks the language that an Accept-Language header likes best (RFC 9110, 12.5.4); Azerbaijani when it names none of ours.
func acceptLanguage(header string) tesdiq.Lang {
	best, bestQ := tesdiq.Az, 0.0
	for _, p := range preferences(header) {
		primary, _, _ := strings.Cut(p.value, "-")
		lang, err := tesdiq.ParseLang(primary)
		if p.value == "*" {
			lang, err = tesdiq.Az, nil
		}
		if err == nil && p.q > bestQ {
			best, bestQ = lang, p.q
		}
	}
	return best
}

type preference struct {
	value string  // lower case
	q     float64 // 0 to 1
}

// preferences reads the common form of Accept and Accept-Language: values with an optional weight, separated by commas.
// What is malformed is left out; of a very long header only the beginning is read.
func preferences(header string) []preference {
	const most = 1 << 10
	if len(header) > most {
		header = header[:most]
	}
	var out []preference
	for item := range strings.SplitSeq(header, ",") {
		value, params, _ := strings.Cut(item, ";")
		p := preference{strings.ToLower(strings.TrimSpace(value)), 1}
		for param := range strings.SplitSeq(params, ";") {
			name, v, _ := strings.Cut(strings.TrimSpace(param), "=")
			if !strings.EqualFold(name, "q") {
				continue
			}
			q, err := strconv.ParseFloat(v, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
			p.q = q
		}
		if p.value != "" {
			out = append(out, p)
		}
	}
	return out
}

// wantsJSON says whether a request prefers JSON to a page.
func wantsJSON(r *http.Request) bool {
	json, html := 0.0, 0.0
	for _, p := range preferences(r.Header.Get("Accept")) {
		switch p.value {
		case "application/json", "application/problem+json":
			json = max(json, p.q)
		case "text/html", "application/xhtml+xml", "*/*", "text/*":
			html = max(html, p.q)
		}
	}
	return json > html
}

// LocalPath is the path, with its query, that a person may be sent back to: one of our own pages, or "" for anything
// that a browser could read as another site's address.
func LocalPath(s string) string {
	if len(s) == 0 || len(s) > 512 || s[0] != '/' {
		return ""
	}
	for i := 0; i < len(s); i++ {
		// Browsers drop tabs and line ends and read a backslash as a slash.
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '\\' || s[i] == '#' {
			return ""
		}
	}
	if strings.HasPrefix(s, "//") {
		return ""
	}
	path, _, _ := strings.Cut(s, "?")
	for part := range strings.SplitSeq(path, "/") {
		switch strings.ToLower(part) {
		case ".", "..", "%2e", "%2e%2e", ".%2e", "%2e.":
			return ""
		}
	}
	return s
}
