package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/web/democlock"
)

// clockFile keeps how far a demonstration's clock is ahead: what was written by it must not lie in the future at the next start.
const clockFile = "clock.json"

type clockNotes struct {
	AheadSeconds int64 `json:"ahead_seconds"`
}

// demoClock is the clock of a folder's demonstration. It can be put forward for as long as the keys sign.
func demoClock(dir string, set *signer.Set) (*democlock.Clock, error) {
	path := filepath.Join(dir, clockFile)
	c := &democlock.Clock{Real: time.Now, End: tesdiq.DateOf(set.Signer.NotAfter).AddDays(-1)}
	c.Keep = func(ahead time.Duration) error {
		b, err := json.Marshal(clockNotes{int64(ahead / time.Second)})
		if err != nil {
			return err
		}
		return writeWhole(path, append(b, '\n'))
	}
	var notes clockNotes
	switch b, err := os.ReadFile(path); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(b, &notes); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	c.Start(time.Duration(notes.AheadSeconds) * time.Second)
	return c, nil
}
