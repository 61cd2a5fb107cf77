package keysweb

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// question is one that may be asked, in parts that tests replace.
type question struct {
	version, name, list, extensions, signature []byte
}

func wrap(tag asn1.Tag, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		for _, p := range parts {
			b.AddBytes(p)
		}
	})
	return b.BytesOrPanic()
}

func (q question) der() []byte {
	return wrap(asn1.SEQUENCE, wrap(asn1.SEQUENCE, q.version, q.name, q.list, q.extensions), q.signature)
}

func extension(oid []byte, critical bool, value []byte) []byte {
	var flag []byte
	if critical {
		flag = wrap(asn1.BOOLEAN, []byte{0xff})
	}
	return wrap(asn1.SEQUENCE, wrap(asn1.OBJECT_IDENTIFIER, oid), flag, wrap(asn1.OCTET_STRING, value))
}

func nonce(n int) []byte { return extension(nonceOID, false, wrap(asn1.OCTET_STRING, make([]byte, n))) }

func more(extensions ...[]byte) []byte { return wrap(context2, wrap(asn1.SEQUENCE, extensions...)) }

func TestReadQuestion(t *testing.T) {
	id := wrap(asn1.SEQUENCE, []byte{5, 0})
	one := wrap(asn1.SEQUENCE, id)
	list := wrap(asn1.SEQUENCE, one)
	other := []byte{0x2a, 3}
	for name, c := range map[string]struct {
		q    question
		want byte
	}{
		"plain":                          {question{list: list}, 0},
		"version 1 written down":         {question{version: wrap(context0, []byte{2, 1, 0}), list: list}, 0},
		"version 2":                      {question{version: wrap(context0, []byte{2, 1, 1}), list: list}, malformed},
		"version of five bytes":          {question{version: wrap(context0, []byte{2, 5, 1, 0, 0, 0, 0}), list: list}, malformed},
		"version and more":               {question{version: wrap(context0, []byte{2, 1, 0, 5, 0}), list: list}, malformed},
		"two versions":                   {question{version: bytes.Repeat(wrap(context0, []byte{2, 1, 0}), 2), list: list}, malformed},
		"a name and a signature":         {question{name: wrap(context1, []byte{5, 0}), list: list, signature: wrap(context0, []byte{5, 0})}, 0},
		"two names":                      {question{name: bytes.Repeat(wrap(context1, []byte{5, 0}), 2), list: list}, malformed},
		"two signatures":                 {question{list: list, signature: bytes.Repeat(wrap(context0, []byte{5, 0}), 2)}, malformed},
		"no list":                        {question{}, malformed},
		"two lists":                      {question{list: bytes.Repeat(list, 2)}, malformed},
		"an empty list":                  {question{list: wrap(asn1.SEQUENCE)}, malformed},
		"two certificates":               {question{list: wrap(asn1.SEQUENCE, one, one)}, unauthorized},
		"extensions of one":              {question{list: wrap(asn1.SEQUENCE, wrap(asn1.SEQUENCE, id, wrap(context0, []byte{5, 0})))}, 0},
		"extensions of one, twice":       {question{list: wrap(asn1.SEQUENCE, wrap(asn1.SEQUENCE, id, bytes.Repeat(wrap(context0, []byte{5, 0}), 2)))}, malformed},
		"a nonce of 1":                   {question{list: list, extensions: more(nonce(1))}, 0},
		"a nonce of 128":                 {question{list: list, extensions: more(nonce(128))}, 0},
		"a nonce of 129":                 {question{list: list, extensions: more(nonce(129))}, malformed},
		"a nonce of 0":                   {question{list: list, extensions: more(nonce(0))}, malformed},
		"two nonces":                     {question{list: list, extensions: more(nonce(16), nonce(16))}, malformed},
		"a nonce that is bare":           {question{list: list, extensions: more(extension(nonceOID, false, make([]byte, 16)))}, malformed},
		"an extension":                   {question{list: list, extensions: more(extension(other, false, nil))}, 0},
		"an extension twice":             {question{list: list, extensions: more(extension(other, false, nil), extension(other, false, nil))}, malformed},
		"an extension that is critical":  {question{list: list, extensions: more(extension(other, true, nil))}, malformed},
		"no extension":                   {question{list: list, extensions: more()}, malformed},
		"extensions twice":               {question{list: list, extensions: bytes.Repeat(more(nonce(16)), 2)}, malformed},
		"what comes behind":              {question{list: list, signature: []byte{5, 0}}, malformed},
		"larger than any question needs": {question{list: list, name: wrap(context1, make([]byte, maxQuestion))}, malformed},
	} {
		got, fault := readQuestion(c.q.der())
		if fault != c.want || (fault == 0) != bytes.Equal(got, id) {
			t.Errorf("%s: %d, want %d, %x", name, fault, c.want, got)
		}
	}
	der := question{list: list}.der()
	for i := range der {
		if _, fault := readQuestion(der[:i]); fault != malformed {
			t.Errorf("cut to %d bytes: %d", i, fault)
		}
	}
	if _, fault := readQuestion(append(der, 0)); fault != malformed {
		t.Errorf("one byte more: %d", fault)
	}
	indefinite, err := hex.DecodeString("308030803080" + hex.EncodeToString(one) + "000000000000")
	if err != nil {
		t.Fatal(err)
	}
	if _, fault := readQuestion(indefinite); fault != malformed {
		t.Errorf("indefinite length: %d", fault)
	}
}

// Whatever is asked, what is looked up is a part of it, an element by itself; and another reader finds the same certificate there.
func FuzzReadQuestion(f *testing.F) {
	authority := &x509.Certificate{RawSubject: []byte{0x30, 0}, RawSubjectPublicKeyInfo: wrap(asn1.SEQUENCE, wrap(asn1.SEQUENCE, wrap(asn1.OBJECT_IDENTIFIER, []byte{0x2a, 3})), wrap(asn1.BIT_STRING, []byte{0, 1}))}
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		der, err := ocsp.CreateRequest(&x509.Certificate{SerialNumber: big.NewInt(7)}, authority, &ocsp.RequestOptions{Hash: hash})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	one := wrap(asn1.SEQUENCE, wrap(asn1.SEQUENCE, wrap(asn1.SEQUENCE, []byte{5, 0})))
	f.Add(question{version: wrap(context0, []byte{2, 1, 0}), name: wrap(context1, []byte{5, 0}), list: one, extensions: more(nonce(32)), signature: wrap(context0, []byte{5, 0})}.der())
	f.Fuzz(func(t *testing.T, der []byte) {
		id, fault := readQuestion(der)
		if fault != 0 {
			if id != nil || fault != malformed && fault != unauthorized {
				t.Fatalf("%d with %x", fault, id)
			}
			return
		}
		whole := cryptobyte.String(id)
		var inside cryptobyte.String
		if len(der) > maxQuestion || !bytes.Contains(der, id) || !whole.ReadASN1(&inside, asn1.SEQUENCE) || !whole.Empty() {
			t.Fatalf("%x", id)
		}
		other, err := ocsp.ParseRequest(der)
		if err != nil {
			return // it reads the certificate's name too, and is stricter there
		}
		var algorithm, name, key cryptobyte.String
		serial := new(big.Int)
		if !inside.ReadASN1(&algorithm, asn1.SEQUENCE) || !inside.ReadASN1(&name, asn1.OCTET_STRING) || !inside.ReadASN1(&key, asn1.OCTET_STRING) ||
			!inside.ReadASN1Integer(serial) || serial.Cmp(other.SerialNumber) != 0 || !bytes.Equal(name, other.IssuerNameHash) || !bytes.Equal(key, other.IssuerKeyHash) {
			t.Fatalf("another reader found %+v in %x", other, der)
		}
	})
}
