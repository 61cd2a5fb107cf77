// Package person is the entry of the book of persons: as much of a person as an excerpt needs.
package person

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
)

// Person is what one version of an entry says.
type Person struct {
	FIN      tesdiq.FIN            `json:"fin" db:"fin"`
	Name     tesdiq.Name           `json:"name" db:"-"`
	Sex      tesdiq.Sex            `json:"sex" db:"sex"`
	Born     tesdiq.Date           `json:"born" db:"born"`
	Document tesdiq.DocumentNumber `json:"document" db:"document"`
}

// Entry is a person as entered.
type Entry struct {
	registry.Head
	Person
}
