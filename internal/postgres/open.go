package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Deadlines of every session, so that nothing hangs: a statement, waiting for a lock, a transaction left open.
// Whoever needs longer (a bulk load) says SET LOCAL in its own transaction.
const (
	statementTimeout = 15 * time.Second
	lockTimeout      = 5 * time.Second
	idleTimeout      = 15 * time.Second
	connectTimeout   = 5 * time.Second
)

// Config is how one component reaches the database.
type Config struct {
	// URL is the database's address, postgres://…; the user and password in it are not used.
	URL string
	// Role is whom to connect as. Required.
	Role Role
	// Password of the role; empty where the server asks for none, or where PGPASSFILE has it.
	Password string
	// MaxConns is how many connections the pool may hold; 0 is 16.
	MaxConns int
}

// Open opens a pool as one component's role, which the server lets in without a password.
func Open(ctx context.Context, url string, role Role) (*pgxpool.Pool, error) {
	return OpenConfig(ctx, Config{URL: url, Role: role})
}

// OpenConfig opens a pool as one component's role and sees that the server answers.
func OpenConfig(ctx context.Context, c Config) (*pgxpool.Pool, error) {
	pool, err := open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("postgres: open as %s: %w", c.Role, err)
	}
	return pool, nil
}

func open(ctx context.Context, c Config) (*pgxpool.Pool, error) {
	address, err := c.address()
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 16
	if c.MaxConns > 0 {
		config.MaxConns = int32(c.MaxConns)
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	session := config.ConnConfig.RuntimeParams
	session["application_name"] = string(c.Role)
	session["statement_timeout"] = milliseconds(statementTimeout)
	session["lock_timeout"] = milliseconds(lockTimeout)
	session["idle_in_transaction_session_timeout"] = milliseconds(idleTimeout)
	session["timezone"] = "UTC"
	// Every statement of ours finds its rows by a key: its plan does not depend on the values. Left to itself, the server
	// plans some anew at each call, which takes longer than running them.
	session["plan_cache_mode"] = "force_generic_plan"

	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// address is URL with the role's name and password in place of the user and password that it had.
func (c Config) address() (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", errors.New("the address of the database must be of the form postgres://HOST/DATABASE") // err may hold a password
	}
	u.User = url.User(string(c.Role))
	if c.Password != "" {
		u.User = url.UserPassword(string(c.Role), c.Password)
	}
	query := u.Query()
	query.Del("user")
	query.Del("password")
	u.RawQuery = query.Encode()
	return u.String(), nil
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }
