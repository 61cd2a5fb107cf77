package tseras_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras"
)

// drawn is a round of two drawings, the second still sealed.
func drawn(t *testing.T) tseras.Round {
	t.Helper()
	key := tseras.DrawKey(strings.Repeat("k", tseras.MinDrawKey))
	seed := key.Seed(7)
	r := promised(t, 7, seed)
	r.Seed = &seed
	var all []tseras.Commission
	for _, id := range []string{"K01", "K02", "K03"} {
		c := tseras.Commission{ID: id}
		for _, n := range []string{"1", "2", "3", "4"} {
			c.Members = append(c.Members, tseras.CommissionMember{ID: tseras.MemberID(id + "-" + n), Chair: n < "3"})
		}
		all = append(all, c)
	}
	salt := []byte(strings.Repeat("s", tseras.SaltSize))
	add := func(d tseras.Drawing, err error, open bool) {
		if err != nil {
			t.Fatal(err)
		}
		c, err := d.Commitment(salt)
		if err != nil {
			t.Fatal(err)
		}
		r.Drawings = append(r.Drawings, tseras.Sealed{Ref: d.Ref, Commitment: c[:]})
		if open {
			r.Opened = append(r.Opened, tseras.Opening{Salt: salt, Drawing: d})
		}
	}
	d, err := seed.DrawPanel(7, "ref-one", all, tseras.Barred{})
	add(d, err, true)
	d, err = seed.DrawFurther(7, "ref-two", all, tseras.Barred{}, "K01", 1)
	add(d, err, true)
	d, err = seed.DrawFurther(7, "ref-four", all, tseras.Barred{}, "K01", 2)
	add(d, err, true)
	d, err = seed.DrawPanel(7, "ref-three", all, tseras.Barred{})
	add(d, err, false)
	return r
}

// The program in docs/draws.md says of a round what Round.Verify says of it.
func TestThePythonOfTheDocumentationRecomputesRounds(t *testing.T) {
	doc, err := os.ReadFile("../../docs/draws.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, found := strings.Cut(string(doc), "```python\n")
	code, _, closed := strings.Cut(code, "```")
	if !found || !closed {
		t.Fatal("docs/draws.md has no program")
	}
	_, example, _ := strings.Cut(string(doc), "```json\n")
	example, _, _ = strings.Cut(example, "```")
	var worked tseras.Round
	if err := json.Unmarshal([]byte(example), &worked); err != nil {
		t.Fatal(err)
	}
	if n, err := worked.Verify(); n != 1 || err != nil {
		t.Errorf("the example: %d, %v", n, err)
	}
	for _, c := range []struct {
		name   string
		change func(r *tseras.Round)
		right  bool
	}{
		{"as it is", func(*tseras.Round) {}, true},
		{"the example", func(r *tseras.Round) { *r = worked }, true},
		{"not drawn yet", func(r *tseras.Round) { r.Seed, r.Drawings, r.Opened = nil, nil, nil }, true},
		{"another line, not drawn yet", func(r *tseras.Round) { r.Seed, r.Drawings, r.Opened = nil, nil, nil; r.Line.MAC[5]++ }, false},
		{"another key of the line", func(r *tseras.Round) { r.Line.Key[0]++ }, false},
		{"another round's line", func(r *tseras.Round) { r.Line = promised(t, 8, *r.Seed).Line }, false},
		{"another kind of line", func(r *tseras.Round) { r.Line.Kind = "step" }, false},
		{"another time", func(r *tseras.Round) { r.Committed = tseras.Moment(time.Time(r.Committed).Add(time.Second)) }, false},
		{"no line", func(r *tseras.Round) { r.Line = tseras.RoundLine{} }, false},
		{"another seed", func(r *tseras.Round) { r.Seed[0]++ }, false},
		{"another drawn", func(r *tseras.Round) {
			s := r.Opened[0].Drawing.Steps[1]
			s.Drawn[0] = s.Candidates[0]
			if r.Opened[0].Drawing.Drawn(tseras.Chair)[0] == drawnChair(t) {
				s.Drawn[0] = s.Candidates[1]
			}
		}, false},
		{"another salt", func(r *tseras.Round) { r.Opened[0].Salt = []byte("other") }, false},
		{"opened twice", func(r *tseras.Round) { r.Opened = append(r.Opened, r.Opened[0]) }, false},
		{"another round's", func(r *tseras.Round) { r.Number = 9 }, false},
	} {
		r := drawn(t)
		c.change(&r)
		if _, err := r.Verify(); (err == nil) != c.right {
			t.Errorf("%s: Verify says %v", c.name, err)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "round.json")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "python3", "-c", code, file).CombinedOutput()
		if (err == nil) != c.right {
			t.Errorf("%s: the program says %s", c.name, out)
		}
		if c.name == "as it is" && !strings.Contains(string(out), "right: 3 open, 1 sealed") {
			t.Errorf("it says %q", out)
		}
	}
}

func drawnChair(t *testing.T) string {
	return drawn(t).Opened[0].Drawing.Drawn(tseras.Chair)[0]
}
