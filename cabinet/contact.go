package cabinet

import (
	"time"

	"github.com/tesdiq/tesdiq"
)

// Contact is an address that somebody gave: a mobile telephone or an e-mail address.
type Contact struct {
	ID        int64          `db:"id"`
	Channel   tesdiq.Channel `db:"channel"`
	Address   string         `db:"address"`
	Lang      tesdiq.Lang    `db:"lang"`
	Confirmed bool           `db:"confirmed"`
	Guesses   int            `db:"guesses"` // codes typed, right or wrong
	Codes     int            `db:"codes"`   // asked for
}

// Masked is the address as it may be shown.
func (c Contact) Masked() string { return Masked(c.Channel, c.Address) }

// Masked is an address of a channel as it may be shown.
func Masked(channel tesdiq.Channel, address string) string {
	switch {
	case address == "":
		return ""
	case channel == tesdiq.SMS:
		return tesdiq.Phone(address).Masked()
	}
	return tesdiq.Email(address).Masked()
}

// Choice is by what somebody wants messages besides the cabinet, from a moment on.
type Choice struct {
	Channel tesdiq.Channel `db:"channel"`
	Address string         `db:"address"` // empty: the cabinet only
	Lang    tesdiq.Lang    `db:"lang"`
	At      time.Time      `db:"chosen_at"`
}

// Masked is the choice's address as it may be shown.
func (c Choice) Masked() string { return Masked(c.Channel, c.Address) }

// Limits of confirming an address. The table allows no more guesses and codes than these either.
const (
	MaxGuesses      = 5
	MaxCodes        = 5 // for one address that was given
	MaxCodesPerson  = 6 // asked for by one person in 24 hours
	MaxCodesAddress = 6 // for one address in 24 hours, whoever asks: nobody buries another's telephone in codes
)

// Out is what became of a message that went out.
type Out struct {
	Channel tesdiq.Channel
	Address string
	State   string // waiting, sent, delivered, failed, expired, unsure or none
	At      time.Time
}

// Masked is the address as it may be shown.
func (o Out) Masked() string { return Masked(o.Channel, o.Address) }
