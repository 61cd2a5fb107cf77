package cabinetdb

import (
	"github.com/alexedwards/scs/pgxstore"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Sessions keeps the shell's sessions in the table of that name. Expired ones are removed by the worker.
func Sessions(pool *pgxpool.Pool) *pgxstore.PostgresStore {
	return pgxstore.NewWithCleanupInterval(pool, 0)
}
