package verifierweb_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/verifierdb/verifierdbtest"
)

func TestUploads(t *testing.T) {
	s := open(t)
	changed := bytes.Replace(s.contract.File, []byte("body"), []byte("bady"), 1)
	tests := []struct {
		name, file, media string
		content           []byte
		want              []string
	}{
		{"as issued", "tesdiq-E-2026-0000002.pdf", "application/pdf", s.contract.File, []string{"Çıxarış etibarlıdır", "bir simvolu belə dəyişməyib", "faylla"}},
		{"as issued, by another name and type", "../../x.html", "text/html", s.contract.File, []string{"Çıxarış etibarlıdır"}},
		{"continued", "a.pdf", "application/pdf", append(bytes.Clone(s.contract.File), "\n1 0 obj\nendobj\n%%EOF\n"...), []string{"Fayl dəyişdirilib", "nəsə əlavə olunub", "Həqiqətdə nə verilib", "Xəzər Tikinti", verifierdbtest.Initials}},
		{"changed inside", "a.pdf", "application/pdf", changed, []string{"Fayl dəyişdirilib", "amma fayl həmin çıxarış deyil", "Xəzər Tikinti"}},
		{"a scan", "scan.pdf", "application/pdf", []byte("%PDF-1.4\n1 0 obj\n<</Filter/DCTDecode>>\nendobj\n%%EOF"), []string{"Belə çıxarış tapılmadı", "imza yoxdur", "kodu yazın"}},
		{"a photograph", "IMG_1.pdf", "application/pdf", []byte("\xff\xd8\xff\xe0photo"), []string{"şəkli və ya skanıdır", "kodu yazın"}},
		{"a web page", "x.pdf", "application/pdf", []byte("<html><script>alert(1)</script>"), []string{"Bu fayl PDF deyil"}},
		{"an archive", "x.pdf", "application/pdf", []byte("PK\x03\x04zip"), []string{"Bu fayl PDF deyil", "Arxivdirsə"}},
		{"locked", "x.pdf", "application/pdf", []byte("%PDF-1.7\ntrailer<</Encrypt 1 0 R>>\n%%EOF"), []string{"parolla bağlanıb"}},
		{"too large to be one of ours, and signed", "x.pdf", "application/pdf", append([]byte("%PDF-1.7\n<</ByteRange[0 1 2 3]>>\n"), bytes.Repeat([]byte("% a remark\n%%EOF\n"), 700_000)...), []string{"bizim verdiyimiz fayl deyil"}},
		{"half of it", "x.pdf", "application/pdf", []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\n2 0 obj\n<</Le"), []string{"axıra qədər endirilməyib", "yenidən endirib"}},
		{"another's", "x.pdf", "application/pdf", []byte("%PDF-1.7\n<</ByteRange[0 1 2 3]>>\n%%EOF"), []string{"bizim verdiyimiz fayl deyil"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := s.upload(s.Browser, tt.file, tt.media, tt.content, url.Values{"purpose": {"other"}, "code": {""}})
			if a.Status != http.StatusSeeOther {
				t.Fatalf("%d %s", a.Status, text(a.Body))
			}
			page := s.read(s.Browser, a)
			mustHave(t, page, tt.want...)
			mustNotHave(t, page, "<script", "../", tt.file)
		})
	}
	for name, tt := range map[string]struct {
		content []byte
		values  url.Values
		want    string
	}{
		"an empty file":   {nil, url.Values{"purpose": {"other"}}, "Seçdiyiniz fayl boşdur"},
		"file and code":   {s.contract.File, form(s.contract.Code.String(), "other"), "ikisini birlikdə yox"},
		"without purpose": {s.contract.File, nil, "Nə üçün yoxladığınızı seçin"},
		"too long a text": {s.contract.File, url.Values{"purpose": {strings.Repeat("x", 5000)}}, "həddən artıq uzundur"},
	} {
		a := s.upload(s.Browser, "x.pdf", "application/pdf", tt.content, tt.values)
		if a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, tt.want) {
			t.Errorf("%s: %d %s", name, a.Status, text(a.Body))
		}
	}
}

// Whatever somebody has instead of the file, the page says what it is and what to do, each in its own words and in each language.
func TestWrongFilesInEveryLanguage(t *testing.T) {
	s := open(t)
	files := map[string][]byte{
		"unsigned":  []byte("%PDF-1.4\n1 0 obj\n<</Filter/DCTDecode>>\nendobj\n%%EOF"),
		"encrypted": []byte("%PDF-1.7\ntrailer<</Encrypt 1 0 R>>\n%%EOF"),
		"not_pdf":   []byte("PK\x03\x04word"),
		"picture":   []byte("\x89PNG\r\n\x1a\n"),
	}
	for _, lang := range tesdiq.Langs {
		var words, problems map[string]string
		for name, into := range map[string]*map[string]string{"verifier": &words, "problem-verifier": &problems} {
			data, err := os.ReadFile("../../web/locale/" + name + "." + string(lang) + ".json")
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, into); err != nil {
				t.Fatal(err)
			}
		}
		said := map[string]bool{}
		for reason, content := range files {
			a := s.upload(s.Browser, "x.pdf", "application/pdf", content, url.Values{"purpose": {"other"}})
			if a.Status != http.StatusSeeOther {
				t.Fatalf("%s: %d", reason, a.Status)
			}
			page := html.UnescapeString(s.Browser.Get(a.Header.Get("Location") + "?lang=" + string(lang)).Body)
			for _, part := range []string{".text", ".next"} {
				sentence := words["verifier.reason.unknown."+reason+part]
				if sentence == "" || !strings.Contains(page, sentence) || said[sentence] {
					t.Errorf("%s, %s: %q is not there or not its own", lang, reason, sentence)
				}
				said[sentence] = true
			}
		}
		s.Browser.Get("/check?lang=" + string(lang))
		empty := s.upload(s.Browser, "x.pdf", "application/pdf", nil, url.Values{"purpose": {"other"}})
		if want := problems["problem.file.empty"]; want == "" || !strings.Contains(html.UnescapeString(empty.Body), want) {
			t.Errorf("%s, empty: %q is not there", lang, want)
		}
		large := s.upload(s.Browser, "x.pdf", "application/pdf", make([]byte, 21<<20), url.Values{"purpose": {"other"}})
		if want := strings.ReplaceAll(problems["problem.file.too_large"], "{{.Megabytes}}", "20"); large.Status != http.StatusRequestEntityTooLarge || !strings.Contains(html.UnescapeString(large.Body), want) {
			t.Errorf("%s, 21 MB: %d, %q is not there", lang, large.Status, want)
		}
	}
}

// zeros has no end. A client may still be reading it when its answer has come.
type zeros struct{ read atomic.Int64 }

func (z *zeros) Read(b []byte) (int, error) { clear(b); z.read.Add(int64(len(b))); return len(b), nil }

// S6: what is too large is refused before it is read, or as soon as it is too much; memory stays flat.
func TestTooLarge(t *testing.T) {
	s := open(t)
	token := s.token()
	before := s.checks()
	for _, path := range []string{"/check", "/api/v1/documents?purpose=credit"} {
		media := "multipart/form-data; boundary=b"
		start := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.pdf\"\r\n\r\n%PDF-"
		if path != "/check" {
			media, start = "application/pdf", "%PDF-"
		}
		// It says itself that it is too large: nothing of it is wanted.
		for _, size := range []int64{21 << 20, 100 << 20, 1 << 50} {
			conn, err := net.Dial("tcp", s.Server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, token, media, size)
			if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s: %d bytes announced: %v", path, size, err)
			}
			if resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %d bytes announced: %d", path, size, resp.StatusCode)
			}
			conn.Close()
		}
		// It never ends.
		endless := &zeros{}
		r := s.request(http.MethodPost, path, media, io.MultiReader(strings.NewReader(start), io.LimitReader(endless, 1<<30)))
		r.Header.Set("Authorization", "Bearer "+token)
		r.ContentLength = -1
		if resp, err := s.Browser.Client.Do(r); err == nil {
			if resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: endless: %d", path, resp.StatusCode)
			}
			resp.Body.Close()
		}
		if read := endless.read.Load(); read > 64<<20 {
			t.Errorf("%s: %d MB were read", path, read>>20)
		}
		// It ends before it said.
		conn, err := net.Dial("tcp", s.Server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n%s", path, token, media, start)
		conn.(*net.TCPConn).CloseWrite()
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil && resp.StatusCode < 400 {
			t.Errorf("%s: half a body: %d", path, resp.StatusCode)
		}
		conn.Close()
	}
	if n := s.checks(); n != before {
		t.Errorf("%d checks were recorded", n-before)
	}
}

func TestParallelUploadsStayInBoundedMemory(t *testing.T) {
	s := open(t)
	var most uint64
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			body := io.MultiReader(
				strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nother\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.pdf\"\r\n\r\n%PDF-"),
				io.LimitReader(&zeros{}, 2<<20), strings.NewReader("\r\n--b--\r\n"))
			r := s.request(http.MethodPost, "/check", "multipart/form-data; boundary=b", body)
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			resp, err := client.Do(r)
			if err != nil {
				return // refused while it was still sending
			}
			resp.Body.Close()
			mu.Lock()
			statuses[resp.StatusCode]++
			mu.Unlock()
		})
	}
	wg.Wait()
	close(done)
	watch.Wait()
	if statuses[http.StatusSeeOther] == 0 || statuses[http.StatusSeeOther]+statuses[http.StatusServiceUnavailable] != sum(statuses) {
		t.Errorf("statuses %v", statuses)
	}
	// 32 may come in at a time; each is held until it is known that it is not signed, in up to twice its 2 MB.
	if most > 192<<20 {
		t.Errorf("%d MB of heap", most>>20)
	}
}

func sum(m map[int]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

// mime/multipart would keep ten megabytes of headers of each upload in memory.
func TestHeadersOfPartsAreBounded(t *testing.T) {
	s := open(t)
	head := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.pdf\"\r\n"
	for name, body := range map[string]func() io.Reader{
		"one header": func() io.Reader {
			return io.MultiReader(strings.NewReader("--b\r\nX: "), io.LimitReader(&zeros{}, 1<<20))
		},
		"many headers": func() io.Reader {
			return io.MultiReader(strings.NewReader(head), strings.NewReader(strings.Repeat("X: y\r\n", 10_000)))
		},
		"before the first": func() io.Reader {
			return io.MultiReader(strings.NewReader(strings.Repeat("x\r\n", 100_000)), strings.NewReader(head))
		},
		"of a later part": func() io.Reader {
			return io.MultiReader(strings.NewReader(head+"\r\n%PDF-\r\n--b\r\nX: "), io.LimitReader(&zeros{}, 1<<20))
		},
	} {
		for _, path := range []string{"/check", "/api/v1/documents?purpose=credit"} {
			counted := &counting{r: body()}
			r := s.request(http.MethodPost, path, "multipart/form-data; boundary=b", counted)
			r.Header.Set("Authorization", "Bearer "+s.token())
			w := httptest.NewRecorder()
			s.Server.Config.Handler.ServeHTTP(w, r)
			if w.Code != http.StatusUnprocessableEntity {
				t.Errorf("%s, %s: %d", name, path, w.Code)
			}
			if counted.n > 64<<10 {
				t.Errorf("%s, %s: %d KB were read", name, path, counted.n>>10)
			}
		}
	}
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

// deadlines remembers what time the handler asked for.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

// A slow upload is recorded, so its answer must get through: the server's own time to write begins with the request.
func TestASlowUploadGetsItsAnswer(t *testing.T) {
	s := open(t)
	for path, media := range map[string]string{"/check": "multipart/form-data; boundary=b", "/api/v1/documents?purpose=credit": "application/pdf"} {
		r := s.request(http.MethodPost, path, media, strings.NewReader("--b--"))
		r.Header.Set("Authorization", "Bearer "+s.token())
		d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		s.Server.Config.Handler.ServeHTTP(d, r)
		if d.read.IsZero() || d.write.Sub(d.read) < 30*time.Second {
			t.Errorf("%s: to be sent until %s, to be answered until %s", path, d.read, d.write)
		}
	}
}

// Uploads are kept nowhere: not on the disk, not in the database, not in the log.
func TestUploadsLeaveNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	s := open(t)
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	marker := "marker" + hex.EncodeToString(random)
	content := []byte("%PDF-1.7\n(" + marker + ")\n" + strings.Repeat(marker+"\n", 100_000) + "%%EOF")
	a := s.upload(s.Browser, marker+".pdf", "application/"+marker, content, url.Values{"purpose": {"other"}})
	mustNotHave(t, s.read(s.Browser, a), marker)
	if strings.Contains(s.log.String(), marker) {
		t.Error("it is in the log")
	}
	err := filepath.WalkDir(tmp, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(marker)) {
			t.Errorf("it is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.rowsWith(marker); n != 0 {
		t.Errorf("it is in %d rows of the database", n)
	}
}

// rowsWith counts the rows, of all tables, in which a text stands.
func (s *site) rowsWith(text string) (n int64) {
	s.t.Helper()
	rows, err := s.pg.Admin.Query(s.t.Context(), "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
	if err != nil {
		s.t.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			s.t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if len(tables) < 10 {
		s.t.Fatalf("only %d tables", len(tables))
	}
	for _, table := range tables {
		n += s.ID("SELECT count(*) FROM "+table+" t WHERE t::text LIKE '%' || $1 || '%' OR t::text LIKE '%' || encode($1::bytea, 'hex') || '%'", text)
	}
	return n
}

// S21 over HTTP: whoever hangs up gets nothing that is not recorded, and nothing breaks.
func TestHangingUp(t *testing.T) {
	s := open(t)
	for i := range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%50)*100*time.Microsecond)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Server.URL+"/check", strings.NewReader(form(s.contract.Code.String(), "other").Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := client.Do(r)
		if err == nil {
			id, parseErr := verifier.ParseCheckID(strings.TrimPrefix(resp.Header.Get("Location"), "/checked/"))
			resp.Body.Close()
			if parseErr != nil {
				t.Fatalf("status %d", resp.StatusCode)
			}
			if n := s.ID("SELECT count(*) FROM checks JOIN ledger_lines ON object = id WHERE id = $1", string(id)); n != 1 {
				t.Error("an answer without a record")
			}
		}
		cancel()
	}
	mustHave(t, s.check(s.Browser, form(s.contract.Code.String(), "other")), "Çıxarış etibarlıdır")
}
