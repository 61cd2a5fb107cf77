package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
)

// event is a line of the history that the clients keep for themselves, outside the system.
type event struct {
	What   string `json:"what"`
	Who    string `json:"who,omitempty"` // key of the cast
	Kind   string `json:"kind,omitempty"`
	Entry  string `json:"entry,omitempty"`
	Lang   string `json:"lang,omitempty"`
	Key    string `json:"key,omitempty"` // of the form, or the Idempotency-Key
	Number string `json:"number,omitempty"`
	Code   string `json:"code,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	ID     string `json:"id,omitempty"` // of a check
}

// What happened. Of these, drawn and checked are acknowledgements: the client has the whole answer in its hands.
const (
	asking      = "asking"       // a form with this key is about to be sent
	numbered    = "numbered"     // the form was answered with this number
	drawn       = "drawn"        // code seen and file fetched
	void        = "void"         // the page said that there will be no excerpt
	progAsking  = "checking"     // a program is about to ask with this key
	pageAsking  = "page asking"  // a clerk is about to send the form
	checked     = "checked"      // by a program: the answer was read
	pageChecked = "page checked" // by a clerk: the page with the answer was shown
)

// history is the clients' file: an event is on the disk before they go on.
type history struct {
	mu   sync.Mutex
	file *os.File
}

func (h *history) write(e event) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, err := h.file.Write(append(b, '\n')); err != nil {
		return err
	}
	return h.file.Sync()
}

func readHistory(file string) (events []event, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for d := json.NewDecoder(f); ; {
		var e event
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return events, nil
		} else if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
}

// shared is what all clients have in common.
type shared struct {
	address string
	history *history
	figures figures
	pause   time.Duration // between two errands of a client, on average

	mu    sync.Mutex
	codes []string // to be checked
}

func (s *shared) offer(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes = append(s.codes, code)
}

// wait lets the clients work for a moment.
func (s *shared) wait() { time.Sleep(50 * time.Millisecond) }

// pick prefers what is new: half of the checks are of the last ten excerpts.
func (s *shared) pick() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := 0
	if mathrand.N(2) == 0 {
		from = max(0, len(s.codes)-10)
	}
	return s.codes[from+mathrand.N(len(s.codes)-from)]
}

// patience is how long a client goes on with one errand before it says that the service has failed it.
const patience = 3 * time.Minute

// errWrong is an answer that no outage excuses.
type errWrong struct{ error }

// errFault is a fault that the service takes for its own, where it should say that its database is away.
type errFault struct{ error }

// insist repeats one errand until it is done. An outage is no failure: no answer, or one of the 500s.
func (s *shared) insist(what string, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := do(ctx)
		var wrong errWrong
		if err == nil {
			return nil
		} else if errors.As(err, &wrong) {
			return fmt.Errorf("%s: %w", what, err)
		} else if ctx.Err() != nil {
			return fmt.Errorf("%s: not within %s: %w", what, patience, err)
		}
		if errors.As(err, new(errFault)) {
			s.figures.add("faults", 1)
		}
		s.figures.add("tried again", 1)
		time.Sleep(20*time.Millisecond + mathrand.N(200*time.Millisecond))
	}
}

// errand is one thing that a client does from its beginning to the acknowledgement.
type errand func() error

// repeat does errands until stop is closed; the last one is brought to its end.
func (s *shared) repeat(stop <-chan struct{}, do errand) error {
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(mathrand.N(2*s.pause + 1)):
		}
		if err := do(); err != nil {
			return err
		}
	}
}

// source is an entry from which a citizen draws.
type source struct{ kind, number string }

// citizen draws excerpts by the pages.
type citizen struct {
	*shared
	who     string
	browser *visitor
	sources []source
}

// newCitizen signs somebody in and looks which of his entries excerpts can be drawn from.
func newCitizen(ctx context.Context, s *shared, job *mainJob, who string) (*citizen, error) {
	v, err := job.signIn(ctx, people.Who(who), "", "/cabinet")
	if err != nil {
		return nil, err
	}
	v.http.Timeout = 20 * time.Second
	c := &citizen{shared: s, who: who, browser: v}
	for _, kind := range []string{"examination", "contract"} {
		list := "/cabinet/" + kind + "s"
		if err := v.open(ctx, s.address+list); err != nil {
			return nil, err
		}
		var entries []string
		for a := range v.each("a") {
			if u, err := v.at.Parse(attribute(a, "href")); err == nil && path.Dir(u.Path) == list {
				entries = append(entries, u.String())
			}
		}
		for _, address := range entries {
			if err := v.open(ctx, address); err != nil {
				return nil, err
			}
			for a := range v.each("a") {
				if u, err := v.at.Parse(attribute(a, "href")); err == nil && u.Path == "/cabinet/excerpts/new" {
					c.sources = append(c.sources, source{u.Query().Get("kind"), u.Query().Get("number")})
				}
			}
		}
	}
	if len(c.sources) == 0 {
		return nil, fmt.Errorf("%s has nothing to draw from", who)
	}
	return c, nil
}

// judged makes an errWrong of an answer that no outage excuses.
func (v *visitor) judged(err error) error {
	if err != nil && v.status == http.StatusInternalServerError {
		return errFault{err}
	}
	switch {
	case v.at != nil && strings.HasPrefix(v.at.Path, "/demo-provider") && err == nil:
		return errWrong{errors.New("signed out")}
	case err != nil && v.status >= 400 && v.status < 500:
		return errWrong{err}
	}
	return err
}

// draw asks for an excerpt with the form's key, again and again with the same until the file is there.
func (c *citizen) draw() error {
	from := c.sources[mathrand.N(len(c.sources))]
	lang := tesdiq.Langs[mathrand.N(len(tesdiq.Langs))]
	v := c.browser
	form := c.address + "/cabinet/excerpts/new?" + url.Values{"kind": {from.kind}, "number": {from.number}}.Encode()
	if err := c.insist("the form", func(ctx context.Context) error { return v.judged(v.open(ctx, form)) }); err != nil {
		return err
	}
	page, at, key := v.page, v.at, ""
	for n := range v.each("input") {
		if attribute(n, "name") == "key" {
			key = attribute(n, "value")
		}
	}
	e := event{What: asking, Who: c.who, Kind: from.kind, Entry: from.number, Lang: string(lang), Key: key}
	if err := c.history.write(e); err != nil {
		return err
	}
	send := func(ctx context.Context) error {
		v.page, v.at = page, at
		if err := v.judged(v.submit(ctx, "validity", "30", "lang", string(lang))); err != nil {
			return err
		}
		number := path.Base(v.at.Path)
		if path.Dir(v.at.Path) != "/cabinet/excerpts" || !strings.HasPrefix(number, "E-") {
			return errWrong{fmt.Errorf("the form led to %s", v.at.Path)}
		}
		e.What, e.Number = numbered, number
		return c.history.write(e)
	}
	if err := c.insist("drawing", send); err != nil {
		return err
	}
	if err := c.insist("the file", func(ctx context.Context) error { return c.fetch(ctx, &e) }); err != nil {
		return err
	}
	c.figures.add(e.What, 1)
	if err := c.history.write(e); err != nil {
		return err
	}
	if e.What == drawn {
		c.offer(e.Code)
	}
	if mathrand.N(10) == 0 { // an old tab: the same form once more
		return c.insist("drawing again", send)
	}
	return nil
}

var errMaking = errors.New("it is being made")

// fetch reads the page of the excerpt and then the file, or that there will be none.
func (c *citizen) fetch(ctx context.Context, e *event) error {
	v := c.browser
	if err := v.judged(v.open(ctx, c.address+"/cabinet/excerpts/"+e.Number)); err != nil {
		return err
	}
	e.Code = codePattern.FindString(v.text())
	if e.Code == "" {
		for n := range v.each("div") {
			if attribute(n, "class") == "verdict bad" {
				e.What = void
				return nil
			}
		}
		return errMaking
	}
	if err := v.judged(v.follow(ctx, "/cabinet/excerpts/", "/pdf")); err != nil {
		return err
	}
	if !bytes.HasPrefix(v.body, []byte("%PDF-")) {
		return errWrong{errors.New("the file is no PDF")}
	}
	sum := sha256.Sum256(v.body)
	e.What, e.SHA256 = drawn, hex.EncodeToString(sum[:])
	return nil
}

// bank is an organisation's program.
type bank struct {
	*shared
	token string
	http  http.Client
}

// check asks with an Idempotency-Key, again and again with the same until the answer was read.
func (b *bank) check() error {
	key, err := tesdiq.RandomText(rand.Reader, 20)
	if err != nil {
		return err
	}
	e := event{What: progAsking, Key: key, Code: b.pick()}
	if err := b.history.write(e); err != nil {
		return err
	}
	ask := func(ctx context.Context) error {
		id, err := b.ask(ctx, e)
		if err == nil && e.ID != "" && e.ID != id {
			err = errWrong{fmt.Errorf("the key %s was answered with %s, then with %s", key, e.ID, id)}
		}
		e.ID = id
		return err
	}
	if err := b.insist("checking", ask); err != nil {
		return err
	}
	e.What = checked
	b.figures.add(checked, 1)
	if err := b.history.write(e); err != nil {
		return err
	}
	if mathrand.N(10) == 0 {
		return b.insist("checking again", ask)
	}
	return nil
}

func (b *bank) ask(ctx context.Context, e event) (id string, err error) {
	body, err := json.Marshal(map[string]string{"code": e.Code, "purpose": "credit"})
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.address+"/api/v1/checks", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Idempotency-Key", e.Key)
	answer, err := b.http.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return "", err
	case answer.StatusCode == http.StatusInternalServerError:
		return "", errFault{errors.New(answer.Status)}
	case answer.StatusCode > 500:
		return "", errors.New(answer.Status)
	case answer.StatusCode != http.StatusOK:
		return "", errWrong{fmt.Errorf("%s: %s", answer.Status, said)}
	}
	var told struct {
		Verdict tesdiq.Verdict
		Check   struct{ ID string }
	}
	if err := json.Unmarshal(said, &told); err != nil || told.Verdict != tesdiq.Valid || told.Check.ID == "" {
		return "", errWrong{fmt.Errorf("answered %s (%v)", said, err)}
	}
	return told.Check.ID, nil
}

// clerk checks by the pages. A form that got no answer is filled in anew: that is another check.
type clerk struct {
	*shared
	browser *visitor
}

func (c *clerk) check() error {
	e := event{What: pageAsking, Code: c.pick()}
	v := c.browser
	return c.insist("the clerk's check", func(ctx context.Context) error {
		if err := v.judged(v.open(ctx, c.address+"/check")); err != nil {
			return err
		}
		e.What, e.ID = pageAsking, ""
		if err := c.history.write(e); err != nil {
			return err
		}
		if err := v.judged(v.submit(ctx, "code", e.Code, "purpose", "credit")); err != nil {
			return err
		}
		if path.Dir(v.at.Path) != "/checked" {
			return errWrong{fmt.Errorf("the check led to %s", v.at.Path)}
		}
		shown := summaryCheck{}
		for n := range v.each("dl") {
			if attribute(n, "data-check") != "" {
				shown, _ = checkOf(n)
			}
		}
		if shown.ID == "" || shown.Verdict != tesdiq.Valid {
			return errWrong{fmt.Errorf("the page tells check %q, verdict %q", shown.ID, shown.Verdict)}
		}
		e.What, e.ID = pageChecked, shown.ID
		c.figures.add(pageChecked, 1)
		return c.history.write(e)
	})
}
