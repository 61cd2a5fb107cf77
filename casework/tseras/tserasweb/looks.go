package tserasweb

import (
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

// lookLine is what the members of one office looked at on one day: when first and last, and how often.
type lookLine struct {
	Office      string
	Purpose     string // an inspector's, as a key; empty for members
	First, Last time.Time
	Times       int
}

// looksOf groups looks, of which a member makes one with each step on his pages, by day, office and purpose: the newest day first.
func looksOf(all []tseras.Look) (lines []lookLine) {
	type place struct {
		office, purpose string
		day             tesdiq.Date
	}
	at := map[place]int{}
	for _, x := range all {
		p := place{x.Office, x.Purpose, tesdiq.DateOf(x.At)}
		i, there := at[p]
		if !there {
			i, at[p] = len(lines), len(lines)
			lines = append(lines, lookLine{Office: x.Office, Purpose: x.Purpose, First: x.At, Last: x.At})
			if x.Purpose != "" {
				lines[i].Purpose = "inspection.purpose." + x.Purpose
			}
		}
		l := &lines[i]
		l.Times++
		if x.At.Before(l.First) {
			l.First = x.At
		}
		if x.At.After(l.Last) {
			l.Last = x.At
		}
	}
	return lines
}
