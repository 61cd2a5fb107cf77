package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras"
)

// drawsCommands recompute draws by lot.
type drawsCommands struct {
	Verify drawsVerify `cmd:"" help:"Recompute rounds of draws from what is public of them (/draws): what is right, sealed or wrong."`
}

type drawsVerify struct {
	Files []string `arg:"" optional:"" name:"file" help:"Files of rounds, as /draws/NUMBER.json gives them." placeholder:"FILE"`
	URL   []string `name:"url" help:"Read a round from this address, and call no other." placeholder:"ADDRESS"`
}

// maxRound is how many bytes a round may have: far more than one of 200 drawings has.
const maxRound = 64 << 20

// errDraws is what the command ends with when something is wrong, after it has said what.
var errDraws = errors.New("not all draws are right")

// Run recomputes rounds.
func (c drawsVerify) Run(ctx context.Context) error {
	if len(c.Files)+len(c.URL) == 0 {
		return misuse("name a file, or an address with -url")
	}
	wrong := false
	judge := func(name string, r io.Reader) error {
		b, err := io.ReadAll(io.LimitReader(r, maxRound))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		says, right := judgeRound(b)
		fmt.Printf("%s: %s\n", printable(name), printable(says))
		wrong = wrong || !right
		return nil
	}
	for _, name := range c.Files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = judge(name, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	// A redirect would be a call to another address than the one named.
	client := http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, address := range c.URL {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return misuse(err.Error())
		}
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			resp.Body.Close()
			return fmt.Errorf("%s answered %q", address, resp.Status)
		}
		err = judge(address, resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
	}
	if wrong {
		return errDraws
	}
	return nil
}

// judgeRound recomputes a round and says what came out.
func judgeRound(b []byte) (says string, right bool) {
	var r tseras.Round
	if err := json.Unmarshal(b, &r); err != nil || r.Number <= 0 || len(r.Commitment) == 0 {
		return "WRONG: this is no round of draws", false
	}
	opened, err := r.Verify()
	switch {
	case err != nil:
		return fmt.Sprintf("WRONG: %v (%d right before that)", err, opened), false
	case r.Seed == nil:
		return fmt.Sprintf("round %d is committed to since %s, by its ledger line, and not drawn yet", r.Number, r.Committed), true
	}
	return fmt.Sprintf("round %d: right. The seed is the one that was committed to at %s, by its ledger line; of %d drawings %d are open and right, %d still sealed.",
		r.Number, r.Committed, len(r.Drawings), opened, len(r.Drawings)-opened), true
}
