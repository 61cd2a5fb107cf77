package service_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tesdiq/tesdiq/internal/service"
)

func host() service.Host {
	return service.Host{Now: time.Now, Log: slog.New(slog.DiscardHandler), Metrics: service.NewMetrics()}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Told to stop, it lets the request under way finish, and only then ends the work that the request waits for.
func TestStoppingFinishesRequestsBeforeLoops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	made, asked := make(chan string), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		io.WriteString(w, <-made)
	})
	loop := func(ctx context.Context) error {
		<-asked
		stop()
		select {
		case <-ctx.Done():
			return errors.New("ended while a request waits")
		case <-time.After(100 * time.Millisecond):
		}
		made <- "an excerpt"
		<-ctx.Done()
		return ctx.Err()
	}
	l, served := listen(t), make(chan error, 1)
	go func() { served <- service.Serve(ctx, host(), l, handler, loop) }()
	answer, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if b, err := io.ReadAll(answer.Body); err != nil || string(b) != "an excerpt" {
		t.Errorf("%q, %v", b, err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A process that can no longer do its work ends, and says why, rather than answer for nothing.
func TestALoopThatCannotGoOnEndsTheProcess(t *testing.T) {
	broken := errors.New("broken")
	ended := make(chan struct{})
	err := service.Serve(t.Context(), host(), listen(t), http.NotFoundHandler(),
		func(context.Context) error { return broken },
		func(ctx context.Context) error { defer close(ended); <-ctx.Done(); return ctx.Err() })
	if !errors.Is(err, broken) || errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	<-ended
	if err := service.Serve(t.Context(), host(), listen(t), http.NotFoundHandler(), func(context.Context) error { return nil }); err == nil {
		t.Error("work that ends without a word is no failure")
	}
}

func TestEveryGoesOnAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var runs atomic.Int32
		done := make(chan error, 1)
		go func() {
			done <- service.Every(10*time.Minute, host(), "a job", func(context.Context) error { runs.Add(1); return errors.New("not today") })(ctx)
		}()
		for want := range int32(3) {
			synctest.Wait()
			if runs.Load() != want+1 {
				t.Errorf("%d runs, want %d", runs.Load(), want+1)
			}
			time.Sleep(10 * time.Minute)
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// The examples of the documentation, filled in, are each its own program's and nobody else's.
func TestAnExampleIsItsProgramsAlone(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"passwords", "keys"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"roots.pem", "signers.pem", "sign-in.secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	examples := map[service.Program]string{service.AllInOne: "tesdiq", service.Issuer: "issuer", service.Verifier: "verifier", service.Casework: "casework"}
	for owner, name := range examples {
		b, err := os.ReadFile("../../docs/" + name + ".example.toml")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name+".toml")
		text := strings.NewReplacer("/etc/tesdiq/"+name, dir, "/etc/tesdiq", dir).Replace(string(b))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for program := range examples {
			c, err := service.ReadConfig(file, program)
			if (err == nil) != (program == owner) {
				t.Errorf("%s reads %s: %v", program, file, err)
			}
			if err == nil && (c.Address == "" || c.PublicURL != "https://tesdiq.example") {
				t.Errorf("%s: %+v", file, c)
			}
		}
		if _, err := service.ReadConfig(file, service.Operator); err != nil { // of which only the database counts
			t.Errorf("the operator reads %s: %v", file, err)
		}
	}
}
