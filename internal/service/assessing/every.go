package assessing

import (
	"context"
	"log/slog"
	"time"

	"github.com/tesdiq/tesdiq/internal/service"
)

// every does a thing again and again, with a pause between, until its context ends. An error does not end it: it is logged
// once, and again only after the thing has worked in between or fails for another reason.
func every(log *slog.Logger, what string, pause time.Duration, do func(context.Context) error) service.Loop {
	return func(ctx context.Context) error {
		last := ""
		for {
			err := turn(ctx, do)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err == nil && last != "":
				log.InfoContext(ctx, "works again", "what", what)
				last = ""
			case err != nil && err.Error() != last:
				last = err.Error()
				log.ErrorContext(ctx, "cannot be done now; it is tried again", "what", what, "err", err)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
		}
	}
}

// turn does it once, within its limit.
func turn(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	return do(ctx)
}
