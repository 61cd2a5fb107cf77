package tserasweb

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/web"
)

// left says in words how many working days a clock has left, or by how many it is over; empty where it has no last day.
func left(shell *web.Shell, lang tesdiq.Lang, cal *tesdiq.Calendar, c casework.Clock, today tesdiq.Date) (string, error) {
	if c.DueBy.IsZero() {
		return "", nil
	}
	n, err := cal.Left(today, c.DueBy)
	switch {
	case err != nil:
		return "", err
	case n > 0:
		return shell.TN(lang, "clocks.left", n), nil
	case n < 0:
		return shell.TN(lang, "clocks.over", -n), nil
	case today.After(c.DueBy):
		return shell.T(lang, "clocks.ended"), nil
	}
	return shell.T(lang, "clocks.today"), nil
}
