package registry

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Look is somebody's reading of a person's entries in the course of office. The person sees that it happened.
type Look struct {
	ID      int64      `json:"id" db:"id"`
	Subject tesdiq.FIN `json:"subject" db:"subject"`
	Office  string     `json:"office" db:"office"`   // the body, as the person is told
	By      string     `json:"by" db:"by"`           // its officer, as only the body is told
	Purpose string     `json:"purpose" db:"purpose"` // in a few words, as the person is told
	At      time.Time  `json:"at" db:"at"`
}

// MaxPurpose is how many letters the purpose of a look may have.
const MaxPurpose = 200

// Validate lists what is wrong with a look, by the fields subject, office, by, purpose.
func (l Look) Validate() (ps tesdiq.Problems) {
	if fin, err := tesdiq.ParseFIN(string(l.Subject)); err != nil || fin != l.Subject {
		ps.Add("subject", tesdiq.Invalid("fin.malformed"))
	}
	ps.Add("office", tesdiq.CheckText(l.Office, MaxBy, true))
	ps.Add("by", tesdiq.CheckText(l.By, MaxBy, true))
	ps.Add("purpose", tesdiq.CheckText(l.Purpose, MaxPurpose, true))
	return ps
}

// Content is the canonical bytes of a look, to which its ledger line commits.
func (l Look) Content() ([]byte, error) {
	l.At = l.At.UTC().Truncate(time.Microsecond)
	content, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("registry: content of look %d: %w", l.ID, err)
	}
	return content, nil
}
