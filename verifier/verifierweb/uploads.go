package verifierweb

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
)

const (
	maxUpload    = verifier.MaxFile + 64<<10 // the file, and what a form puts around it
	maxFieldSize = 4 << 10                   // bytes of a field that is no file
	maxFields    = 20
	maxPartHead  = 16 << 10        // bytes between two parts: boundary and headers
	uploadTime   = 3 * time.Minute // for 20 MB on a slow line
	answerTime   = time.Minute     // for the answer, after that
)

// uploads counts files that are being read. Each needs little memory, whatever its size, but a connection and a part of
// a processor; nobody may take all of them.
type uploads struct {
	mu    sync.Mutex
	all   int
	of    map[string]int
	limit [2]int // all together, from one prefix or client; zero means the constants below
}

const (
	uploadsAtOnce = 256
	uploadsOfOne  = 32
	maxHeld       = 256 << 20 // bytes of files in memory: twelve of the largest, thousands of ours
)

// begin reserves a place. The error is a Problem of kind Unavailable, "file.busy".
func (u *uploads) begin(who string) (end func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.of == nil {
		u.of = map[string]int{}
	}
	if u.limit == [2]int{} {
		u.limit = [2]int{uploadsAtOnce, uploadsOfOne}
	}
	if u.all >= u.limit[0] || u.of[who] >= u.limit[1] {
		return nil, tesdiq.NewProblem(tesdiq.Unavailable, "file.busy").With("Seconds", 3)
	}
	u.all++
	u.of[who]++
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.all--
		if u.of[who]--; u.of[who] == 0 {
			delete(u.of, who)
		}
	}, nil
}

// fields are what a form or an API request sent: short texts, and what is known of a file.
type fields struct {
	values map[string]string
	file   *verifier.File // nil: none was sent; who reads the fields must Forget it
	room   *verifier.Room
	// wrong is what is wrong with the file alone: the form is shown again with it.
	wrong *tesdiq.Problem
}

// readForm reads a plain or multipart form. A file is read as it comes in and kept nowhere on
// disk (hence not through ParseMultipartForm); what must stay in memory for the strict reading, the caller forgets (File.Forget). Its name and declared type count for nothing.
func (h *Web) readForm(w http.ResponseWriter, r *http.Request, who string) (fields, error) {
	f := fields{values: map[string]string{}, room: h.room}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil || media == "application/x-www-form-urlencoded":
		for k := range r.PostForm { // parsed by the shell
			f.values[k] = r.PostForm.Get(k)
		}
		return f, nil
	case media != "multipart/form-data":
		return f, tesdiq.NewProblem(tesdiq.Unsupported, "form.media")
	}
	end, err := h.uploads.begin(who)
	if err != nil {
		return f, err
	}
	defer end()
	h.giveTime(w)
	body := &frugal{r: r.Body}
	parts := multipart.NewReader(body, params["boundary"])
	for n := 0; ; n++ {
		body.left = maxPartHead
		part, err := parts.NextRawPart()
		body.left = maxUpload
		switch {
		case errors.Is(err, io.EOF):
			return f, nil
		case err != nil:
			return f, broken(err)
		case n == maxFields:
			return f, tesdiq.Invalid("form.fields")
		}
		if err := f.part(part); err != nil {
			return f, err
		}
	}
}

// frugal gives at most left bytes: mime/multipart keeps the headers of a part in memory, up to 10 MB and several times over.
type frugal struct {
	r    io.Reader
	left int
}

func (f *frugal) Read(b []byte) (int, error) {
	if f.left <= 0 {
		return 0, errHeaders
	}
	n, err := f.r.Read(b[:min(len(b), f.left)])
	f.left -= n
	return n, err
}

// errHeaders is of no browser's form.
var errHeaders = tesdiq.Invalid("form.fields")

// part reads one part of a multipart form.
func (f *fields) part(part *multipart.Part) error {
	name := part.FormName()
	if part.FileName() == "" && name != "file" {
		b, err := io.ReadAll(io.LimitReader(part, maxFieldSize+1))
		if err != nil {
			return broken(err)
		}
		if len(b) > maxFieldSize {
			f.values[name] = string(b[:maxFieldSize])
			return tesdiq.Invalid("form.long").In(name)
		}
		f.values[name] = string(b)
		return nil
	}
	f.file.Forget() // of two files the last one counts
	f.file = nil
	file, err := verifier.ReadFile(part, f.room)
	var p *tesdiq.Problem
	switch {
	case errors.As(err, &p) && p.Kind == tesdiq.TooLarge:
		return p // the rest is not even read
	case errors.As(err, &p) && part.FileName() == "":
		// A browser sends an empty part when no file was chosen.
	case errors.As(err, &p):
		f.wrong = p
	case err != nil:
		return broken(err)
	default:
		f.file = &file
	}
	return nil
}

// broken is what to say when the sender stopped or sent nonsense. What is too much is told by the shell.
func broken(err error) error {
	if e := new(http.MaxBytesError); errors.As(err, &e) {
		return verifier.TooLarge()
	}
	if errors.Is(err, errHeaders) {
		return errHeaders
	}
	return tesdiq.Invalid("file.broken").In("file")
}

// giveTime gives a slow sender longer than the server gives others, and the answer its own time after that: the check is
// recorded, so it must not be lost.
func (h *Web) giveTime(w http.ResponseWriter) {
	c, sent := http.NewResponseController(w), h.Shell.Now().Add(uploadTime)
	// Not every writer can (a test's recorder cannot); then the server's own times hold.
	_ = c.SetReadDeadline(sent)
	_ = c.SetWriteDeadline(sent.Add(answerTime))
}

// readDocument reads a file that is the whole body of a request, or the part "file" of a multipart one.
func (h *Web) readDocument(w http.ResponseWriter, r *http.Request, who string) (fields, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && media == "multipart/form-data":
		f, err := h.readForm(w, r, who)
		if err == nil && f.wrong != nil {
			err = f.wrong
		}
		return f, err
	case err != nil || !strings.EqualFold(media, "application/pdf") && media != "application/octet-stream":
		return fields{}, tesdiq.NewProblem(tesdiq.Unsupported, "document.media").In("Content-Type")
	}
	end, err := h.uploads.begin(who)
	if err != nil {
		return fields{}, err
	}
	defer end()
	h.giveTime(w)
	file, err := verifier.ReadFile(r.Body, h.room)
	var p *tesdiq.Problem
	switch {
	case errors.As(err, &p):
		return fields{}, p
	case err != nil:
		return fields{}, broken(err)
	}
	return fields{values: map[string]string{}, file: &file}, nil
}
