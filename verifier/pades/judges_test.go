package pades_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/keys/signer"
)

// What these tests make and judge, `make interop` lays before judges that others wrote, too: with TESDIQ_JUDGED each file is kept in that
// folder as test/judges/table.py wants it. All of them are then of one authority, and are to be judged as of one moment.
var judged struct {
	mu    sync.Mutex
	files map[string][]judgedFile // by "benign" and "attacks"
	names map[string]bool
}

type judgedFile struct {
	File   string `json:"file"`
	Attack string `json:"attack"`
	Sum    string `json:"sha256"`
	Judged string `json:"judged"`
}

var judgedDir = os.Getenv("TESDIQ_JUDGED")

// judgedAt is after all that the tests stamp, and before any certificate of the authority ends.
var judgedAt = now.Add(3 * time.Hour)

// newSet makes an authority: always the same one where files are kept.
func newSet() (*signer.Set, error) {
	if judgedDir == "" {
		return signer.NewThrowaway(rand.Reader, now)
	}
	set, err := oneSet()
	if err != nil {
		return nil, err
	}
	own := *set
	return &own, nil
}

var oneSet = sync.OnceValues(func() (*signer.Set, error) { return signer.NewThrowaway(rand.Reader, now) })

var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// judge keeps a file for the other judges: a benign one (good), of which the bytes are judged, or one that must not pass. It has the test's
// name, and what tells it from others of the same test.
func judge(t *testing.T, w *world, file []byte, good bool, more ...string) {
	t.Helper()
	if judgedDir == "" || len(file) > 1<<20 { // size alone is no question for others
		return
	}
	judged.mu.Lock()
	defer judged.mu.Unlock()
	kind, by := "attacks", "trust"
	if good {
		kind, by = "benign", "integrity"
	}
	if judged.files == nil {
		judged.files, judged.names = map[string][]judgedFile{}, map[string]bool{}
		for name, content := range map[string][]byte{"roots.pem": w.roots.PEM(), "at": []byte(judgedAt.Format(time.RFC3339))} {
			if err := os.WriteFile(filepath.Join(judgedDir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	name := strings.ToLower(strings.Trim(notInNames.ReplaceAllString(strings.TrimPrefix(t.Name(), "Test")+" "+strings.Join(more, " "), "-"), "-"))
	if judged.names[name] {
		t.Fatalf("two files are named %s", name)
	}
	judged.names[name] = true
	sum := sha256.Sum256(file)
	judged.files[kind] = append(judged.files[kind], judgedFile{name + ".pdf", name, hex.EncodeToString(sum[:]), by})
	manifest, err := json.Marshal(judged.files[kind])
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(judgedDir, kind)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{name + ".pdf": file, "manifest.json": manifest} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
