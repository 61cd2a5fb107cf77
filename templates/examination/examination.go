// Package examination is the kind “Əlilliyin müəyyən edilməsi barədə çıxarış”: what the register of disability
// examinations says of one examination, without a diagnosis.
package examination

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/templates/examination/v1"
)

// Kind is this kind of document.
var Kind = templates.Kind{
	Name:     "examination",
	Book:     registry.Examinations,
	Current:  1,
	Versions: map[int]templates.Version{1: {State: v1.State, Title: v1.Title}},
	Until: func(entry registry.Body) tesdiq.Date {
		e, ok := entry.(examination.Examination)
		if !ok {
			return tesdiq.Date{}
		}
		return e.Until
	},
}
