package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/keys/signer"
)

// What somebody else does to keep a file provable changes nothing of it: it has its excerpt's verdict, also where our own archive was cut
// off. Nor does that raise an alarm.
func TestFilesThatOthersArchived(t *testing.T) {
	w := open(t, 0)
	e := w.drawn(w.as("nermin", ""), "examination")
	token := w.apiToken()
	issued := e.bytes

	// They have their own time stamps, and of our chains what anybody gets from /pki.
	stranger, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	own, err := w.app.Keys.Roots()
	if err != nil {
		t.Fatal(err)
	}
	roots, err := own.WithTimeStamps(stranger.Root)
	if err != nil {
		t.Fatal(err)
	}
	clock := stranger.Authority(rand.Reader)
	archivist, err := w.app.Keys.Archivist(rand.Reader, w.app.Keys.Status(rand.Reader, signer.NothingRevoked{}))
	if err != nil {
		t.Fatal(err)
	}
	err = archivist.StampedBy(&signer.Remote{
		Ask:   func(_ context.Context, request []byte) ([]byte, error) { return clock.Reply(request, time.Now()) },
		Roots: roots, Now: time.Now, Rand: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	archive := func(pdf []byte) []byte {
		t.Helper()
		out, _, err := archivist.Renew(t.Context(), pdf, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	// Each update ends with a line of its own; what is inside a page or an archive never looks like one.
	ends := bytes.Count(issued, []byte("\n%%EOF\n"))
	if ends != 4 {
		t.Fatalf("%d revisions", ends)
	}
	signed := issued
	for range 2 {
		signed = signed[:bytes.LastIndex(signed[:len(signed)-1], []byte("\n%%EOF\n"))+len("\n%%EOF\n")]
	}
	theirs := archive(signed)
	for _, tt := range []struct {
		name            string
		pdf             []byte
		verdict, reason string
	}{
		{"archived once more", archive(issued), "valid", "valid.archived"},
		{"our archive cut off", signed, "valid", "valid.file"},
		{"their archive instead of ours", theirs, "valid", "valid.archived"},
		{"and again", archive(theirs), "valid", "valid.archived"},
		{"half of it", issued[:len(signed)/2], "unknown", "unknown.incomplete"},
		{"all but the end of its archive", issued[:len(issued)-4000], "unknown", "unknown.incomplete"},
		{"their archive, and something more", append(bytes.Clone(theirs), "1 0 obj\nnull\nendobj\n%%EOF\n"...), "altered", "altered.continued"},
	} {
		if verdict, reason := w.apiFile(token, tt.pdf); verdict != tt.verdict || reason != tt.reason {
			t.Errorf("%s: %s because of %s", tt.name, verdict, reason)
		}
	}
	if n := strings.Count(w.log.String(), "ALARM"); n != 0 {
		t.Errorf("%d alarms", n)
	}
}
