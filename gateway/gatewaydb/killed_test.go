package gatewaydb_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/gateway/gatewaydb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// The test's own program, started with this in its environment, is a process that asks until it is killed.
const askerEnv = "TESDIQ_TEST_ASKER" // database, folder of the agencies, case, first number; between them a line break

func TestMain(m *testing.M) {
	if task := os.Getenv(askerEnv); task != "" {
		if err := asker(strings.Split(task, "\n")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	pgtest.Main(m)
}

// asker asks every register again and again, each time another question, and says what it was told.
func asker(task []string) error {
	ctx := context.Background()
	pool, err := postgres.Open(ctx, task[0], postgres.Casework)
	if err != nil {
		return err
	}
	config, err := agencies.Files(task[1]).Read(rand.Reader)
	if err != nil {
		return err
	}
	config.Log, config.Now = gatewaydb.Log{Pool: pool}, time.Now
	c, err := gateway.New(config)
	if err != nil {
		return err
	}
	first := 0
	if _, err := fmt.Sscan(task[3], &first); err != nil {
		return err
	}
	for n := first; ; n++ {
		for _, o := range c.Ask(ctx, numbered(task[2], n)) {
			if o.Answer != nil {
				sum := sha256.Sum256(o.Answer.Exchange.Bytes())
				fmt.Println(o.Question.ID, hex.EncodeToString(sum[:]))
			}
		}
	}
}

// numbered are the questions of the n-th round.
func numbered(number string, n int) (questions []gateway.Question) {
	for _, r := range gateway.Registers() {
		fin := people.Who("cavid").FIN
		questions = append(questions, gateway.Question{ID: gateway.IDOf(number, r, fin, n), Case: number, Register: r, Person: fin})
	}
	return questions
}

// TestKilledAsker kills a process that asks, again and again, at moments that nobody chose. What it was told is kept as it was told; what was sent
// stands in the log; and what has no answer gets one under the same ID.
func TestKilledAsker(t *testing.T) {
	const kills = 10
	dir := t.TempDir()
	k, err := agencies.Open(dir, nil, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := &agencies.Server{World: agencies.NewWorld(1, 20, tesdiq.DateOf(time.Now())), Keys: k, Now: time.Now, Rand: rand.Reader}
	var mu sync.Mutex
	sent := map[string]bool{}
	line := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		sent[r.Header.Get(gateway.HeaderID)] = true
		mu.Unlock()
		time.Sleep(3 * time.Millisecond) // so that a death falls into an exchange, too
		server.ServeHTTP(rw, r)
	}))
	defer line.Close()
	if err := agencies.WriteServices(dir, line.URL); err != nil {
		t.Fatal(err)
	}
	w := build(t)
	number := w.open(t, "cavid")
	told := map[string]string{}
	for n := range kills {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), askerEnv+"="+strings.Join([]string{w.db.URL(postgres.Casework), dir, number, fmt.Sprint(1 + n*1000)}, "\n"))
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		kill := sync.OnceFunc(func() {
			time.AfterFunc(time.Duration(7*n*n%90)*time.Millisecond, func() { _ = child.Process.Kill() })
		})
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if id, sum, ok := strings.Cut(lines.Text(), " "); ok && len(sum) == 64 { // the last line may be half
				told[id] = sum
			}
			kill() // some time after the first answer, so that the slowness of the machine does not choose
		}
		_ = child.Wait() // it was killed
	}
	if len(told) < kills {
		t.Fatalf("%d processes were told %d answers", kills, len(told))
	}
	for id, sum := range told {
		kept, err := w.log.Evidence(t.Context(), number, id)
		if got := sha256.Sum256(kept); err != nil || hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s was told and is not kept so: %v", id, err)
		}
	}
	lines, err := w.log.OfCase(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		delete(sent, l.ID)
	}
	if len(sent) > 0 {
		t.Errorf("%d questions were sent that stand nowhere", len(sent))
	}
	open, err := w.log.Unanswered(t.Context(), []string{number})
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range w.client(t).Ask(t.Context(), open) {
		if o.Answer == nil || o.Question.ID != open[i].ID {
			t.Errorf("asked again: %+v", o.No)
		}
	}
	if again, err := w.log.Unanswered(t.Context(), []string{number}); err != nil || len(again) > 0 {
		t.Errorf("%d are still unanswered: %v", len(again), err)
	}
	t.Logf("%d kills, %d answers told, %d questions written down, %d asked again", kills, len(told), len(lines), len(open))
}
