package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// visitor opens the service's pages as a person's browser does: it keeps cookies, follows redirects, fills in forms.
type visitor struct {
	http   *http.Client
	at     *url.URL   // of the page that is open
	page   *html.Node // nil when what came is not a page
	status int
	body   []byte
}

func newVisitor() (*visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &visitor{http: &http.Client{Jar: jar}}, nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 32 << 20

func (v *visitor) do(r *http.Request) error {
	r.Header.Set("Accept", "text/html")
	v.status = 0
	answer, err := v.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if v.body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer)); err != nil {
		return err
	}
	v.at, v.page, v.status = answer.Request.URL, nil, answer.StatusCode
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		if v.page, err = html.Parse(bytes.NewReader(v.body)); err != nil {
			return err
		}
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", r.Method, v.at.Path, answer.Status)
	}
	return nil
}

// open opens a page.
func (v *visitor) open(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return v.do(r)
}

// follow opens the first link whose path begins with prefix and ends with suffix.
func (v *visitor) follow(ctx context.Context, prefix, suffix string) error {
	for n := range v.each("a") {
		u, err := v.at.Parse(attribute(n, "href"))
		if err == nil && strings.HasPrefix(u.Path, prefix) && strings.HasSuffix(u.Path, suffix) {
			return v.open(ctx, u.String())
		}
	}
	return fmt.Errorf("%s has no link to %s…%s", v.at.Path, prefix, suffix)
}

// submit sends the form that has a field named like the first of the values, with what is filled in there already.
func (v *visitor) submit(ctx context.Context, pairs ...string) error {
	for form := range v.each("form") {
		values, found := url.Values{}, false
		for n := range nodes(form) {
			name := attribute(n, "name")
			found = found || name == pairs[0]
			if n.Data == "input" && name != "" && (filled(n)) {
				values.Set(name, attribute(n, "value"))
			}
			if n.Data == "option" && has(n, "selected") {
				values.Set(attribute(n.Parent, "name"), attribute(n, "value"))
			}
		}
		if !found {
			continue
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		to, err := v.at.Parse(attribute(form, "action"))
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(values.Encode()))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return v.do(r)
	}
	return fmt.Errorf("%s has no form with a field %s", v.at.Path, pairs[0])
}

// filled says whether an input takes part in what is sent.
func filled(n *html.Node) bool {
	switch attribute(n, "type") {
	case "radio", "checkbox":
		return has(n, "checked")
	case "file", "submit":
		return false
	}
	return true
}

// text is what the page says, without its mark-up.
func (v *visitor) text() string {
	if v.page == nil {
		return ""
	}
	var b strings.Builder
	for n := range v.page.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}

// each visits all elements of a name on the page.
func (v *visitor) each(name string) func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		if v.page == nil {
			return
		}
		for n := range nodes(v.page) {
			if n.Data == name && !yield(n) {
				return
			}
		}
	}
}

func nodes(root *html.Node) func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && !yield(n) {
				return
			}
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
