package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func options() Options {
	return Options{For: 600 * time.Millisecond, Clients: 4, People: 100, Now: time.Now, Rand: rand.Reader, Progress: io.Discard}
}

func TestEveryKindPrintsOneLine(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(kind, func(t *testing.T) {
			r, err := Run(t.Context(), kind, options())
			if err != nil {
				t.Fatal(err)
			}
			var out, table bytes.Buffer
			if err := r.WriteJSON(&out); err != nil {
				t.Fatal(err)
			}
			if err := r.WriteTable(&table); err != nil {
				t.Fatal(err)
			}
			line, rest, ok := strings.Cut(out.String(), "\n")
			if !ok || rest != "" {
				t.Fatalf("not one line: %q", out.String())
			}
			var got struct {
				What     string
				Ours     float64 `json:"ours_per_s"`
				Baseline string
				Rate     float64 `json:"baseline_per_s"`
				Ratio    float64
				Pgbench  *float64 `json:"pgbench_per_s"`
				P50      float64  `json:"p50_ms"`
				P99      float64  `json:"p99_ms"`
				Clients  int
			}
			d := json.NewDecoder(strings.NewReader(line))
			d.DisallowUnknownFields()
			if err := d.Decode(&got); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if got.What != kind || got.Clients != 4 || got.Ours <= 0 || got.Baseline == "" || got.Rate <= 0 || got.Ratio <= 0 || got.P50 <= 0 || got.P99 < got.P50 {
				t.Error(line)
			}
			if (got.Pgbench != nil) != (kind == "check") || got.Pgbench != nil && *got.Pgbench <= 0 {
				t.Errorf("pgbench: %s", line)
			}
			if !strings.Contains(table.String(), "ratio") || !strings.Contains(table.String(), got.Baseline) {
				t.Error(table.String())
			}
		})
	}
}

func TestASideThatFailsFailsTheMeasurement(t *testing.T) {
	wrong := errors.New("wrong")
	fine := func(context.Context, int) error { time.Sleep(time.Millisecond); return nil }
	calls := 0
	late := func(context.Context, int) error {
		time.Sleep(time.Millisecond)
		if calls++; calls > 20 {
			return wrong
		}
		return nil
	}
	o := options()
	o.Clients = 1
	for name, sides := range map[string][2]side{
		"ours": {{"ours", late}, {"baseline", fine}}, "baseline": {{"ours", fine}, {"baseline", late}},
	} {
		calls = 0
		_, _, err := compare(t.Context(), o, meter{}, sides[0], sides[1], nil)
		if !errors.Is(err, wrong) || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := compare(t.Context(), o, meter{}, side{"ours", fine}, side{"baseline", fine}, func(context.Context) error { return wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
}

func TestStoppedItSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, kind := range Kinds {
		if _, err := Run(ctx, kind, options()); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestWhatCannotBeMeasuredIsRefused(t *testing.T) {
	for what, change := range map[string]func(*Options){
		"drinking": func(*Options) {}, "issue": func(o *Options) { o.For = 0 }, "check": func(o *Options) { o.Clients = -1 },
	} {
		o := options()
		change(&o)
		if _, err := Run(t.Context(), what, o); err == nil {
			t.Errorf("%s was measured", what)
		}
	}
}

func TestTheSidesTakeTurns(t *testing.T) {
	var order []string
	note := func(name string) func(context.Context, int) error {
		return func(context.Context, int) error {
			order = append(order, name)
			time.Sleep(time.Millisecond)
			return nil
		}
	}
	o := options()
	o.Clients = 1
	a, b, err := compare(t.Context(), o, meter{}, side{"ours", note("ours")}, side{"baseline", note("baseline")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	order = slices.Compact(order)
	if want := []string{"ours", "baseline", "ours", "baseline", "ours", "baseline"}; !slices.Equal(order, want) {
		t.Error(order)
	}
	for _, s := range []total{a, b} {
		if s.done != len(s.latencies) || s.done == 0 || s.took < o.For*9/10 {
			t.Errorf("%d done in %s, %d latencies", s.done, s.took, len(s.latencies))
		}
	}
}

func TestArgumentsByPlace(t *testing.T) {
	s := placed("SELECT @b, @a::text, @b")
	if s.sql != "SELECT $1, $2::text, $1" || !slices.Equal(s.order, []string{"b", "a"}) {
		t.Error(s)
	}
	if got := s.args(map[string]any{"a": 1, "b": 2}); !slices.Equal(got, []any{2, 1}) {
		t.Error(got)
	}
}
