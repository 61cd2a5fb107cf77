package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"time"

	"golang.org/x/net/html"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
)

// summary is what `demo -once` writes to summary.json; the format is relied on.
type summary struct {
	Address   string           `json:"address"`
	Roots     string           `json:"roots"`
	Signers   string           `json:"signers"`
	APIClient summaryClient    `json:"api_client"`
	Excerpts  []summaryExcerpt `json:"excerpts"`
	Checks    []summaryCheck   `json:"checks"`
	Seen      []summaryCheck   `json:"seen_by_subject"`
}

type summaryClient struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

type summaryExcerpt struct {
	Kind   string      `json:"kind"`
	Lang   tesdiq.Lang `json:"lang"`
	Code   string      `json:"code"`
	PDF    string      `json:"pdf"`
	SHA256 string      `json:"sha256"`
	bytes  []byte
}

type summaryCheck struct {
	ID      string         `json:"id"`
	Way     tesdiq.Way     `json:"way,omitempty"`
	Code    string         `json:"code,omitempty"`
	By      string         `json:"by"`
	Purpose string         `json:"purpose"`
	Verdict tesdiq.Verdict `json:"verdict"`
	At      time.Time      `json:"at"`
}

// once does the main job over HTTP: a citizen draws two excerpts, a bank checks each by code, QR and file, and the citizen
// reads who checked.
func (d demoCommand) once(ctx context.Context) (err error) {
	if err := os.MkdirAll(d.Out, 0o755); err != nil {
		return err
	}
	if d.Data, err = os.MkdirTemp("", "tesdiq-once-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(d.Data)) }()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	run, err := d.start(ctx, l.Addr().String(), "127.0.0.1", io.Discard, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.stop()) }()
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- run.app.serve(serving, l) }()
	defer func() { stop(); err = errors.Join(err, <-served) }()

	job := mainJob{address: run.app.PublicURL, client: summaryClient{run.notes.ClientID, run.notes.Secret}}
	if err := job.do(ctx); err != nil {
		return err
	}
	return job.write(d.Out, run.app.roots.PEM(), run.app.signers.PEM())
}

// mainJob is the main job under way.
type mainJob struct {
	address  string
	client   summaryClient
	excerpts []summaryExcerpt
	checks   []summaryCheck
	seen     []summaryCheck
}

func (j *mainJob) do(ctx context.Context) error {
	citizen, err := j.signIn(ctx, people.Who("nermin"), "", "/cabinet")
	if err != nil {
		return fmt.Errorf("sign in as a citizen: %w", err)
	}
	for _, kind := range []string{"examination", "contract"} {
		e, err := j.draw(ctx, citizen, kind)
		if err != nil {
			return fmt.Errorf("draw %s: %w", kind, err)
		}
		j.excerpts = append(j.excerpts, e)
	}
	bank := people.Organisations[0]
	clerk, err := j.signIn(ctx, people.Who(bank.Members[0].Key), ":"+string(bank.VOEN), "/check")
	if err != nil {
		return fmt.Errorf("sign in as a bank: %w", err)
	}
	token, err := j.token(ctx)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	for _, e := range j.excerpts {
		asked, err := json.Marshal(map[string]string{"code": e.Code, "purpose": "credit"})
		if err != nil {
			return err
		}
		if err := j.checkByAPI(ctx, token, tesdiq.ByCode, "/api/v1/checks", "application/json", asked, e, bank.Name); err != nil {
			return fmt.Errorf("check %s by code: %w", e.Kind, err)
		}
		if err := j.checkByQR(ctx, clerk, e, bank.Name); err != nil {
			return fmt.Errorf("check %s by QR: %w", e.Kind, err)
		}
		if err := j.checkByAPI(ctx, token, tesdiq.ByFile, "/api/v1/documents?purpose=credit", "application/pdf", e.bytes, e, bank.Name); err != nil {
			return fmt.Errorf("check %s by file: %w", e.Kind, err)
		}
	}
	if err := j.read(ctx, citizen); err != nil {
		return fmt.Errorf("read who checked: %w", err)
	}
	return j.compare()
}

// signIn signs an invented person in at the demonstration's provider, and opens a page; voen, with a colon before it, is
// the organisation's for which he acts.
func (j *mainJob) signIn(ctx context.Context, who people.Actor, voen, to string) (*visitor, error) {
	v, err := newVisitor()
	if err != nil {
		return nil, err
	}
	if err := v.open(ctx, j.address+"/signin?to="+to); err != nil {
		return nil, err
	}
	if err := v.submit(ctx, "person", string(who.FIN)+voen, "method", "e-signature"); err != nil {
		return nil, err
	}
	if v.at.Path != to {
		return nil, fmt.Errorf("signing in led to %s", v.at.Path)
	}
	return v, nil
}

var codePattern = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}-[0-9A-HJKMNP-TV-Z]`)

// ask asks for an excerpt of the newest entry of a book.
func (j *mainJob) ask(ctx context.Context, citizen *visitor, kind string) error {
	err := citizen.open(ctx, j.address+"/cabinet/"+kind+"s")
	if err == nil {
		err = citizen.follow(ctx, "/cabinet/"+kind+"s/", "")
	}
	if err == nil {
		err = citizen.follow(ctx, "/cabinet/excerpts/new", "")
	}
	if err == nil {
		err = citizen.submit(ctx, "validity", "30", "lang", string(tesdiq.Az), "recipient", people.Organisations[0].Name, "purpose", "kredit")
	}
	return err
}

// draw asks for an excerpt, and fetches it.
func (j *mainJob) draw(ctx context.Context, citizen *visitor, kind string) (summaryExcerpt, error) {
	err := j.ask(ctx, citizen, kind)
	// It is there within a second; on a machine under load the page says that it is being made.
	for range 20 {
		if err != nil || codePattern.MatchString(citizen.text()) {
			break
		}
		time.Sleep(250 * time.Millisecond)
		err = citizen.open(ctx, citizen.at.String())
	}
	if err != nil {
		return summaryExcerpt{}, err
	}
	return j.fetch(ctx, citizen, kind)
}

// fetch takes the excerpt whose page is open.
func (j *mainJob) fetch(ctx context.Context, citizen *visitor, kind string) (summaryExcerpt, error) {
	e := summaryExcerpt{Kind: kind, Lang: tesdiq.Az, PDF: kind + ".pdf"}
	code, err := tesdiq.ParseCode(codePattern.FindString(citizen.text()))
	if err != nil {
		return e, fmt.Errorf("the page shows no code: %w", err)
	}
	if err := citizen.follow(ctx, "/cabinet/excerpts/", "/pdf"); err != nil {
		return e, err
	}
	sum := sha256.Sum256(citizen.body)
	e.Code, e.SHA256, e.bytes = code.String(), hex.EncodeToString(sum[:]), citizen.body
	return e, nil
}

// call sends a request of a program and reads its answer.
func call(ctx context.Context, method, address, token, kind string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", kind)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", answer.Status, b)
	}
	return json.Unmarshal(b, into)
}

func (j *mainJob) token(ctx context.Context) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {j.client.ID}, "client_secret": {j.client.Secret}}
	var answer struct {
		Token string `json:"access_token"`
	}
	err := call(ctx, http.MethodPost, j.address+"/oauth/token", "", "application/x-www-form-urlencoded", []byte(form.Encode()), &answer)
	return answer.Token, err
}

func (j *mainJob) checkByAPI(ctx context.Context, token string, way tesdiq.Way, address, kind string, body []byte, e summaryExcerpt, by string) error {
	var answer struct {
		Verdict tesdiq.Verdict `json:"verdict"`
		Check   struct {
			ID      string    `json:"id"`
			At      time.Time `json:"at"`
			Purpose string    `json:"purpose"`
		} `json:"check"`
	}
	if err := call(ctx, http.MethodPost, j.address+address, token, kind, body, &answer); err != nil {
		return err
	}
	j.checks = append(j.checks, summaryCheck{ID: answer.Check.ID, Way: way, Code: e.Code, By: by, Purpose: answer.Check.Purpose,
		Verdict: answer.Verdict, At: answer.Check.At})
	return nil
}

// checkByQR opens the address that the QR holds, as a clerk's telephone would, and checks.
func (j *mainJob) checkByQR(ctx context.Context, clerk *visitor, e summaryExcerpt, by string) error {
	code, err := tesdiq.ParseCode(e.Code)
	if err != nil {
		return err
	}
	if err := clerk.open(ctx, j.address+"/v/"+string(code)); err != nil {
		return err
	}
	if err := clerk.submit(ctx, "purpose", "credit"); err != nil {
		return err
	}
	if path.Dir(clerk.at.Path) != "/checked" {
		return fmt.Errorf("the check led to %s", clerk.at.Path)
	}
	for n := range clerk.each("main") {
		for m := range nodes(n) {
			if attribute(m, "data-check") != "" {
				c, err := checkOf(m)
				c.Way, c.Code, c.By = tesdiq.ByQR, e.Code, by
				j.checks = append(j.checks, c)
				return err
			}
		}
	}
	return errors.New("the page shows no verdict")
}

// read reads, as the subject, who checked.
func (j *mainJob) read(ctx context.Context, citizen *visitor) error {
	if err := citizen.open(ctx, j.address+"/cabinet/checks-of-mine"); err != nil {
		return err
	}
	for n := range citizen.each("li") {
		if attribute(n, "data-check") == "" {
			continue
		}
		c, err := checkOf(n)
		if err != nil {
			return err
		}
		c.By = attribute(n, "data-by")
		j.seen = append(j.seen, c)
	}
	return nil
}

// checkOf reads what a page says of a check to programs.
func checkOf(n *html.Node) (summaryCheck, error) {
	at, err := time.Parse(time.RFC3339Nano, attribute(n, "data-at"))
	return summaryCheck{ID: attribute(n, "data-check"), Purpose: attribute(n, "data-purpose"),
		Verdict: tesdiq.Verdict(attribute(n, "data-verdict")), At: at}, err
}

// compare sees that every check was answered with valid, and that the subject sees each of them.
func (j *mainJob) compare() error {
	seen := make(map[string]summaryCheck)
	for _, c := range j.seen {
		seen[c.ID] = c
	}
	for _, c := range j.checks {
		s, ok := seen[c.ID]
		switch {
		case c.Verdict != tesdiq.Valid:
			return fmt.Errorf("the check by %s was answered %s", c.Way, c.Verdict)
		case !ok:
			return fmt.Errorf("the subject does not see the check by %s", c.Way)
		case s.By != c.By || s.Purpose != c.Purpose || s.Verdict != c.Verdict:
			return fmt.Errorf("the subject sees the check by %s otherwise than it was", c.Way)
		}
	}
	return nil
}

// write writes the PDFs, what checks them without network, and the summary.
func (j *mainJob) write(dir string, roots, signers []byte) error {
	s := summary{Address: j.address, Roots: "roots.pem", Signers: "signers.pem", APIClient: j.client, Excerpts: j.excerpts, Checks: j.checks, Seen: j.seen}
	for _, e := range j.excerpts {
		if err := os.WriteFile(filepath.Join(dir, e.PDF), e.bytes, 0o644); err != nil {
			return err
		}
	}
	for name, pem := range map[string][]byte{s.Roots: roots, s.Signers: signers} {
		if err := os.WriteFile(filepath.Join(dir, name), pem, 0o644); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "summary.json"), append(b, '\n'), 0o644)
}
