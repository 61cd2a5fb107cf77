package issuerdb

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The channels by which the cabinet and the issuing process wake each other. What is said there is only a hint.
const (
	intentChannel  = "tesdiq_intent"  // the id of a new intent
	excerptChannel = "tesdiq_excerpt" // the numbers of what became excerpts or void, with commas
)

// listen calls hear for each notification on the channel, until ctx is done. It keeps one connection outside the pool
// and makes a new one when that is lost; listens is told each time that it begins (true) or is interrupted (false).
func listen(ctx context.Context, pool *pgxpool.Pool, channel string, log *slog.Logger, listens func(bool), hear func(payload string)) {
	const least, most = 50 * time.Millisecond, 2 * time.Second
	pause := least
	for ctx.Err() == nil {
		err := func() error {
			conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
				return err
			}
			pause = least
			listens(true)
			defer listens(false)
			for {
				n, err := conn.WaitForNotification(ctx)
				if err != nil {
					return err
				}
				hear(n.Payload)
			}
		}()
		if ctx.Err() != nil {
			return
		}
		log.WarnContext(ctx, "issuing: not listening", "channel", channel, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, most)
	}
}
