package gatewaydb

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/gateway"
)

// Stamper gives the log's exchanges their time stamps. The pool's role is tesdiq_casework.
type Stamper struct {
	Log
	Authority gateway.TimeStamper
	Now       func() time.Time
}

// sqlAlone lets one stamper work at a time, of all processes: two would stamp the same twice and one of them lose it all.
const sqlAlone = `SELECT pg_try_advisory_xact_lock(hashtextextended('tesdiq.gateway.stamp', 0))`

const sqlUnstamped = `
	SELECT a.question_id::text, a.leaf
	FROM gateway_answers a
	WHERE NOT EXISTS (SELECT FROM gateway_stamped d WHERE d.question_id = a.question_id)
	ORDER BY a.received_at, a.question_id
	LIMIT @batch`

const sqlStamp = `INSERT INTO gateway_stamps (size, token, stamped_at) VALUES (@size, @token, @now) RETURNING id`

const sqlStamped = `INSERT INTO gateway_stamped (question_id, stamp_id, place, path) VALUES (@question, @stamp, @place, @path)`

// Stamp gives one time stamp to what has none, up to a batch, and says how many exchanges it covers. It is to be called every few seconds and until
// it says 0. If the authority does not answer, nothing is lost: the next call asks again.
func (s Stamper) Stamp(ctx context.Context, batch int) (n int, err error) {
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		var alone bool
		if err := tx.QueryRow(ctx, sqlAlone).Scan(&alone); err != nil || !alone {
			return err
		}
		rows, _ := tx.Query(ctx, sqlUnstamped, pgx.NamedArgs{"batch": min(batch, gateway.MaxBatch)}) // the error comes out of ForEachRow
		var ids []string
		var leaves [][sha256.Size]byte
		var id string
		var leaf []byte
		_, err := pgx.ForEachRow(rows, []any{&id, &leaf}, func() error {
			ids, leaves = append(ids, id), append(leaves, [sha256.Size]byte(leaf))
			return nil
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		stamps, err := gateway.StampAll(ctx, s.Authority, leaves)
		if err != nil {
			return err
		}
		var stamp int64
		if err := tx.QueryRow(ctx, sqlStamp, pgx.NamedArgs{"size": len(ids), "token": stamps[0].Token, "now": s.Now()}).Scan(&stamp); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for i, id := range ids {
			batch.Queue(sqlStamped, pgx.NamedArgs{"question": id, "stamp": stamp, "place": i, "path": stamps[i].Path})
		}
		n = len(ids)
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return 0, fmt.Errorf("gatewaydb: stamp: %w", err)
	}
	return n, nil
}
