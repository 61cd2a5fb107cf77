package pgtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/internal/postgres"
)

// PrepareAll prepares every statement of the package under test (its constants named sql…) on the migrated schema, and
// asks PostgreSQL for its plan, which needs the same rights as running it. A statement may be meant for any one of
// the roles.
func PrepareAll(t *testing.T, db *DB, role postgres.Role, others ...postgres.Role) {
	t.Helper()
	statements, err := Statements(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(statements) == 0 {
		t.Fatal("pgtest: the package has no constant named sql…")
	}
	for _, name := range slices.Sorted(maps.Keys(statements)) {
		var failed []error
		for _, r := range append([]postgres.Role{role}, others...) {
			err := prepare(t, db, r, statements[name])
			if err == nil {
				failed = nil
				break
			}
			failed = append(failed, fmt.Errorf("as %s: %w", r, err))
		}
		if failed != nil {
			t.Errorf("%s: %v", name, errors.Join(failed...))
		}
	}
}

// prepare prepares one statement with its @named arguments and plans it with nulls for them.
func prepare(t *testing.T, db *DB, role postgres.Role, statement string) error {
	ctx := t.Context()
	conn, err := db.Pool(role).Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	positional, _, err := pgx.NamedArgs{}.RewriteQuery(ctx, conn.Conn(), statement, nil)
	if err != nil {
		return err
	}
	const name = "pgtest"
	prepared, err := conn.Conn().Prepare(ctx, name, positional)
	if err != nil {
		return err
	}
	explain := "EXPLAIN EXECUTE " + name
	if n := len(prepared.ParamOIDs); n > 0 {
		explain += "(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}
	_, err = conn.Exec(ctx, explain, pgx.QueryExecModeSimpleProtocol)
	return errors.Join(err, conn.Conn().Deallocate(ctx, name))
}

// Statements reads the constants named sql… of the package in dir, tests left out.
func Statements(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	constants := map[string]ast.Expr{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, content, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for name, value := range constantsOf(parsed) {
			if _, twice := constants[name]; twice && isStatement(name) {
				return nil, fmt.Errorf("pgtest: two constants are named %s", name)
			}
			constants[name] = value
		}
	}
	statements := map[string]string{}
	for name, value := range constants {
		if !isStatement(name) {
			continue
		}
		text, err := evaluate(value, constants)
		if err != nil {
			return nil, fmt.Errorf("pgtest: %s: %w", name, err)
		}
		statements[name] = text
	}
	return statements, nil
}

// isStatement says whether a constant's name is sqlXxx.
func isStatement(name string) bool {
	rest, ok := strings.CutPrefix(name, "sql")
	return ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z'
}

// constantsOf finds the constants of a file, also those inside functions.
func constantsOf(file *ast.File) map[string]ast.Expr {
	found := map[string]ast.Expr{}
	ast.Inspect(file, func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			return true
		}
		for _, spec := range decl.Specs {
			value := spec.(*ast.ValueSpec)
			for i, name := range value.Names {
				if i < len(value.Values) {
					found[name.Name] = value.Values[i]
				}
			}
		}
		return true
	})
	return found
}

// evaluate computes a string constant: literals, concatenations and the package's other constants.
func evaluate(e ast.Expr, constants map[string]ast.Expr) (string, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strconv.Unquote(e.Value)
	case *ast.ParenExpr:
		return evaluate(e.X, constants)
	case *ast.Ident:
		value, ok := constants[e.Name]
		if !ok {
			return "", fmt.Errorf("%s is no constant of this package", e.Name)
		}
		return evaluate(value, constants)
	case *ast.BinaryExpr:
		left, err := evaluate(e.X, constants)
		if err != nil {
			return "", err
		}
		right, err := evaluate(e.Y, constants)
		return left + right, err
	}
	return "", fmt.Errorf("%T is neither a string nor a concatenation", e)
}
