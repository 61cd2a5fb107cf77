package tesdiq

import (
	"fmt"
	"slices"
	"strings"
)

// Figures are a table of figures that a rule or a limit has from a day on, the earliest first.
type Figures []Figure

// Figure is a line of such a table.
type Figure struct {
	Since       Date
	Name, Value string
}

// ReadFigures reads a table: on each line since;name;value;label;source, where the label says how well the figure is known (SEED, FOUND,
// RECALL or ASSUMPTION); # begins a comment. set takes a figure, or says what is wrong with it.
func ReadFigures(text string, set func(name, value string) error) (Figures, error) {
	var all Figures
	for i, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, ";")
		if len(f) != 5 || !slices.Contains([]string{"SEED", "FOUND", "RECALL", "ASSUMPTION"}, f[3]) || f[4] == "" {
			return nil, fmt.Errorf("line %d: five columns, with a label and its source", i+1)
		}
		since, err := ParseDate(f[0])
		if err == nil {
			err = set(f[1], f[2])
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		all = append(all, Figure{Since: since, Name: f[1], Value: f[2]})
	}
	slices.SortStableFunc(all, func(a, b Figure) int { return a.Since.Compare(b.Since) })
	return all, nil
}

// On gives set the figures that there are on a day: of two of one name the later one last.
func (f Figures) On(day Date, set func(name, value string) error) {
	for _, x := range f {
		if !day.Before(x.Since) {
			_ = set(x.Name, x.Value) // it was tried when it was read
		}
	}
}
