// Package all lists the kinds of documents. A new kind is a new folder under templates and a line here.
package all

import (
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/templates/contract"
	"github.com/tesdiq/tesdiq/templates/examination"
)

// Kinds are all kinds, in the order in which people are offered them.
var Kinds = []templates.Kind{examination.Kind, contract.Kind}

// Lookup finds a kind by its name.
func Lookup(name string) (templates.Kind, bool) {
	for _, k := range Kinds {
		if k.Name == name {
			return k, true
		}
	}
	return templates.Kind{}, false
}
