package verifierdb

import (
	"context"
	"regexp"

	"github.com/jackc/pgx/v5"
)

// placed is a statement whose named arguments were replaced by numbers once and for all. pgx does it at each call, which
// takes a tenth of a check's time outside the database.
type placed struct {
	sql   string
	names []string // of $1, $2, …
}

var argument = regexp.MustCompile(`@\w+`)

func place(sql string) placed {
	named := pgx.NamedArgs{}
	for _, name := range argument.FindAllString(sql, -1) {
		named[name[1:]] = name[1:]
	}
	sql, values, err := named.RewriteQuery(context.Background(), nil, sql, nil)
	if err != nil {
		panic("verifierdb: " + err.Error()) // a constant of ours
	}
	p := placed{sql: sql}
	for _, v := range values {
		p.names = append(p.names, v.(string))
	}
	return p
}

// args puts named arguments in their places.
func (p placed) args(named pgx.NamedArgs) []any {
	values := make([]any, len(p.names))
	for i, name := range p.names {
		values[i] = named[name]
	}
	return values
}
