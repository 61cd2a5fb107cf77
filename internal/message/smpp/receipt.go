package smpp

import "strings"

// Event is what a receipt says became of a message.
type Event string

// The ends that a receipt can tell.
const (
	Delivered Event = "delivered"
	Failed    Event = "failed"
	Expired   Event = "expired"
)

// Receipt is what a centre says of a message that it took (5.2.12, 5.3.2.35, appendix B).
type Receipt struct {
	ID        string // the centre's own
	To        string // whom the message was for: "+994…", as far as the centre writes it so
	Reference int    // ours, where the centre says it again; else -1
	Event     Event  // empty: it is still on its way, or the centre does not know
	Reason    string // the centre's code of an error, or its word for the state
}

var byState = map[int]Event{2: Delivered, 3: Expired, 4: Failed, 5: Failed, 8: Failed}

var byWord = map[string]Event{"DELIVRD": Delivered, "EXPIRED": Expired, "DELETED": Failed, "UNDELIV": Failed, "REJECTD": Failed}

// receiptOf reads a deliver_sm; ok is false for one that is no receipt: somebody's answer to us.
func receiptOf(m Message) (r Receipt, ok bool) {
	if m.ESMClass&esmType != esmReceipt {
		return r, false
	}
	r = Receipt{ID: m.ReceiptID, To: m.From.Number, Reference: m.Reference}
	if m.From.TON == tonInternational || len(r.To) == 12 && strings.HasPrefix(r.To, "994") {
		r.To = "+" + strings.TrimPrefix(r.To, "+")
	}
	said := receiptWords(m.Text)
	if r.ID == "" {
		r.ID = said["id"]
	}
	r.Event = byWord[strings.ToUpper(said["stat"])]
	if m.ReceiptState >= 0 {
		r.Event = byState[m.ReceiptState]
	}
	r.Reason = said["stat"]
	if e := strings.TrimLeft(said["err"], "0"); e != "" {
		r.Reason += " " + said["err"]
	}
	if len(r.ID) > 65 {
		return r, false
	}
	if r.Reason = printable(r.Reason); len(r.Reason) > 40 {
		r.Reason = r.Reason[:40]
	}
	return r, true
}

// receiptWords reads "id:IIIIIIIIII sub:SSS dlvrd:DDD submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DDDDDDD err:E text:…".
// What stands after text: is the message's own, so nothing is read there.
func receiptWords(text []byte) map[string]string {
	said := map[string]string{}
	before, _, _ := strings.Cut(string(text), " text:")
	if b, _, ok := strings.Cut(string(text), " Text:"); ok && len(b) < len(before) {
		before = b
	}
	for _, word := range strings.Fields(before) {
		name, value, ok := strings.Cut(word, ":")
		if name = strings.ToLower(name); ok && said[name] == "" {
			said[name] = printable(value)
		}
	}
	return said
}

// printable is s without what does not belong in a log or a column.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}
