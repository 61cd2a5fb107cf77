package assessing

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/tsp"
)

// pause is how long a loop rests between two looks for work.
const pause = 2 * time.Second

// drawEvery is how long a round of the draw stays open where the configuration says nothing. ASSUMPTION.
const drawEvery = time.Hour

// FromConfig is what the configuration says; nil where it has no [gateway]: then no assessments are offered.
func FromConfig(h service.Host, c service.Config) (*Settings, error) {
	g := c.Gateway
	if !g.Given() {
		return nil, nil //nolint:nilnil // nothing is offered
	}
	s := &Settings{TrustFile: g.Trust, DrawEvery: c.Draws.Every, Pause: pause}
	if s.DrawEvery == 0 {
		s.DrawEvery = drawEvery
	}
	var err error
	files := gateway.Files{Member: gateway.MemberID(g.Member), Key: g.Key, Certificate: g.Certificate, Trust: g.Trust, Services: g.Services}
	if s.Gateway, err = files.Read(h.Rand); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	if s.DrawKey, err = ReadDrawKey(c.Draws.Key); err != nil {
		return nil, err
	}
	if g.TimeStamps != "" {
		s.Stamps, err = Stamps(h, s.Gateway.Trust, g.TimeStamps)
	}
	return s, err
}

// ReadDrawKey reads the secret of the draws: a file of at least 32 random bytes.
func ReadDrawKey(path string) (tseras.DrawKey, error) {
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("draws.key: %w", err)
	}
	if len(b) < tseras.MinDrawKey {
		return nil, errors.New("draws.key: the file has fewer than 32 bytes")
	}
	return b, nil
}

// Stamps asks the authority at an address for time stamps, and believes the roots of the instance's trust file alone.
func Stamps(h service.Host, trust *gateway.Trust, url string) (gateway.TimeStamper, error) {
	roots, err := keys.ParseRoots([]byte(trust.TimeStamps))
	if err != nil {
		return nil, fmt.Errorf("gateway.time_stamps: the trust file names no authority: %w", err)
	}
	return tsp.Client{Ask: gateway.Authority(url, &http.Transport{TLSHandshakeTimeout: 5 * time.Second}), Roots: roots, Now: h.Now, Rand: h.Rand}, nil
}
