package verifierweb

import (
	"context"
	"encoding/csv"
	"net/http"
	"regexp"

	"github.com/tesdiq/tesdiq/verifier"
)

// csvChunk is how many rows are read at a time, so that a long list does not have to fit into memory.
const csvChunk = 1000

// writeCSV writes a list as RFC 4180 wants it, in UTF-8 with a byte order mark, without which spreadsheets read ə as É™.
func writeCSV(w http.ResponseWriter, r *http.Request, name string, head []string,
	next func(context.Context, verifier.Cursor) ([]verifier.Row, error), cells func(verifier.Row) []string) error {
	rows, err := next(r.Context(), verifier.Cursor{}) // before the first byte, while an error can still be told
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if _, err := w.Write([]byte("\ufeff")); err != nil {
		return nil // the client has gone
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(head); err != nil {
		return nil
	}
	for len(rows) > 0 {
		for _, row := range rows {
			line := cells(row)
			for i := range line {
				line[i] = inert(line[i])
			}
			if err := out.Write(line); err != nil {
				return nil
			}
		}
		out.Flush()
		if len(rows) < csvChunk {
			break
		}
		if rows, err = next(r.Context(), verifier.After(rows[len(rows)-1])); err != nil {
			// Half a list must not look whole.
			panic(http.ErrAbortHandler)
		}
	}
	out.Flush()
	return nil
}

// formula is where a spreadsheet would begin to compute: at the beginning of a cell, and after a semicolon, at which
// spreadsheets in Azerbaijani and Russian divide cells.
var formula = regexp.MustCompile(`(^|;)([\s"']*)([=+\-@\t\r\n])`)

// inert keeps a cell from being a formula (S14).
func inert(cell string) string { return formula.ReplaceAllString(cell, "$1'$2$3") }
