package pades_test

import (
	"encoding/asn1"
	"testing"

	"github.com/tesdiq/tesdiq/verifier/pades"
	"golang.org/x/crypto/cryptobyte"
)

// What nothing signs may be written as others write it, where it says nothing to us.
func TestSignaturesAsOthersWriteThem(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name   string
		adobe  bool
		change func(f *forgedCMS)
		want   pades.Integrity
	}{
		{"revocation values beside the time stamp", false, func(f *forgedCMS) {
			f.afterTheToken = attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nil) })
		}, pades.Intact},
		{"an attribute that CAdES does not know", false, func(f *forgedCMS) {
			f.afterTheToken = attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 28}, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nil) })
		}, pades.Broken},
		{"another version", true, func(f *forgedCMS) { f.versionOfData = 3 }, pades.Intact},
		{"no version", true, func(f *forgedCMS) { f.versionOfData = 9 }, pades.Broken},
		{"another version of ours", false, func(f *forgedCMS) { f.versionOfData = 3 }, pades.Broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := w.genuine()
			u.cms = c.change
			if c.adobe {
				u.replace(12, "ETSI.CAdES.detached", "adbe.pkcs7.detached")
			}
			if r := pades.Read(u.write(w, w.page), nil); r.Integrity != c.want {
				t.Errorf("%+v: %s", r, pades.Why(r))
			}
		})
	}
}
