package assessing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnErrorDoesNotEndALoopAndIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told bytes.Buffer
		n := 0
		ctx, stop := context.WithCancel(t.Context())
		loop := every(slog.New(slog.NewTextHandler(&told, nil)), "a thing", time.Second, func(context.Context) error {
			if n++; n <= 3 || n == 5 {
				return errors.New("the database is away")
			}
			return nil
		})
		done := make(chan error)
		go func() { done <- loop(ctx) }()
		time.Sleep(10*time.Second + time.Millisecond)
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
		if n != 11 {
			t.Errorf("done %d times in ten seconds", n)
		}
		if got := strings.Count(told.String(), "is away"); got != 2 {
			t.Errorf("told %d times: %s", got, told.String())
		}
		if got := strings.Count(told.String(), "works again"); got != 2 {
			t.Errorf("told %d times that it works again: %s", got, told.String())
		}
	})
}

func TestOneTurnHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := turn(t.Context(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != turnLimit {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}
