package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Role is the database role of one component. It has only the rights that the component needs (migrations grant
// them), owns nothing and cannot pass by any fence.
type Role string

// The components' roles.
const (
	Registry   Role = "tesdiq_registry"
	Issuer     Role = "tesdiq_issuer"
	Verifier   Role = "tesdiq_verifier"
	Cabinet    Role = "tesdiq_cabinet"
	Operator   Role = "tesdiq_operator"
	Worker     Role = "tesdiq_worker"
	Reception  Role = "tesdiq_reception"
	Sender     Role = "tesdiq_sender"
	Casework   Role = "tesdiq_casework"
	Commission Role = "tesdiq_commission"
	Lookup     Role = "tesdiq_lookup"
	Inspection Role = "tesdiq_inspection"
)

// Owner owns every table. Nobody signs in as it: Migrate becomes it for as long as it takes.
const Owner = "tesdiq_owner"

// Roles are all components' roles.
func Roles() []Role {
	return []Role{Registry, Issuer, Verifier, Cabinet, Operator, Worker, Reception, Sender, Casework, Commission, Lookup, Inspection}
}

// Roles belong to the whole server, so that two databases of one server may be migrated at the same moment, and each
// role is looked at before it is touched: two sessions that alter one role disturb each other even if nothing changes.
const sqlRole = `
	SELECT rolcanlogin, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
	FROM pg_catalog.pg_roles
	WHERE rolname = @role`

// ensureRoles makes the roles that are missing and takes away what a role must not have.
func ensureRoles(ctx context.Context, conn *pgx.Conn) error {
	if err := ensureRole(ctx, conn, Owner, false); err != nil {
		return err
	}
	for _, role := range Roles() {
		if err := ensureRole(ctx, conn, string(role), true); err != nil {
			return err
		}
	}
	return nil
}

func ensureRole(ctx context.Context, conn *pgx.Conn, role string, login bool) error {
	attributes := " NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT"
	if login {
		attributes = " LOGIN" + attributes
	} else {
		attributes = " NOLOGIN" + attributes
	}
	const tries = 10
	for try := 1; ; try++ {
		var canLogin, mighty bool
		err := conn.QueryRow(ctx, sqlRole, pgx.NamedArgs{"role": role}).Scan(&canLogin, &mighty)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			_, err = conn.Exec(ctx, "CREATE ROLE "+identifier(role)+attributes)
		case err == nil && (canLogin != login || mighty):
			_, err = conn.Exec(ctx, "ALTER ROLE "+identifier(role)+attributes)
		}
		if err == nil {
			return nil
		}
		if !anotherWasFaster(err) || try == tries {
			return fmt.Errorf("role %s: %w", role, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// anotherWasFaster says whether err comes of another session that made or altered the same role just now.
func anotherWasFaster(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "42710", "23505": // duplicate_object, unique_violation
		return true
	case "XX000": // internal_error
		return pg.Message == "tuple concurrently updated"
	}
	return false
}

func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

// Admit lets the components' roles, and nobody else but its owner, connect to a database. CREATE DATABASE does not copy
// this from a template.
func Admit(ctx context.Context, conn *pgx.Conn, database string) error {
	db := identifier(database)
	grant := "REVOKE ALL ON DATABASE " + db + " FROM PUBLIC; GRANT CONNECT ON DATABASE " + db + " TO "
	for i, role := range Roles() {
		if i > 0 {
			grant += ", "
		}
		grant += identifier(string(role))
	}
	if _, err := conn.Exec(ctx, grant); err != nil {
		return fmt.Errorf("postgres: admit to %s: %w", database, err)
	}
	return nil
}

const sqlHasRoles = `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = ANY($1))`

// HasRoles says whether any of our roles is on the server.
func HasRoles(ctx context.Context, adminURL string) (has bool, err error) {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return false, fmt.Errorf("postgres: roles: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var names []string
	for _, role := range Roles() {
		names = append(names, string(role))
	}
	if err := conn.QueryRow(ctx, sqlHasRoles, names).Scan(&has); err != nil {
		return false, fmt.Errorf("postgres: roles: %w", err)
	}
	return has, nil
}

// SetPasswords gives roles their passwords. The server gets only what it stores (SCRAM-SHA-256, RFC 5803), so that no
// password can stand in its log. random is read 16 bytes a role.
func SetPasswords(ctx context.Context, adminURL string, random io.Reader, passwords map[Role]string) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("postgres: passwords: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, role := range Roles() {
		password, ok := passwords[role]
		if !ok {
			continue
		}
		salt := make([]byte, 16)
		if _, err := io.ReadFull(random, salt); err != nil {
			return fmt.Errorf("postgres: passwords: %w", err)
		}
		verifier, err := scram(password, salt)
		if err != nil {
			return fmt.Errorf("postgres: password of %s: %w", role, err)
		}
		if _, err := conn.Exec(ctx, "ALTER ROLE "+identifier(string(role))+" PASSWORD '"+verifier+"'"); err != nil {
			return fmt.Errorf("postgres: password of %s: %w", role, err)
		}
	}
	return nil
}

// scram is what PostgreSQL stores of a password.
func scram(password string, salt []byte) (string, error) {
	const iterations = 4096 // PostgreSQL's own figure
	if password == "" {
		return "", errors.New("empty")
	}
	for _, r := range password {
		if r < 0x21 || r > 0x7e { // others would need SASLprep (RFC 4013)
			return "", errors.New("only printable ASCII characters without spaces")
		}
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", err
	}
	sign := func(text string) []byte {
		mac := hmac.New(sha256.New, salted)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, b64(salt), b64(stored[:]), b64(sign("Server Key"))), nil
}
