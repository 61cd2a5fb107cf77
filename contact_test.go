package tesdiq_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
)

func TestPhonesAsPeopleWriteThem(t *testing.T) {
	for _, typed := range []string{"+994 50 123 45 67", "+994501234567", "994 50 1234567", "00994501234567", "050 123-45-67", "(050) 123 45 67", "+994\u00a050\u00a0123\u00a045\u00a067"} {
		if p, err := tesdiq.ParsePhone(typed); p != "+994501234567" || err != nil {
			t.Errorf("%q: %q, %v", typed, p, err)
		}
	}
	for typed, key := range map[string]string{
		"": "phone.malformed", "501234567": "phone.malformed", "+99450123456": "phone.malformed", "+9945012345678": "phone.malformed",
		"+994 50 123 45 6a": "phone.malformed", "+7 912 345 67 89": "phone.malformed", "+994\n501234567": "phone.malformed", "٠٥٠١٢٣٤٥٦٧": "phone.malformed",
		"012 493 00 20": "phone.mobile", "+994 88 123 45 67": "phone.mobile", "142": "phone.malformed",
	} {
		if p, err := tesdiq.ParsePhone(typed); p != "" || !errors.Is(err, tesdiq.Invalid(key)) {
			t.Errorf("%q: %q, %v, want %s", typed, p, err, key)
		}
	}
	if m := tesdiq.Phone("+994501234567").Masked(); m != "+994 50 ••• •• 67" {
		t.Error(m)
	}
}

func TestEmailsAsPeopleWriteThem(t *testing.T) {
	for typed, want := range map[string]tesdiq.Email{
		"nermin@example.az": "nermin@example.az", " Nermin.Q+x@Example.AZ ": "Nermin.Q+x@example.az", "a@b-c.example": "a@b-c.example",
	} {
		if e, err := tesdiq.ParseEmail(typed); e != want || err != nil {
			t.Errorf("%q: %q, %v", typed, e, err)
		}
	}
	for _, typed := range []string{
		"", "@", "a@", "@b.az", "a@b", "a@b..az", "a..b@c.az", ".a@b.az", "a b@c.az", "a@b.az\r\nBcc: c@d.az", "a@b.az\nx", `"a b"@c.az`, "a@[127.0.0.1]",
		"a@-b.az", "a@b-.az", "a@b@c.az", "nərmin@example.az", "a@misaləə.az", strings.Repeat("a", 65) + "@b.az", "a@" + strings.Repeat("b", 64) + ".az",
		"a@" + strings.Repeat("b.", 130) + "az", "a<b>@c.az", "a@b.az\x00",
	} {
		if e, err := tesdiq.ParseEmail(typed); e != "" || !errors.Is(err, tesdiq.Invalid("email.malformed")) {
			t.Errorf("%q: %q, %v", typed, e, err)
		}
	}
	if m := tesdiq.Email("nermin@example.az").Masked(); m != "n•••@example.az" {
		t.Error(m)
	}
}

func TestContactsStayOutOfLogs(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "phone", tesdiq.Phone("+994501234567"), "email", tesdiq.Email("nermin@example.az"))
	if s := log.String(); strings.Contains(s, "1234567") || strings.Contains(s, "nermin") {
		t.Error(s)
	}
}

func FuzzContacts(f *testing.F) {
	f.Add("+994 50 123 45 67")
	f.Add("nermin@example.az")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := tesdiq.ParsePhone(s); err == nil {
			if again, err := tesdiq.ParsePhone(string(p)); again != p || err != nil {
				t.Errorf("%q: %q, then %q, %v", s, p, again, err)
			}
		}
		if e, err := tesdiq.ParseEmail(s); err == nil {
			if again, err := tesdiq.ParseEmail(string(e)); again != e || err != nil || strings.ContainsAny(string(e), "\r\n<> ,;") {
				t.Errorf("%q: %q, then %q, %v", s, e, again, err)
			}
		}
	})
}
