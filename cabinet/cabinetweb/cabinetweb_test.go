package cabinetweb_test

import (
	"context"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
	"github.com/tesdiq/tesdiq/cabinet/cabinetweb"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

var now = time.Date(2026, 11, 21, 10, 2, 0, 0, time.UTC)

// people is a small world in memory: the pages are under test here, the statements in cabinetdb.
type people struct {
	homes       map[tesdiq.FIN]cabinet.Home
	messages    map[tesdiq.FIN][]cabinet.Message // the newest first
	memberships map[tesdiq.FIN][]cabinet.Membership
}

func (p *people) Home(_ context.Context, fin tesdiq.FIN, _ tesdiq.Date) (cabinet.Home, error) {
	return p.homes[fin], nil
}

func (p *people) Messages(_ context.Context, fin tesdiq.FIN, before int64, limit int) ([]cabinet.Message, error) {
	ms := slices.DeleteFunc(slices.Clone(p.messages[fin]), func(m cabinet.Message) bool { return before != 0 && m.ID >= before })
	return ms[:min(limit, len(ms))], nil
}

func (p *people) Read(_ context.Context, fin tesdiq.FIN, id int64, now time.Time) (string, error) {
	for i, m := range p.messages[fin] {
		if m.ID == id {
			p.messages[fin][i].ReadAt = &now
			return m.Link, nil
		}
	}
	return "", tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-message")
}

func (p *people) ReadAll(_ context.Context, fin tesdiq.FIN, upto int64, now time.Time) error {
	for i, m := range p.messages[fin] {
		if m.ID <= upto {
			p.messages[fin][i].ReadAt = &now
		}
	}
	return nil
}

func (p *people) Unread(_ context.Context, fin tesdiq.FIN) (n int, err error) {
	for _, m := range p.messages[fin] {
		if m.ReadAt == nil {
			n++
		}
	}
	return n, nil
}

func (p *people) Memberships(_ context.Context, fin tesdiq.FIN) ([]cabinet.Membership, error) {
	return p.memberships[fin], nil
}

// Membership is what the shell asks.
func (p *people) Membership(_ context.Context, fin tesdiq.FIN, id int64) (web.Organisation, error) {
	for _, m := range p.memberships[fin] {
		if m.ID == id {
			return web.Organisation{ID: m.ID, Name: m.Name, Role: m.Role}, nil
		}
	}
	return web.Organisation{}, tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-member")
}

func open(t *testing.T, p *people) *webtest.Browser {
	t.Helper()
	return openWith(t, p, func(*cabinetweb.Web) {})
}

func openWith(t *testing.T, p *people, change func(*cabinetweb.Web)) *webtest.Browser {
	t.Helper()
	s := webtest.Shell(t, func(c *web.Config) { c.Members, c.Inbox = p, p })
	h := &cabinetweb.Web{Shell: s, Homes: p, Messages: p, Roles: p, Contacts: &contacts{}, Now: func() time.Time { return now }}
	change(h)
	if err := h.Prepare(); err != nil {
		t.Fatal(err)
	}
	return webtest.Open(t, s, h.Routes)
}

func world() *people {
	fin := webtest.Nermin.FIN
	return &people{
		homes: map[tesdiq.FIN]cabinet.Home{fin: {
			Examination: cabinet.Examination{NextFrom: tesdiq.NewDate(2028, 9, 4), Until: tesdiq.NewDate(2028, 11, 4)},
			Excerpts: []cabinet.Excerpt{
				{Number: "E-2026-0000002", Kind: "contract", Title: "İş yerinə dair arayış", Recipient: "Nümunə Bank", Purpose: "kredit", ValidUntil: tesdiq.NewDate(2026, 12, 19), Checks: 1, LastCheck: &now},
				{Number: "E-2026-0000001", Kind: "examination", Title: "Əlilliyin müəyyən edilməsi barədə çıxarış", ValidUntil: tesdiq.NewDate(2026, 12, 21)},
			},
			Unread: 2, Checks: 3, Looks: 1,
		}},
		messages:    map[tesdiq.FIN][]cabinet.Message{},
		memberships: map[tesdiq.FIN][]cabinet.Membership{fin: {{ID: 1, Name: "Nümunə Bank", Role: "clerk"}}},
	}
}

// every kind of message that is sent anywhere, with the arguments that its sender gives it.
var every = map[string]map[string]string{
	"message.channel":   nil,
	"message.check":     {"Organisation": "Nümunə Bank", "Sort": "organisation", "Purpose.key": "verifier.purpose.credit", "Verdict.key": "web.verdict.valid", "Kind.kind": "contract", "Number": "E-2026-0000002"},
	"message.excerpt":   {"Number": "E-2026-0000002"},
	"message.void":      {"Number": "E-2026-0000002"},
	"message.withdrawn": {"Number": "E-2026-0000002"},
	"message.revoked":   {"Number": "E-2026-0000002"},
	"message.entry":     {"Number": "M-2026-000001", "Book.key": "registry.book.examination", "Act.key": "registry.act.append"},
	"message.look":      {"Office": "Nümunə idarə", "Purpose": "şikayət"},
}

func say(p *people, n int) {
	keys := slices.Sorted(maps.Keys(every))
	for i := range n {
		key := keys[i%len(keys)]
		m := cabinet.Message{ID: int64(i + 1), Key: key, Args: every[key], SentAt: now.Add(time.Duration(i) * time.Minute), Link: "/cabinet/excerpts/E-2026-0000002"}
		p.messages[webtest.Nermin.FIN] = append([]cabinet.Message{m}, p.messages[webtest.Nermin.FIN]...)
	}
}

var leftover = regexp.MustCompile(`>[^<]*\b(?:web|cabinet|message|problem)\.[a-z-]+\.[a-z-]+[^<]*<|<no value>|\{\{|%!|ZgotmplZ`)

func TestPagesInEveryLanguage(t *testing.T) {
	p := world()
	say(p, len(every))
	b := open(t, p)
	b.SignIn("")
	for _, acting := range []bool{false, true} {
		if acting {
			b.Act()
		}
		for _, lang := range tesdiq.Langs {
			for _, path := range []string{"/cabinet", "/cabinet/messages"} {
				a := b.Get(path + "?lang=" + string(lang))
				want := http.StatusOK
				if acting && path != "/cabinet" {
					want = http.StatusForbidden
				}
				if a.Status != want || strings.Count(a.Body, "<h1") != 1 {
					t.Errorf("%s in %s: %d", path, lang, a.Status)
				}
				if m := leftover.FindString(a.Body); m != "" {
					t.Errorf("%s in %s: %q", path, lang, m)
				}
			}
		}
	}
}

func TestHomeSaysWhoseTurnItIs(t *testing.T) {
	p := world()
	b := open(t, p)
	b.SignIn("")
	a := b.Get("/cabinet")
	for _, want := range []string{"Salam, Nərmin xanım", "Bu gün sizdən heç nə gözlənilmir", "04.09.2028", "Nümunə Bank, kredit", "19.12.2026-dək", "1 dəfə", "İş yerinə dair arayış", "hələ yox", "2 oxunmamış mesajınız var", "3 yoxlama, 1 baxış"} {
		if !strings.Contains(a.Body, want) {
			t.Errorf("no %q", want)
		}
	}
	h := p.homes[webtest.Nermin.FIN]
	h.Examination = cabinet.Examination{NextFrom: tesdiq.NewDate(2026, 9, 4), Until: tesdiq.NewDate(2026, 11, 30)}
	h.Excerpts, h.Unread = nil, 0
	p.homes[webtest.Nermin.FIN] = h
	a = b.Get("/cabinet")
	for _, want := range []string{"Təkrar müayinəyə müraciət edə bilərsiniz", "30.11.2026", "tibb müəssisənizə", "Qüvvədə olan çıxarışınız yoxdur"} {
		if !strings.Contains(a.Body, want) {
			t.Errorf("no %q", want)
		}
	}
	b = openWith(t, p, func(h *cabinetweb.Web) { // where cases are offered he applies here
		h.Cases = func(context.Context, tesdiq.FIN, tesdiq.Lang) (cabinet.Case, bool, error) {
			return cabinet.Case{}, false, nil
		}
	})
	b.SignIn("")
	a = b.Get("/cabinet")
	if !strings.Contains(a.Body, `href="/cabinet/cases/new"`) || !strings.Contains(a.Body, "30.11.2026") || strings.Contains(a.Body, "tibb müəssisənizə") {
		t.Errorf("he is not led to the application:\n%s", a.Body)
	}
}

func TestMessagesAreShownInPagesAndOnlyReadWhenOpened(t *testing.T) {
	p := world()
	say(p, 120)
	b := open(t, p)
	b.SignIn("")
	seen, path := 0, "/cabinet/messages"
	older := regexp.MustCompile(`href="(/cabinet/messages\?before=\d+)"`)
	for path != "" {
		a := b.Get(path)
		n := strings.Count(a.Body, `<li class="new">`)
		if n > 50 {
			t.Errorf("%d on one page", n)
		}
		seen += n
		path = ""
		if m := older.FindStringSubmatch(a.Body); m != nil {
			path = m[1]
		}
	}
	if unread, _ := p.Unread(t.Context(), webtest.Nermin.FIN); seen != 120 || unread != 120 {
		t.Errorf("%d shown, %d still unread", seen, unread)
	}
	if a := b.Post("/cabinet/messages/120", nil); a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/cabinet/excerpts/E-2026-0000002" {
		t.Errorf("opened: %d to %q", a.Status, a.Header.Get("Location"))
	}
	if unread, _ := p.Unread(t.Context(), webtest.Nermin.FIN); unread != 119 {
		t.Errorf("%d unread after opening one", unread)
	}
	if a := b.Post("/cabinet/messages/read", url.Values{"upto": {"100"}}); a.Status != http.StatusSeeOther {
		t.Errorf("all read: %d", a.Status)
	}
	if unread, _ := p.Unread(t.Context(), webtest.Nermin.FIN); unread != 19 {
		t.Errorf("%d unread after reading up to 100", unread)
	}
	for _, path := range []string{"/cabinet/messages/999", "/cabinet/messages/x"} {
		if a := b.Post(path, nil); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	if a := b.Get("/cabinet/messages?before=x"); a.Status != http.StatusNotFound {
		t.Errorf("malformed page: %d", a.Status)
	}
}

func TestAMessageLeadsNowhereElse(t *testing.T) {
	p := world()
	p.messages[webtest.Nermin.FIN] = []cabinet.Message{{ID: 1, Key: "message.excerpt", Args: map[string]string{"Number": `<script>alert(1)</script>`}, Link: "//example.org", SentAt: now}}
	b := open(t, p)
	b.SignIn("")
	if a := b.Get("/cabinet/messages"); strings.Contains(a.Body, "<script") || strings.Contains(a.Body, "example.org") {
		t.Error(a.Body)
	}
	if a := b.Post("/cabinet/messages/1", nil); a.Header.Get("Location") != "/cabinet/messages" {
		t.Errorf("to %q", a.Header.Get("Location"))
	}
}

func TestActingAndBack(t *testing.T) {
	p := world()
	b := open(t, p)
	for _, id := range []string{"1", "0"} {
		if a := b.Post("/cabinet/act", url.Values{"organisation": {id}}); a.Status != http.StatusUnauthorized {
			t.Errorf("not signed in: %d", a.Status)
		}
	}
	b.SignIn("")
	for _, id := range []string{"2", "", "x", "-1", "99999999999999999999"} {
		if a := b.Post("/cabinet/act", url.Values{"organisation": {id}}); a.Status != http.StatusNotFound {
			t.Errorf("acting for %q: %d", id, a.Status)
		}
	}
	if a := b.Post("/cabinet/act", url.Values{"organisation": {"1"}}); a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/cabinet" {
		t.Fatalf("acting: %d", a.Status)
	}
	a := b.Get("/cabinet")
	if !strings.Contains(a.Body, "Nümunə Bank · Nərmin Q.") || strings.Contains(a.Body, "E-2026-") || strings.Contains(a.Body, "/cabinet/messages") {
		t.Errorf("the organisation's home: %s", a.Body)
	}
	if a := b.Post("/cabinet/messages/read", url.Values{"upto": {"1"}}); a.Status != http.StatusForbidden {
		t.Errorf("private messages while acting: %d", a.Status)
	}
	b.Post("/cabinet/act", url.Values{"organisation": {"0"}})
	if a := b.Get("/cabinet"); !strings.Contains(a.Body, "Salam, Nərmin xanım") {
		t.Error("not back")
	}
	for next, want := range map[string]string{"/institution/waiting/T-2026-000001": "/institution/waiting/T-2026-000001", "//example.org": "/cabinet", "https://example.org/": "/cabinet", "": "/cabinet"} {
		if a := b.Post("/cabinet/act", url.Values{"organisation": {"1"}, "next": {next}}); a.Status != http.StatusSeeOther || a.Header.Get("Location") != want {
			t.Errorf("next %q: %d, to %q", next, a.Status, a.Header.Get("Location"))
		}
	}
}

func TestAnotherPersonSeesNothingOfIt(t *testing.T) {
	p := world()
	say(p, 3)
	b := open(t, p)
	b.SignIn("7AB2C3D")
	for _, path := range []string{"/cabinet", "/cabinet/messages"} {
		if a := b.Get(path); a.Status != http.StatusOK || strings.Contains(a.Body, "E-2026-") || strings.Contains(a.Body, "Nümunə Bank") {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	mine, foreign := b.Post("/cabinet/messages/77", nil), b.Post("/cabinet/messages/1", nil)
	number := regexp.MustCompile(`[0-9A-Z]{10}`)
	if mine.Status != http.StatusNotFound || fmt.Sprint(number.ReplaceAllString(mine.Body, "")) != fmt.Sprint(number.ReplaceAllString(foreign.Body, "")) {
		t.Error("another's message answers differently from none")
	}
}

// contacts holds what one person gave and chose; the code that was sent is 123456.
type contacts struct {
	given  cabinet.Contact
	chosen []cabinet.Choice
	asked  int
}

func (c *contacts) Choices(context.Context, tesdiq.FIN) ([]cabinet.Choice, error) {
	return c.chosen, nil
}

func (c *contacts) Contact(_ context.Context, fin tesdiq.FIN, id int64) (cabinet.Contact, error) {
	if fin != webtest.Nermin.FIN || id != c.given.ID || id == 0 {
		return cabinet.Contact{}, tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-contact")
	}
	return c.given, nil
}

func (c *contacts) Choose(_ context.Context, _ tesdiq.FIN, channel tesdiq.Channel, address string, lang tesdiq.Lang, at time.Time) (int64, error) {
	if channel == tesdiq.CabinetOnly {
		c.chosen = append([]cabinet.Choice{{Channel: channel, Lang: lang, At: at}}, c.chosen...)
		return 0, nil
	}
	c.given = cabinet.Contact{ID: 7, Channel: channel, Address: address, Lang: lang, Codes: 1}
	return 7, nil
}

func (c *contacts) Confirm(_ context.Context, _ tesdiq.FIN, _ int64, code string, at time.Time) error {
	if c.given.Guesses++; code != "123456" {
		return tesdiq.Invalid("cabinet.code-wrong").In("code").With("Left", cabinet.MaxGuesses-c.given.Guesses)
	}
	c.given.Confirmed = true
	c.chosen = append([]cabinet.Choice{{Channel: c.given.Channel, Address: c.given.Address, Lang: c.given.Lang, At: at}}, c.chosen...)
	return nil
}

func (c *contacts) Again(context.Context, tesdiq.FIN, int64, time.Time) error {
	c.asked++
	return nil
}

func TestChoosingAChannel(t *testing.T) {
	p := world()
	c := &contacts{}
	b := openWith(t, p, func(h *cabinetweb.Web) { h.Contacts, h.Channels = c, []tesdiq.Channel{tesdiq.SMS} })
	b.SignIn("")
	if a := b.Get("/cabinet/channel"); a.Status != http.StatusOK || !strings.Contains(a.Body, `id="phone"`) || strings.Contains(a.Body, `id="email"`) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for what, form := range map[string]url.Values{
		"nothing":                       {},
		"a channel that there is not":   {"channel": {"pigeon"}, "lang": {"az"}},
		"one that is not offered":       {"channel": {"email"}, "email": {"a@example.az"}, "lang": {"az"}},
		"no number":                     {"channel": {"sms"}, "lang": {"az"}},
		"a number that takes no SMS":    {"channel": {"sms"}, "phone": {"012 493 00 20"}, "lang": {"az"}},
		"a language that we do not say": {"channel": {"cabinet"}, "lang": {"tr"}},
	} {
		if a := b.Post("/cabinet/channel", form); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `class="errors"`) || c.given.ID != 0 {
			t.Errorf("%s: %d", what, a.Status)
		}
	}
	a := b.Post("/cabinet/channel", url.Values{"channel": {"sms"}, "phone": {"(050) 123-45-67"}, "lang": {"ru"}})
	if a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/cabinet/channel/7" || c.given.Address != "+994501234567" || c.given.Lang != tesdiq.Ru {
		t.Fatalf("%d to %q, %+v", a.Status, a.Header.Get("Location"), c.given)
	}
	if a := b.Get("/cabinet/channel/7"); !strings.Contains(html.UnescapeString(a.Body), "+994 50 ••• •• 67") || strings.Contains(a.Body, "1234567") {
		t.Errorf("the number is not masked: %s", a.Body)
	}
	for _, slip := range []string{"", "12345", "1234567", "abcdef"} {
		if a := b.Post("/cabinet/channel/7", url.Values{"code": {slip}}); a.Status != http.StatusUnprocessableEntity || c.given.Guesses != 0 {
			t.Errorf("%q: %d, %d guesses", slip, a.Status, c.given.Guesses)
		}
	}
	if a := b.Post("/cabinet/channel/7", url.Values{"code": {"654321"}}); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, "Qalan cəhd: 4") {
		t.Errorf("wrong: %d %s", a.Status, a.Body)
	}
	if a := b.Post("/cabinet/channel/7/again", nil); a.Status != http.StatusSeeOther || c.asked != 1 {
		t.Errorf("again: %d", a.Status)
	}
	for _, path := range []string{"/cabinet/channel/8", "/cabinet/channel/x"} {
		for _, a := range []webtest.Answer{b.Get(path), b.Post(path, url.Values{"code": {"123456"}}), b.Post(path+"/again", nil)} {
			if a.Status != http.StatusNotFound {
				t.Errorf("%s: %d", path, a.Status)
			}
		}
	}
	if a := b.Post("/cabinet/channel/7", url.Values{"code": {" 123 456 "}}); a.Status != http.StatusSeeOther || len(c.chosen) != 1 {
		t.Errorf("right: %d", a.Status)
	}
	if a := b.Get("/cabinet/channel/7"); a.Status != http.StatusSeeOther {
		t.Errorf("confirmed already: %d", a.Status)
	}
	b.Post("/cabinet/channel", url.Values{"channel": {"cabinet"}, "lang": {"az"}})
	if a := b.Get("/cabinet/channel"); strings.Count(a.Body, "<tr>") != 3 || !strings.Contains(html.UnescapeString(a.Body), "SMS +994 50 ••• •• 67") {
		t.Errorf("what was chosen: %s", a.Body)
	}
	c.given.Confirmed, c.given.Guesses = false, cabinet.MaxGuesses
	if a := b.Get("/cabinet/channel/7"); strings.Contains(a.Body, `id="code"`) || strings.Contains(a.Body, "/again") {
		t.Errorf("after five guesses: %s", a.Body)
	}
}

func TestAMessageSaysWhatBecameOfItsSMS(t *testing.T) {
	for state, said := range map[string]string{"delivered": "çatdırıldı", "sent": "göndərildi", "waiting": "göndərilir", "unsure": "çatdığı bəlli deyil", "expired": "vaxtında çatdırılmadı", "failed": "çatdırılmadı", "none": ""} {
		p := world()
		p.messages[webtest.Nermin.FIN] = []cabinet.Message{{ID: 1, Key: "message.entry", Args: map[string]string{"Number": "1"}, SentAt: now,
			Out: &cabinet.Out{Channel: tesdiq.SMS, Address: "+994501234567", State: state, At: now}}}
		b := open(t, p)
		b.SignIn("")
		if a := b.Get("/cabinet/messages"); said != "" && !strings.Contains(html.UnescapeString(a.Body), "SMS +994 50 ••• •• 67: ") || !strings.Contains(a.Body, said) || said == "" && strings.Contains(a.Body, "•••") || strings.Contains(a.Body, "1234567") {
			t.Errorf("%s: %s", state, a.Body)
		}
	}
}
