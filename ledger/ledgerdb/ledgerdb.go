// Package ledgerdb writes ledger lines into the caller's transaction, so that a change and its line commit together.
package ledgerdb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/ledger"
)

const sqlAppend = `
	INSERT INTO ledger_lines (kind, object, key, mac)
	SELECT * FROM unnest(@kinds::text[], @objects::text[], @keys::bytea[], @macs::bytea[])`

// Append writes lines, in their order, in the caller's transaction.
func Append(ctx context.Context, tx pgx.Tx, lines ...ledger.Line) error {
	kinds, objects := make([]string, len(lines)), make([]string, len(lines))
	keys, macs := make([][]byte, len(lines)), make([][]byte, len(lines))
	for i, l := range lines {
		kinds[i], objects[i], keys[i], macs[i] = string(l.Kind), l.Object, l.Key, l.MAC
	}
	_, err := tx.Exec(ctx, sqlAppend, pgx.NamedArgs{"kinds": kinds, "objects": objects, "keys": keys, "macs": macs})
	if err != nil {
		return fmt.Errorf("ledgerdb: append: %w", err)
	}
	return nil
}
