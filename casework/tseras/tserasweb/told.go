package tserasweb

import (
	"context"
	"errors"
	"slices"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
)

// Said is a decision in words, as the message of it shows it.
type Said struct {
	Text       []string // the result, and until which day it can be appealed
	Titles     [2]string
	Lists      [2][]string // why; what would change it
	Path, Word string      // to the form of an appeal; empty where there is none any more
}

// decidedMessages are the messages that tell of a decision.
var decidedMessages = []string{"tseras.message.decided", "tseras-appeal.message.confirmed", "tseras-appeal.message.replaced"}

// Said says the decision that a message of a person's tells of, from its package, when the message is read; false where it tells of none. So what a
// decision says of somebody's health stands nowhere but in the decision (docs/adr/0033).
func (h *Person) Said(ctx context.Context, fin tesdiq.FIN, lang tesdiq.Lang, key, number string) (said Said, ok bool, err error) {
	if !slices.Contains(decidedMessages, key) {
		return said, false, nil
	}
	s, err := h.Desk.Show(ctx, fin, number)
	if errors.Is(err, casework.ErrMissing) {
		return said, false, nil
	}
	if err != nil || s.Package == nil {
		return said, false, err
	}
	d, err := h.decision(lang, s)
	if err != nil {
		return said, false, err
	}
	said.Text = []string{d.Result + "."}
	if right := h.rightOf(lang, s); right != nil {
		said.Text = append(said.Text, right.Text)
		if right.Asks {
			said.Path, said.Word = right.Path, h.Shell.T(lang, right.Word)
		}
	}
	said.Titles = [2]string{h.Shell.T(lang, "tseras-person.reasons"), h.Shell.T(lang, "tseras-person.changes")}
	for _, r := range d.Reasons {
		if r.Act != "" {
			r.Text += " · " + r.Act
		}
		said.Lists[0] = append(said.Lists[0], r.Text)
	}
	said.Lists[1] = d.Changes
	return said, true, nil
}
