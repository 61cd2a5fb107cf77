package pades

import "errors"

// history is what happened to a file from its first seal on.
type history struct {
	integrity Integrity
	bad       *failure // why it is neither Intact nor Extended
	why       error    // the same for us, in words
	seals     []*seal  // in the order of their revisions
}

func (h *history) fail(integrity Integrity, bad failure, why error) *history {
	h.integrity, h.bad, h.why = integrity, &bad, why
	return h
}

var (
	badStructure = failure{Failed, FormatFailure, ReasonStructure}
	wasAppended  = failure{Failed, FormatFailure, ReasonAppended}
)

// judge reads every seal and every step after the first one.
func (d *document) judge() *history {
	h := &history{integrity: Intact}
	first, found := 0, []sealField(nil)
	for first < len(d.revisions) {
		if found = d.seals(first); len(found) > 0 || d.bad != nil {
			break
		}
		first++
	}
	switch {
	case d.bad != nil:
		return h.fail(Broken, badStructure, d.bad)
	case len(found) == 0 && signs(d.src):
		return h.fail(Broken, badStructure, errors.New("a signature in no field"))
	case len(found) == 0:
		return h.fail(Unsigned, failure{Failed, FormatFailure, ReasonUnsigned}, nil)
	}
	for rev := first; rev < len(d.revisions); rev++ {
		var x *delta
		if rev > first {
			x = d.compare(rev)
			switch {
			case d.bad != nil:
				return h.fail(Broken, badStructure, d.bad)
			case x.denied != nil:
				return h.fail(Altered, wasAppended, x.denied)
			}
			found = x.signed
		}
		if len(found) > 1 { // each would have to cover the other
			return h.fail(Broken, badStructure, errors.New("two signatures in one revision"))
		}
		for _, f := range found {
			s, bad := d.readSeal(f, rev)
			if bad == nil {
				if d.hashed -= s.end; d.hashed < 0 {
					d.fail(errLimit)
				} else {
					bad = s.check(d.src)
				}
			}
			if d.bad != nil {
				return h.fail(Broken, badStructure, d.bad)
			}
			if bad != nil {
				integrity := Broken
				if bad.sub == HashFailure || bad.reason == ReasonAppended {
					integrity = Altered
				}
				return h.fail(integrity, *bad, errors.New("signature "+f.name))
			}
			h.seals = append(h.seals, s)
		}
		if x != nil {
			if err := h.permit(x); err != nil {
				return h.fail(Altered, wasAppended, err)
			}
		}
	}
	if d.bad != nil {
		return h.fail(Broken, badStructure, d.bad)
	}
	return h
}

// permit says whether the seals before a step allow what it does. Validation data and document time stamps are always allowed (ISO 32000-2,
// 12.8.2.2); fields and signatures unless DocMDP says 1, which is taken for 2 where nothing is said; notes if it says 3.
func (h *history) permit(x *delta) error {
	filled := map[string]bool{}
	for _, name := range x.filled {
		filled[name] = true
	}
	form, before := false, h.seals
	if n := len(h.seals); n > 0 && h.seals[n-1].rev == x.new {
		last := h.seals[n-1]
		before = before[:n-1]
		if w := x.widgets[last.number]; last.kind == tokenKind && (w == nil || !w.visible) {
			delete(filled, last.name)
		} else {
			form = true
		}
	}
	form = form || len(filled) > 0 || (x.grown || x.styled) && len(x.signed) == 0
	allows := 0
	for _, s := range before {
		if s.allows != 0 && (allows == 0 || s.allows < allows) {
			allows = s.allows
		}
		for name := range filled {
			for _, l := range s.locks {
				if l.holds(name) {
					return errors.New("a locked field was filled")
				}
			}
		}
	}
	if x.recertified && allows != 0 {
		return errors.New("a certification was replaced")
	}
	if form && allows == 1 || x.marked && allows != 3 {
		return errors.New("more was added than the signature allows")
	}
	if form || x.marked {
		h.integrity = Extended
	}
	return nil
}
