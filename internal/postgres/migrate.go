// Package postgres is the way to the database: its roles, its schema, and a pool for each component. It runs nobody's
// statements but its own; a component's SQL is in its …db.
package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the text of all migrations, by which a database that was made with others can be told from one of these.
func Migrations() string {
	var all strings.Builder
	err := fs.WalkDir(migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(migrations, path)
		fmt.Fprintf(&all, "%s\n%s", path, content)
		return err
	})
	if err != nil {
		panic(err) // they are part of the program
	}
	return all.String()
}

// migrationLock is the advisory lock (of the database) under which Migrate works. The number means nothing.
const migrationLock int64 = 0x7465736469715f6d

// The rights that come before the first table: what is made in public belongs to Owner and is nobody else's until a
// migration grants it. Without the defaults everybody may call every new function.
const (
	sqlPublicToOwner = `
		REVOKE ALL ON SCHEMA public FROM PUBLIC;
		GRANT USAGE, CREATE ON SCHEMA public TO tesdiq_owner;
		GRANT USAGE ON SCHEMA public TO tesdiq_registry, tesdiq_issuer, tesdiq_verifier, tesdiq_cabinet, tesdiq_operator, tesdiq_worker,
			tesdiq_reception, tesdiq_sender, tesdiq_casework, tesdiq_commission, tesdiq_lookup, tesdiq_inspection`
	sqlDefaults = `
		ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
		ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC`
)

// River's tables are the worker's. A component that will commit a job with its data needs SELECT, INSERT and UPDATE (kind)
// on river_job (its INSERT returns the row and, for a job that is there already, sets kind to itself): none does yet.
const sqlRiverRights = `
	GRANT SELECT, INSERT, UPDATE, DELETE ON river_job, river_leader, river_queue, river_notification TO tesdiq_worker;
	GRANT SELECT ON river_migration TO tesdiq_worker;
	GRANT USAGE ON SEQUENCE river_job_id_seq, river_notification_id_seq TO tesdiq_worker;
	GRANT EXECUTE ON FUNCTION river_job_state_in_bitmask(bit, river_job_state) TO tesdiq_worker`

// Migrate brings the database of adminURL to this version: roles, tables, rights. It may be called again, and by
// several processes at the same time. The admin is a superuser, or owns the database and may make roles.
func Migrate(ctx context.Context, adminURL string) error {
	if err := migrate(ctx, adminURL); err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	return nil
}

func migrate(ctx context.Context, adminURL string) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // and with it the lock
	if err := acquire(ctx, conn, migrationLock); err != nil {
		return err
	}
	if err := ensureRoles(ctx, conn); err != nil {
		return err
	}
	if err := becomeMember(ctx, conn); err != nil {
		return err
	}
	if err := Admit(ctx, conn, conn.Config().Database); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, sqlPublicToOwner); err != nil {
		return fmt.Errorf("rights on schema public: %w", err)
	}

	config, err := pgxpool.ParseConfig(adminURL)
	if err != nil {
		return err
	}
	config.MaxConns = 3 // goose holds one for its lock and works on another
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SET ROLE "+Owner)
		return err
	}
	owner, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer owner.Close()
	if _, err := owner.Exec(ctx, sqlDefaults); err != nil {
		return fmt.Errorf("default rights: %w", err)
	}
	if err := migrateGoose(ctx, owner); err != nil {
		return err
	}
	return migrateRiver(ctx, owner)
}

// acquire takes an advisory lock for the session. It asks again and again instead of waiting in the database: a
// waiting statement would hold a snapshot, which stops CREATE INDEX CONCURRENTLY.
func acquire(ctx context.Context, conn *pgx.Conn, key int64) error {
	for {
		var got bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&got); err != nil {
			return err
		}
		if got {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for another migration: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// becomeMember lets an admin who is no superuser become Owner.
func becomeMember(ctx context.Context, conn *pgx.Conn) error {
	var member bool
	if err := conn.QueryRow(ctx, "SELECT pg_has_role(current_user, $1, 'MEMBER')", Owner).Scan(&member); err != nil {
		return err
	}
	if member {
		return nil
	}
	if _, err := conn.Exec(ctx, "GRANT "+Owner+" TO CURRENT_USER"); err != nil {
		return fmt.Errorf("become %s: %w", Owner, err)
	}
	return nil
}

func migrateGoose(ctx context.Context, owner *pgxpool.Pool) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(owner)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func migrateRiver(ctx context.Context, owner *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(owner), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("river: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("river: %w", err)
	}
	if _, err := owner.Exec(ctx, sqlRiverRights); err != nil {
		return fmt.Errorf("rights on river's tables: %w", err)
	}
	return nil
}

// EnsureDatabase makes a database if there is none of that name. adminURL leads to any other database of the server.
func EnsureDatabase(ctx context.Context, adminURL, name string) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("postgres: database %s: %w", name, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)", name).Scan(&there)
	if err == nil && !there {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+identifier(name)+" TEMPLATE template0 ENCODING 'UTF8'")
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42P04" || pg.Code == "23505") { // another was faster
		return nil
	}
	if err != nil {
		return fmt.Errorf("postgres: database %s: %w", name, err)
	}
	return nil
}

const (
	sqlHasEntries = `SELECT to_regclass('public.entries') IS NOT NULL`
	sqlForeign    = `SELECT EXISTS (SELECT FROM public.entries) AND NOT EXISTS (SELECT FROM public.entries WHERE subject = $1)`
)

// Foreign says whether the database of adminURL holds entries, and none about subject: whoever invents people, subject
// among them, must leave such a database as it is.
func Foreign(ctx context.Context, adminURL, subject string) (foreign bool, err error) {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return false, fmt.Errorf("postgres: look at the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var has bool
	if err = conn.QueryRow(ctx, sqlHasEntries).Scan(&has); err == nil && has {
		err = conn.QueryRow(ctx, sqlForeign, subject).Scan(&foreign)
	}
	if err != nil {
		return false, fmt.Errorf("postgres: look at the database: %w", err)
	}
	return foreign, nil
}
