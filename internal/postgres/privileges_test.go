package postgres_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

var update = flag.Bool("update", false, "write privileges.txt instead of comparing with it")

const privilegesHeader = `# What each role may do, asked of PostgreSQL's catalog after all migrations (S11). A change of rights changes this file:
# make schema writes it, and a second engineer reads the difference.`

// What a role may really do, by whatever way it got there. A privilege on some columns names them.
const matrix = `
WITH roles AS (
	SELECT unnest(@roles::text[]) AS role
), relations AS (
	SELECT c.oid, c.relname, c.relkind
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
), found AS (
	SELECT 'table' AS sort, relname::text AS object, role,
		CASE WHEN has_table_privilege(role, oid, privilege) THEN privilege
		ELSE privilege || '(' || (
			SELECT string_agg(attname, ', ' ORDER BY attname) FROM pg_attribute
			WHERE attrelid = oid AND attnum > 0 AND NOT attisdropped AND has_column_privilege(role, attrelid, attnum, privilege)
		) || ')' END AS privilege,
		n
	FROM relations CROSS JOIN roles
	CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) WITH ORDINALITY AS p(privilege, n)
	WHERE relkind <> 'S'
UNION ALL
	SELECT 'table', relname, role, privilege, n + 10
	FROM relations CROSS JOIN roles CROSS JOIN unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) WITH ORDINALITY AS p(privilege, n)
	WHERE relkind <> 'S' AND has_table_privilege(role, oid, privilege)
UNION ALL
	SELECT 'sequence', relname, role, privilege, n
	FROM relations CROSS JOIN roles CROSS JOIN unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) WITH ORDINALITY AS p(privilege, n)
	WHERE relkind = 'S' AND has_sequence_privilege(role, oid, privilege)
UNION ALL
	SELECT 'function', oid::regprocedure::text, role, 'EXECUTE', 1
	FROM pg_proc CROSS JOIN roles
	WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
		AND has_function_privilege(role, oid, 'EXECUTE')
UNION ALL
	SELECT 'schema', nspname, role, privilege, n
	FROM pg_namespace CROSS JOIN roles CROSS JOIN unnest(ARRAY['USAGE', 'CREATE']) WITH ORDINALITY AS p(privilege, n)
	WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND has_schema_privilege(role, oid, privilege)
UNION ALL
	SELECT 'database', '(this one)', role, privilege, n
	FROM pg_database CROSS JOIN roles CROSS JOIN unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) WITH ORDINALITY AS p(privilege, n)
	WHERE datname = current_database() AND has_database_privilege(role, oid, privilege)
), objects AS (
	SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS sort, relname::text AS object FROM relations
UNION
	SELECT sort, object FROM found
)
SELECT sort, object, coalesce(role, ''), coalesce(privilege, '')
FROM objects LEFT JOIN (SELECT * FROM found WHERE privilege IS NOT NULL) granted USING (sort, object)
ORDER BY array_position(ARRAY['database', 'schema', 'table', 'sequence', 'function'], sort), object, role, n`

func TestPrivilegesAreAsWritten(t *testing.T) {
	db := pgtest.Open(t)
	var roles []string
	for _, role := range postgres.Roles() {
		roles = append(roles, string(role))
	}
	rows, err := db.Admin.Query(t.Context(), matrix, pgx.NamedArgs{"roles": roles})
	if err != nil {
		t.Fatal(err)
	}
	got := bytes.NewBufferString(privilegesHeader)
	var sort, object, role, privilege, before, beforeRole string
	_, err = pgx.ForEachRow(rows, []any{&sort, &object, &role, &privilege}, func() error {
		head := sort + " " + object
		switch {
		case head != before:
			fmt.Fprintf(got, "\n\n%s", head)
			fallthrough
		case role != beforeRole:
			if role == "" {
				fmt.Fprint(got, "\n    nobody")
				break
			}
			fmt.Fprintf(got, "\n    %-16s %s", role, privilege)
		default:
			fmt.Fprintf(got, ", %s", privilege)
		}
		before, beforeRole = head, role
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(got)
	const file = "privileges.txt"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the rights are not those of %s (-update writes them):\n%s", file, difference(string(want), got.String()))
	}
}

// difference lists the lines that only one of two texts has, with the object that they belong to.
func difference(want, got string) string {
	lines := func(text string) (all []string, set map[string]bool) {
		set = map[string]bool{}
		object := ""
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if !strings.HasPrefix(line, " ") {
				object = line
			}
			all = append(all, object+" | "+strings.TrimSpace(line))
			set[all[len(all)-1]] = true
		}
		return all, set
	}
	wantLines, wantSet := lines(want)
	gotLines, gotSet := lines(got)
	var out strings.Builder
	for _, line := range wantLines {
		if !gotSet[line] {
			fmt.Fprintln(&out, "-", line)
		}
	}
	for _, line := range gotLines {
		if !wantSet[line] {
			fmt.Fprintln(&out, "+", line)
		}
	}
	return out.String()
}

// Every query lists what must not be.
func TestNoRoleCanPassByTheFence(t *testing.T) {
	db := pgtest.Open(t)
	for what, query := range map[string]string{
		"a component's role with an attribute that passes by": `
			SELECT rolname FROM pg_roles
			WHERE rolname LIKE 'tesdiq\_%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
				OR (rolname = 'tesdiq_owner') = rolcanlogin)`,
		"a component's role that is a member of another": `
			SELECT member::regrole || ' in ' || roleid::regrole FROM pg_auth_members
			WHERE member::regrole::text LIKE 'tesdiq\_%'`,
		"something owned by a component's role": `
			SELECT classid::regclass || ' ' || objid FROM pg_shdepend
			WHERE deptype = 'o' AND refclassid = 'pg_authid'::regclass
				AND refobjid IN (SELECT oid FROM pg_roles WHERE rolname LIKE 'tesdiq\_%' AND rolname <> 'tesdiq_owner')`,
		"a table, sequence or function that is not the owner's": `
			SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner <> 'tesdiq_owner'::regrole
			UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner <> 'tesdiq_owner'::regrole`,
		"a right that everybody has": `
			SELECT 'relation ' || relname || ' ' || privilege_type
			FROM pg_class, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)))
			WHERE relnamespace = 'public'::regnamespace AND grantee = 0
			UNION ALL
			SELECT 'column ' || attrelid::regclass || '.' || attname || ' ' || privilege_type
			FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid, aclexplode(attacl)
			WHERE relnamespace = 'public'::regnamespace AND grantee = 0
			UNION ALL
			SELECT 'function ' || proname || ' ' || privilege_type
			FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
			WHERE pronamespace = 'public'::regnamespace AND grantee = 0
			UNION ALL -- not the row types and arrays that come with a table or type: nobody can grant those
			SELECT 'type ' || typname || ' ' || privilege_type
			FROM pg_type, aclexplode(coalesce(typacl, acldefault('T', typowner)))
			WHERE typnamespace = 'public'::regnamespace AND grantee = 0 AND typtype <> 'c' AND typcategory <> 'A'
			UNION ALL
			SELECT 'schema ' || nspname || ' ' || privilege_type
			FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
			WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND grantee = 0
			UNION ALL
			SELECT 'database ' || privilege_type
			FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
			WHERE datname = current_database() AND grantee = 0
			UNION ALL
			SELECT 'default ' || defaclobjtype::text || ' ' || privilege_type
			FROM pg_default_acl, aclexplode(defaclacl) WHERE grantee = 0`,
	} {
		rows, err := db.Admin.Query(t.Context(), query)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if len(found) > 0 {
			t.Errorf("%s: %s", what, strings.Join(found, "; "))
		}
	}
}

// The list above says what the catalog holds; here every role tries it.
func TestChecksAndLedgerLinesAreForEver(t *testing.T) {
	db := pgtest.Open(t)
	for _, table := range []string{"checks", "ledger_lines"} {
		rows, err := db.Admin.Query(t.Context(),
			"SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attidentity = ''", table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(columns) == 0 {
			t.Fatalf("%s: %d columns, %v", table, len(columns), err)
		}
		var tries []string
		for _, column := range columns {
			tries = append(tries, fmt.Sprintf("UPDATE %s SET %s = DEFAULT", table, column))
		}
		tries = append(tries,
			"DELETE FROM "+table,
			"TRUNCATE "+table,
			"DROP TABLE "+table,
			"SELECT * FROM "+table+" FOR UPDATE",
			"ALTER TABLE "+table+" DISABLE TRIGGER ALL",
			"ALTER TABLE "+table+" OWNER TO CURRENT_USER",
			"CREATE RULE nothing AS ON INSERT TO "+table+" DO INSTEAD NOTHING",
			"CREATE TRIGGER nothing BEFORE INSERT ON "+table+" EXECUTE FUNCTION suppress_redundant_updates_trigger()",
			"SET session_replication_role = replica",
			"SET ROLE tesdiq_owner",
			"SET SESSION AUTHORIZATION postgres",
		)
		for _, role := range postgres.Roles() {
			for _, try := range tries {
				if _, err := db.Pool(role).Exec(t.Context(), try); code(err) != "42501" {
					t.Errorf("%s: %s: %v, want 42501", role, try, err)
				}
			}
		}
	}
}
