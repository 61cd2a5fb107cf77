// Package organisation knows who acts for whom: banks, employers and offices, their members with their roles, and their
// programs. It decides nothing about excerpts and checks.
package organisation

import (
	"crypto/sha256"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Sort is what an organisation is.
type Sort string

// The sorts.
const (
	Bank     Sort = "bank"
	Employer Sort = "employer"
	Office   Sort = "office"  // of the state
	Medical  Sort = "medical" // refers people to an assessment
)

// Sorts are all of them.
var Sorts = []Sort{Bank, Employer, Office, Medical}

// Duty is what an organisation does beside checking excerpts; its members do it while they act for it.
type Duty string

// The duties.
const (
	Filing         Duty = "filing"         // its clerks apply for people who are present: a post office
	CallCentre     Duty = "call_centre"    // its operators answer calls
	Inspection     Duty = "inspection"     // its inspectors see clocks, draws and statistics, and no name without a case
	Rehabilitation Duty = "rehabilitation" // its specialists make rehabilitation programmes
)

// Duties are all of them.
var Duties = []Duty{Filing, CallCentre, Inspection, Rehabilitation}

// Charge is an organisation's duty, since when and until when.
type Charge struct {
	ID           int64      `db:"id"`
	Organisation int64      `db:"organisation_id"`
	Duty         Duty       `db:"duty"`
	Added        time.Time  `db:"added_at"`
	Ended        *time.Time `db:"ended_at"` // nil while current
}

// Role is what a member may do: a clerk sees what he checked himself, a manager what all of the organisation did.
type Role string

// The roles.
const (
	Clerk   Role = "clerk"
	Manager Role = "manager"
)

// Organisation is a relying party.
type Organisation struct {
	ID     int64       `db:"id"`
	VOEN   tesdiq.VOEN `db:"voen"`
	Name   string      `db:"name"`
	Sort   Sort        `db:"sort"`
	Added  time.Time   `db:"added_at"`
	Closed *time.Time  `db:"closed_at"` // nil while open; for good: nobody acts for a closed one
}

// Member is a person who acts for an organisation.
type Member struct {
	ID           int64      `db:"id"`
	Organisation int64      `db:"organisation_id"`
	FIN          tesdiq.FIN `db:"fin"`
	Name         string     `db:"name"` // as colleagues call him: "Aysel Həsənova"
	Role         Role       `db:"role"`
	Added        time.Time  `db:"added_at"`
	Ended        *time.Time `db:"ended_at"` // nil while current
}

// Client is a program of an organisation.
type Client struct {
	ID           string     `db:"id"`
	Organisation int64      `db:"organisation_id"`
	Name         string     `db:"name"`
	Added        time.Time  `db:"added_at"`
	Ended        *time.Time `db:"ended_at"` // nil while current
}

// Limits of names, in letters.
const (
	MaxName       = 200
	MaxClientName = 60
)

// Validate lists what is wrong with an organisation, by the fields voen, name, sort.
func (o Organisation) Validate() (ps tesdiq.Problems) {
	if v, err := tesdiq.ParseVOEN(string(o.VOEN)); err != nil || v != o.VOEN {
		ps.Add("voen", tesdiq.Invalid("voen.malformed"))
	}
	ps.Add("name", tesdiq.CheckText(o.Name, MaxName, true))
	if !slices.Contains(Sorts, o.Sort) {
		ps.Add("sort", tesdiq.Invalid("organisation.sort"))
	}
	return ps
}

// Validate lists what is wrong with a member, by the fields fin, name, role.
func (m Member) Validate() (ps tesdiq.Problems) {
	if fin, err := tesdiq.ParseFIN(string(m.FIN)); err != nil || fin != m.FIN {
		ps.Add("fin", tesdiq.Invalid("fin.malformed"))
	}
	if given, surname, two := strings.Cut(m.Name, " "); !two {
		ps.Add("name", tesdiq.Invalid("organisation.member_name"))
	} else if _, err := tesdiq.ParseName(surname, given, ""); err != nil {
		ps.Add("name", tesdiq.Invalid("name.malformed"))
	}
	if m.Role != Clerk && m.Role != Manager {
		ps.Add("role", tesdiq.Invalid("organisation.role"))
	}
	return ps
}

// Validate lists what is wrong with a program, by the field name.
func (c Client) Validate() (ps tesdiq.Problems) {
	ps.Add("name", tesdiq.CheckText(c.Name, MaxClientName, true))
	return ps
}

// Validate lists what is wrong with a duty, by the field duty.
func (c Charge) Validate() (ps tesdiq.Problems) {
	if !slices.Contains(Duties, c.Duty) {
		ps.Add("duty", tesdiq.Invalid("organisation.duty"))
	}
	return ps
}

// Secret is what a program shows to be let in. It is shown once, and kept only as its hash.
type Secret string

// secretLength is in characters of five random bits each: 160 bits.
const secretLength = 32

// NewSecret draws a secret.
func NewSecret(random io.Reader) (Secret, error) {
	s, err := tesdiq.RandomText(random, secretLength)
	return Secret(s), err
}

// Hash is what is stored: the SHA-256 of the secret's text. A slow hash would gain nothing: nobody guesses 160 bits.
func (s Secret) Hash() []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

// LogValue keeps the secret out of the logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }
