package smpp

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
)

// The example of section 3.2.3 of the specification: a bind of SMPP3TEST with password secret08 and type SUBMIT1, as a
// transceiver.
var specified = []byte("\x00\x00\x00\x2f\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x01SMPP3TEST\x00secret08\x00SUBMIT1\x00\x34\x01\x01\x00")

func TestPDUIsAsSpecified(t *testing.T) {
	p, err := ReadPDU(bytes.NewReader(specified))
	if err != nil || p.Command != BindTransceiver || p.Status != OK || p.Sequence != 1 || !bytes.Equal(p.Bytes(), specified) {
		t.Fatalf("%+v, %v", p, err)
	}
	b, err := parseBind(p.Body)
	if err != nil || b != (bind{"SMPP3TEST", "secret08", "SUBMIT1"}) {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestMessageComesBack(t *testing.T) {
	for _, m := range []Message{
		{From: Address{tonShort, npiNone, "142"}, To: International("+994501234567"), ESMClass: esmUDH, Validity: "000001000000000R", Receipt: 1,
			Coding: codingUCS2, Text: []byte{5, 0, 3, 1, 1, 1, 0, 'a'}, Reference: 0xabcd, ReceiptState: -1},
		{To: International("994501234567"), Reference: -1, ReceiptState: 2, ReceiptID: "0f", Text: []byte{}},
	} {
		got, err := parseMessage(m.bytes())
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%+v, %v\nwant %+v", got, err, m)
		}
	}
}

func TestPDUsAreBounded(t *testing.T) {
	for what, b := range map[string][]byte{
		"too long":          {0, 0, 0x10, 1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1},
		"endless":           {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1},
		"shorter than head": {0, 0, 0, 15, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1},
	} {
		if _, err := ReadPDU(bytes.NewReader(b)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := ReadPDU(bytes.NewReader(specified[:20])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("broken off: %v", err)
	}
	if _, err := ReadPDU(bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Errorf("nothing: %v", err)
	}
}

func TestReceiptsAsCentresWriteThem(t *testing.T) {
	from := International("+994501234567")
	receipt := func(text string) Message {
		return Message{From: from, ESMClass: esmReceipt, Reference: -1, ReceiptState: -1, Text: []byte(text)}
	}
	withState := receipt("id:1 stat:ACCEPTD")
	withState.ReceiptID, withState.ReceiptState, withState.Reference = "7f", 2, 12
	national := receipt("id:9 stat:DELIVRD")
	national.From = Address{0, 0, "994501234567"}
	for _, c := range []struct {
		what string
		m    Message
		want Receipt
		ok   bool
	}{
		{"appendix B", receipt("id:0123456789 sub:001 dlvrd:001 submit date:2611211000 done date:2611211001 stat:DELIVRD err:000 text:Salam"),
			Receipt{"0123456789", "+994501234567", -1, Delivered, "DELIVRD"}, true},
		{"upper case, with an error", receipt("ID:ab SUB:001 STAT:UNDELIV ERR:069 Text:stat:DELIVRD"), Receipt{"ab", "+994501234567", -1, Failed, "UNDELIV 069"}, true},
		{"what the message says is not the receipt", receipt("id:1 stat:EXPIRED err:000 text:id:2 stat:DELIVRD"), Receipt{"1", "+994501234567", -1, Expired, "EXPIRED"}, true},
		{"optional parameters win", withState, Receipt{"7f", "+994501234567", 12, Delivered, "ACCEPTD"}, true},
		{"type of number unknown", national, Receipt{"9", "+994501234567", -1, Delivered, "DELIVRD"}, true},
		{"on its way", receipt("id:1 stat:ENROUTE err:000"), Receipt{"1", "+994501234567", -1, "", "ENROUTE"}, true},
		{"somebody answers", Message{From: from, Reference: -1, ReceiptState: -1, Text: []byte("id:1 stat:DELIVRD")}, Receipt{}, false},
	} {
		if r, ok := receiptOf(c.m); ok != c.ok || r != c.want {
			t.Errorf("%s: %+v, %v", c.what, r, ok)
		}
	}
}

func FuzzReadPDU(f *testing.F) {
	f.Add(specified)
	submit := Message{From: Address{tonName, npiNone, "Tesdiq"}, To: International("+994501234567"), Text: []byte("x"), Reference: 1, ReceiptID: "a", ReceiptState: 2}
	f.Add(PDU{Command: SubmitSM, Sequence: 2, Body: submit.bytes()}.Bytes())
	submit.ESMClass, submit.Text = esmReceipt, []byte("id:1 sub:001 stat:DELIVRD err:000 text:x")
	f.Add(PDU{Command: DeliverSM, Sequence: 3, Body: submit.bytes()}.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		for {
			p, err := ReadPDU(r)
			if err != nil {
				return
			}
			if again, err := ReadPDU(bytes.NewReader(p.Bytes())); err != nil || !reflect.DeepEqual(again, p) {
				t.Fatalf("%+v comes back as %+v, %v", p, again, err)
			}
			parseBind(p.Body)
			m, err := parseMessage(p.Body)
			if err != nil {
				continue
			}
			if again, err := parseMessage(m.bytes()); err == nil && again.Reference != m.Reference {
				t.Errorf("%+v comes back as %+v", m, again)
			}
			if r, ok := receiptOf(m); ok {
				for _, c := range r.Reason {
					if c < ' ' || c > '~' {
						t.Errorf("a reason with %q", c)
					}
				}
				if len(r.ID) > 65 || len(r.Reason) > 40 {
					t.Errorf("%+v", r)
				}
			}
		}
	})
}

func TestSendersAreTold(t *testing.T) {
	for s, want := range map[string]Address{"142": {tonShort, npiNone, "142"}, "+994124930020": {tonInternational, npiISDN, "994124930020"}, "Tesdiq": {tonName, npiNone, "Tesdiq"}} {
		if a, ok := Sender(s); !ok || a != want {
			t.Errorf("%s: %+v", s, a)
		}
	}
	for _, s := range []string{"", "+", "Təsdiq", "twelve chars", "123456789", "a\x00"} {
		if a, ok := Sender(s); ok {
			t.Errorf("%q: %+v", s, a)
		}
	}
}
