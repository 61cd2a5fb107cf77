package pades

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

// trust says whose an intact file is and when it was signed, by pinned roots. The signer must have been valid when the signature was
// stamped, each time stamp's signer when the next one was made, the last one now (EN 319 102-1, 5.6). A time stamp of others is passed over: it
// proves nothing to us and harms nothing.
type trust struct {
	d     *document
	h     *history
	roots *keys.Roots
	now   time.Time // zero: as of the file's last time stamp
	store evidence

	before *shown // what the page showed before it was signed; nil: nobody looked
}

func (t *trust) report() Report {
	if t.h.integrity == Extended {
		return failure{Indeterminate, SigConstraintsFailure, ReasonExtended}.report(Extended)
	}
	var main *seal
	for _, s := range t.h.seals {
		if s.kind != tokenKind {
			main = s
		}
	}
	if main == nil {
		return failure{Indeterminate, NoSigningCertificateFound, ReasonOnlyTime}.report(Intact)
	}
	cms := main.cms
	t.store = t.d.evidence(cms)
	until, archived := t.renewals(main)
	when, dated, noTime := t.signedAt(main, until)
	at := when
	if noTime != nil {
		at = cms.signer.NotBefore // to tell a stranger from one of ours without a time stamp
	}
	chain, err := t.roots.Chain(keys.DocumentSigning, cms.signer, cms.path(t.store.certificates), at)
	outOfTime := errors.Is(err, keys.ErrExpired) || errors.Is(err, keys.ErrNotYetValid)
	switch {
	case err != nil && (noTime == nil || !outOfTime):
		return chainFailure(err).report(Intact)
	case noTime != nil:
		return noTime.report(Intact)
	case cms.named == nil || cms.named.hash == 0:
		return failure{Indeterminate, SigConstraintsFailure, ReasonCertificate}.report(Intact)
	}
	if bad := t.store.revoked(chain, when); bad != nil {
		return bad.report(Intact)
	}
	r := Report{
		Integrity: Intact, Indication: Passed, Reason: ReasonPassed, Level: "B-T",
		Signer: cms.signer.Subject.CommonName, SignedAt: when, Code: t.d.printedCode(main, t.before),
		SignerSerial: keys.Serial(cms.signer), StampSerial: keys.Serial(dated),
	}
	switch {
	case archived:
		r.Level = "B-LTA"
	case t.store.answers():
		r.Level = "B-LT"
	}
	return r
}

// renewals walks the document time stamps back from the last one. until is the time up to which the signature's own time stamp must hold;
// zero if nobody asked for now and nothing was renewed.
func (t *trust) renewals(main *seal) (until time.Time, archived bool) {
	until = t.now
	for _, s := range slices.Backward(t.h.seals) {
		if s.kind == tokenKind && s.rev > main.rev && t.holds(s.stamp, until) == nil {
			until = s.stamp.at
			archived = t.store.answers()
		}
	}
	return until, archived
}

// signedAt gives the time at which the signature is proven to have existed: by its own time stamp, or by the first of the document;
// and whose stamp that is.
func (t *trust) signedAt(main *seal, until time.Time) (time.Time, *x509.Certificate, *failure) {
	if len(main.cms.tokens) == 0 {
		for _, s := range t.h.seals {
			if s.kind == tokenKind && s.rev > main.rev && !until.IsZero() && s.stamp.at.Equal(until) && t.holds(s.stamp, time.Time{}) == nil {
				return until, s.stamp.signer, nil
			}
		}
		return time.Time{}, nil, &failure{Indeterminate, NoPOE, ReasonNoTime}
	}
	bad := &untrusted
	for _, s := range main.cms.stamps {
		if bad = t.holds(s, until); bad == nil {
			return s.at, s.signer, nil
		}
	}
	return time.Time{}, nil, bad
}

// holds says whether a time stamp's authority is under the roots, was valid at the time it writes, and still at until.
func (t *trust) holds(s *stamp, until time.Time) *failure {
	bag := s.path(t.store.certificates)
	chain, err := t.roots.Chain(keys.TimeStamping, s.signer, bag, s.at)
	if err != nil {
		return &untrusted
	}
	if until.IsZero() {
		until = s.at
	}
	if s.at.After(until) {
		return &failure{Indeterminate, TimestampOrderFailure, ReasonUntrustedTime}
	}
	if _, err := t.roots.Chain(keys.TimeStamping, s.signer, bag, until); err != nil {
		return &failure{Indeterminate, OutOfBoundsNoPOE, ReasonStale}
	}
	if t.store.revoked(chain, until) != nil {
		return &untrusted
	}
	return nil
}
