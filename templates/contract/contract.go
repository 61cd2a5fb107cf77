// Package contract is the kind “İş yerinə dair arayış”: what the register of employment contracts says of one contract.
// The salary stands there only when the person ticked it.
package contract

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/templates/contract/v1"
)

// Kind is this kind of document.
var Kind = templates.Kind{
	Name:     "contract",
	Book:     registry.Contracts,
	Salary:   true,
	Current:  1,
	Versions: map[int]templates.Version{1: {State: v1.State, Title: v1.Title}},
	Until: func(entry registry.Body) tesdiq.Date {
		c, ok := entry.(contract.Contract)
		// That a contract has ended stays so.
		if !ok || c.State == contract.Terminated {
			return tesdiq.Date{}
		}
		return c.Until
	},
}
