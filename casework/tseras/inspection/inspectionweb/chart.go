package inspectionweb

// chart is horizontal bars, drawn by the server: a line of text above each bar, so that it can be read at 320 px and by who sees no
// colours. The table beside it has the same figures.
type chart struct {
	ID     string
	Title  string
	Desc   string
	Height int
	Bars   []bar
}

// bar is one of them; all figures are in the drawing's own units, of which it is 320 wide.
type bar struct {
	Label, Value    string
	TextY, Y, Width int
}

const (
	chartWidth = 320
	barStep    = 40
)

// letters is how many fit above a bar, of label and value together; the table has the whole.
const letters = 42

func short(label, value string) string {
	fits := max(1, letters-len([]rune(value)))
	if all := []rune(label); len(all) > fits {
		return string(all[:fits-1]) + "…"
	}
	return label
}

// newChart draws values.
func newChart(id, title, desc string, labels, values []string, lengths []int) *chart {
	c := &chart{ID: id, Title: title, Desc: desc, Height: barStep*len(labels) + 4}
	most := 1
	for _, n := range lengths {
		most = max(most, n)
	}
	for i := range labels {
		b := bar{Label: short(labels[i], values[i]), Value: values[i], TextY: barStep*i + 15, Y: barStep*i + 21}
		if lengths[i] > 0 {
			b.Width = max(2, lengths[i]*chartWidth/most)
		}
		c.Bars = append(c.Bars, b)
	}
	return c
}
