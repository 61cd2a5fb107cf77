package issuing

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
)

func TestLimitsAreTheConfigurationsOrTheDefaults(t *testing.T) {
	var c service.Config
	c.Keys.Limits = map[string]service.Limit{keys.RoleDocumentSigner: {PerDay: 450_000}, keys.RoleStampSigner: {PerSecond: 10}}
	limits, err := Limits(c)
	if err != nil {
		t.Fatal(err)
	}
	for role, want := range map[string]signer.Limit{
		keys.RoleDocumentSigner: {PerSecond: 300, Burst: 900, PerDay: 450_000},
		keys.RoleStampSigner:    {PerSecond: 10, Burst: 30, PerDay: 200_000},
		keys.RoleResponder:      DefaultLimits[keys.RoleResponder],
	} {
		if limits[role] != want {
			t.Errorf("%s: %+v", role, limits[role])
		}
	}
	for role, l := range map[string]service.Limit{"document": {PerDay: 1}, keys.RoleResponder: {PerDay: -1}} {
		c.Keys.Limits = map[string]service.Limit{role: l}
		if _, err := Limits(c); err == nil || !strings.Contains(err.Error(), "keys.limits."+role) {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// A key that is called for nothing, and calls that nobody wrote down: each an alarm, in the log and for whoever watches.
func TestTheWatchRaisesTheAlarm(t *testing.T) {
	set, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h := service.Host{Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(&log, nil)), Metrics: service.NewMetrics()}
	w, guarded, err := NewWatch(h, &postgres.Pools{Issuer: pgtest.Open(t).Pool(postgres.Issuer)}, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(nil)
	for range 3 {
		if _, err := guarded.SignerKey.Sign(rand.Reader, digest[:], crypto.SHA256); !errors.Is(err, signer.ErrNoIntent) {
			t.Error(err)
		}
	}
	if n := alarms(t, h); n != 3 || strings.Count(log.String(), "ALARM: a signature was refused") != 1 {
		t.Errorf("%g refusals: %s", n, &log)
	}
	// A permit for an attempt that is in no database: as if somebody had removed it.
	ctx := w.guard.Permit(t.Context(), "excerpt", "E-2026-0000001/1", map[string]int{keys.RoleStampSigner: 2})
	if _, err := guarded.Authority(rand.Reader).Stamp(ctx, digest[:], time.Now()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what is known is not said again
		if err := w.Compare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := alarms(t, h) - 3; n != 1 || strings.Count(log.String(), "more often than is written down") != 1 {
		t.Errorf("%g too many: %s", n, &log)
	}
}

// alarms is how many there were, of whatever sort.
func alarms(t *testing.T, h service.Host) (n float64) {
	t.Helper()
	families, err := h.Metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "tesdiq_key_alarms_total" {
			for _, m := range f.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}
