package inspectionweb

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"net/http"
	"regexp"
)

// writeCSV writes sections one below the other, each with its title and head, as RFC 4180 wants it, in UTF-8 with a byte order mark,
// without which spreadsheets read ə as É™. Numbers and months are as programs write them, in every language.
func writeCSV(w http.ResponseWriter, name string, sections []section) error {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	out := csv.NewWriter(&b)
	out.UseCRLF = true
	for _, s := range sections {
		lines := [][]string{{s.Title}, s.Head}
		for _, row := range s.Rows {
			var line []string
			for _, c := range row {
				line = append(line, inert(cmp.Or(c.Plain, c.Text)))
			}
			lines = append(lines, line)
		}
		if err := out.WriteAll(append(lines, []string{})); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(b.Bytes()) // an error means that the client has gone
	return nil
}

// formula is where a spreadsheet would begin to compute: at the beginning of a cell, and after a semicolon, at which
// spreadsheets in Azerbaijani and Russian divide cells.
var formula = regexp.MustCompile(`(^|;)([\s"']*)([=+\-@\t\r\n])`)

// inert keeps a cell from being a formula (S14).
func inert(cell string) string { return formula.ReplaceAllString(cell, "$1'$2$3") }
