package verifierweb

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/web"
)

// checkRequest is the body of POST /api/v1/checks.
type checkRequest struct {
	Code    string `json:"code,omitempty" doc:"The authentication code as printed, or the whole address of the QR. Case, spaces and hyphens do not matter." example:"7K2M-9QXA-4TRC-W8HN-R"`
	SHA256  string `json:"sha256,omitempty" doc:"Instead of the code: the SHA-256 of the file that you hold, in hexadecimal. The file stays with you." pattern:"^[0-9A-Fa-f]{64}$"`
	Purpose string `json:"purpose" doc:"What you check for. The person whom the excerpt is about reads it." example:"credit"`
	Note    string `json:"note,omitempty" maxLength:"200" doc:"One line of your own, such as the number of a contract. The person reads it, too."`
}

// checkAnswer is what the API says of a check.
type checkAnswer struct {
	Verdict   tesdiq.Verdict   `json:"verdict" doc:"The one-word answer."`
	Reason    verifier.Reason  `json:"reason" doc:"Stable key of why."`
	Sentence  string           `json:"sentence" doc:"Why, in a plain sentence."`
	Next      string           `json:"next" doc:"What to do next."`
	Since     *time.Time       `json:"since,omitempty" doc:"Since when the excerpt is so; absent where it has no beginning."`
	Statement *statementAnswer `json:"statement,omitempty" doc:"What the excerpt says, for comparison with what you hold. Absent when the excerpt is unknown or was withdrawn."`
	Check     checkRecord      `json:"check" doc:"The record of this check. The person whom the excerpt is about sees it at once."`
	Later     *laterAnswer     `json:"later,omitempty" doc:"Only when a check is read again and the answer of now would be another: check again before you rely on it."`
}

type statementAnswer struct {
	Title      string       `json:"title" example:"İş yerinə dair arayış"`
	Number     string       `json:"number" example:"E-2026-0048213"`
	Code       string       `json:"code" example:"7K2M-9QXA-4TRC-W8HN-R"`
	IssuedAt   time.Time    `json:"issued_at"`
	ValidUntil string       `json:"valid_until,omitempty" format:"date" doc:"The last day on which it holds; absent when the excerpt was revoked."`
	Facts      []factAnswer `json:"facts" doc:"In the order and the language in which they are printed. Empty when the excerpt was revoked, and when a check is read again after a day."`
}

type factAnswer struct {
	Key   string `json:"key" example:"employer"`
	Label string `json:"label" example:"İşəgötürən"`
	Value string `json:"value" example:"“Xəzər Tikinti” MMC"`
}

type checkRecord struct {
	ID      string         `json:"id" doc:"Number of the check: GET /api/v1/checks/{id} reads it again." example:"7K2M-9QXA-4TRC-W8HN"`
	At      time.Time      `json:"at"`
	Way     tesdiq.Way     `json:"way"`
	Purpose tesdiq.Purpose `json:"purpose"`
	Note    string         `json:"note,omitempty"`
}

type laterAnswer struct {
	Verdict  tesdiq.Verdict  `json:"verdict"`
	Reason   verifier.Reason `json:"reason"`
	Sentence string          `json:"sentence"`
	Since    *time.Time      `json:"since,omitempty"`
}

// program lets requests with a token through.
func (h *Web) program(handle func(http.ResponseWriter, *http.Request, verifier.Asker) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tesdiq"`)
			return tesdiq.NewProblem(tesdiq.SignIn, "token.missing")
		}
		c, err := h.Door.Open(r.Context(), strings.TrimSpace(token))
		if errors.Is(err, verifier.ErrNoToken) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tesdiq", error="invalid_token"`)
			return err
		}
		if err != nil {
			return err
		}
		return handle(w, r, c.Asker(h.Shell.ClientPrefix(r)))
	}
}

// apiCheck checks by code or SHA-256.
func (h *Web) apiCheck(w http.ResponseWriter, r *http.Request, by verifier.Asker) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return tesdiq.NewProblem(tesdiq.Unsupported, "json.media").In("Content-Type")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return broken(err)
	}
	q, err := readCheckRequest(body)
	if err != nil {
		return err
	}
	q.By = by
	sum := sha256.Sum256(append([]byte("checks\n"), body...))
	return h.answer(w, r, q, verifier.Sum(sum))
}

// readCheckRequest reads the body, and says all that is wrong with it at once.
func readCheckRequest(body []byte) (verifier.Question, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil || raw == nil {
		return verifier.Question{}, tesdiq.Invalid("json.malformed")
	}
	var ps tesdiq.Problems
	text := func(name string) string {
		value, ok := raw[name]
		delete(raw, name)
		var s string
		if ok && !bytes.Equal(value, []byte("null")) && json.Unmarshal(value, &s) != nil {
			ps.Add(name, tesdiq.Invalid("json.text"))
		}
		return s
	}
	code, sum, purpose, note := text("code"), text("sha256"), text("purpose"), text("note")
	for name := range raw {
		if len(name) > 50 {
			name = name[:50]
		}
		ps.Add(name, tesdiq.Invalid("json.unknown-field").With("Name", strings.ToValidUTF8(name, "")))
		break // a wrong name is seldom alone, and the first is enough to see it
	}
	if len(ps) > 0 {
		return verifier.Question{}, ps
	}
	q := verifier.Question{}
	var err error
	switch {
	case code != "" && sum != "":
		ps.Add("sha256", tesdiq.Invalid("check.code-and-sha256"))
	case sum != "":
		s, err := verifier.ParseSum(sum)
		ps.Add("sha256", err)
		q.Sum, q.Way = &s, tesdiq.ByFile
	default:
		q.Code, q.Way, err = verifier.ParseScan(code)
		ps.Add("code", err)
	}
	readPurpose(&q, purpose, note, &ps)
	return q, ps.Err()
}

func readPurpose(q *verifier.Question, purpose, note string, ps *tesdiq.Problems) {
	var err error
	q.Purpose, err = tesdiq.ParsePurpose(purpose)
	ps.Add("purpose", err)
	q.Note, err = verifier.ParseNote(note)
	ps.Add("note", err)
}

// apiDocument checks a file.
func (h *Web) apiDocument(w http.ResponseWriter, r *http.Request, by verifier.Asker) error {
	err := h.Shell.Upload(func(w http.ResponseWriter, r *http.Request) error {
		query := r.URL.Query()
		var ps tesdiq.Problems
		if _, err := tesdiq.ParsePurpose(query.Get("purpose")); err != nil && query.Has("purpose") {
			ps.Add("purpose", err) // before 20 MB are sent for nothing
			return ps
		}
		f, err := h.readDocument(w, r, by.Client)
		defer func() { f.file.Forget() }()
		if err != nil {
			return err
		}
		if f.file == nil {
			ps.Add("file", tesdiq.Invalid("file.missing"))
		}
		value := func(name string) string {
			if v := f.values[name]; v != "" {
				return v
			}
			return query.Get(name)
		}
		q := verifier.Question{By: by, Way: tesdiq.ByFile, File: f.file}
		readPurpose(&q, value("purpose"), value("note"), &ps)
		if err := ps.Err(); err != nil {
			return err
		}
		content := "documents\n" + string(f.file.Sum[:]) + string(q.Purpose) + "\n" + q.Note
		return h.answer(w, r, q, sha256.Sum256([]byte(content)))
	}, maxUpload)(w, r)
	if p := new(tesdiq.Problem); errors.As(err, &p) && p.Kind == tesdiq.TooLarge {
		return verifier.TooLarge() // the same, whether it was refused unread or on the way
	}
	return err
}

// answer checks and tells. request is the hash of all that the question says.
func (h *Web) answer(w http.ResponseWriter, r *http.Request, q verifier.Question, request verifier.Sum) error {
	if _, given := r.Header["Idempotency-Key"]; given {
		key, err := web.IdempotencyKey(r.Header)
		if err != nil {
			return err
		}
		q.Key, q.Request = key, &request
	}
	a, err := h.Verifier.Check(r.Context(), q)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, h.jsonOf(web.ViewerOf(r.Context()).Lang, a))
}

// apiChecked reads a check again.
func (h *Web) apiChecked(w http.ResponseWriter, r *http.Request, by verifier.Asker) error {
	id, err := verifier.ParseCheckID(chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	a, err := h.Verifier.Read(r.Context(), id, by)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, h.jsonOf(web.ViewerOf(r.Context()).Lang, a))
}

func (h *Web) jsonOf(lang tesdiq.Lang, a verifier.Answer) checkAnswer {
	c, s := a.Check, a.Shown
	j := checkAnswer{
		Verdict: a.Judgement.Verdict, Reason: a.Judgement.Reason, Since: moment(a.Judgement.Since),
		Sentence: h.Shell.T(lang, "verifier.reason."+string(a.Judgement.Reason)+".text"),
		Next:     h.Shell.T(lang, "verifier.reason."+string(a.Judgement.Reason)+".next"),
		Check:    checkRecord{ID: c.ID.String(), At: c.At, Way: c.Way, Purpose: c.Purpose, Note: c.Note},
	}
	if a.Later != nil {
		j.Later = &laterAnswer{
			Verdict: a.Later.Verdict, Reason: a.Later.Reason, Since: moment(a.Later.Since),
			Sentence: h.Shell.T(lang, "verifier.reason."+string(a.Later.Reason)+".text"),
		}
	}
	if s.Disclosure == verifier.ShowNothing {
		return j
	}
	j.Statement = &statementAnswer{
		Title: s.Statement.Title, Number: s.Number, Code: s.Code.String(), IssuedAt: s.IssuedAt.UTC(), ValidUntil: s.ValidUntil.ISO(),
		Facts: make([]factAnswer, 0, len(s.Statement.Facts)),
	}
	for _, f := range s.Statement.Facts {
		j.Statement.Facts = append(j.Statement.Facts, factAnswer{f.Key, f.Label, f.Value})
	}
	return j
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
