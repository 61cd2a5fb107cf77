package signer

import (
	"crypto"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

// Publication is something that we say to everybody, made before anybody asks.
type Publication struct {
	Path        string // below /pki
	Serial      string // of the certificate that an OCSP answer is about, as keys.Serial writes it; empty for all else
	Revocations int    // how many it tells of
	Body        []byte
	Produced    time.Time
	Until       time.Time // it does not hold any more; zero: it holds until there is another
}

// Publish makes what the registers say: for each certificate an OCSP answer in every way in which it may be asked for, the lists of
// revocations, the authorities' certificates. What enough says is good enough, by its path and by how many revocations it should tell
// of, is left out. A list whose key is elsewhere and that was not brought is left out too.
func (s *Status) Publish(now time.Time, enough func(path string, revocations int) bool) (all []Publication, err error) {
	for i := range s.Registers {
		r := &s.Registers[i]
		if path := keys.PublishedCertificates + r.Name + ".cer"; !enough(path, 0) {
			all = append(all, Publication{Path: path, Body: r.Authority.Raw, Produced: now})
		}
		revoked, err := s.Revocations.Revoked(r.Authority)
		if err != nil {
			return nil, err
		}
		count := 0
		for _, x := range revoked {
			if !x.At.After(now) {
				count++
			}
		}
		if path := keys.PublishedLists + r.Name + ".crl"; (r.Key != nil || r.CRL != nil) && !enough(path, count) {
			der, until, err := s.list(r, now)
			if err != nil {
				return nil, err
			}
			all = append(all, Publication{Path: path, Revocations: count, Body: der, Produced: now, Until: until})
		}
		answers, err := s.publishAnswers(r, now, enough)
		if err != nil {
			return nil, err
		}
		all = append(all, answers...)
	}
	return all, nil
}

func (s *Status) publishAnswers(r *Register, now time.Time, enough func(string, int) bool) (all []Publication, err error) {
	if r.Responder == nil || r.ResponderKey == nil {
		return nil, nil
	}
	at := now.UTC().Truncate(time.Second)
	for _, c := range r.Issued {
		st, err := s.state(r, c.SerialNumber, at)
		if err != nil {
			return nil, err
		}
		told := 0
		if st.revoked != nil {
			told = 1
		}
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			for _, null := range []bool{true, false} {
				id := r.id(c.SerialNumber, hash, null)
				path := keys.AnswerPath(id.raw)
				if enough(path, told) {
					continue
				}
				der, err := r.sign(s.Rand, id, st, at)
				if err != nil {
					return nil, err
				}
				all = append(all, Publication{Path: path, Serial: keys.Serial(c), Revocations: told, Body: der, Produced: now, Until: at.Add(answerValid)})
			}
		}
	}
	return all, nil
}
