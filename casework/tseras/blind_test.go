package tseras_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway"
)

// The types of which a BlindReferral may be made: numbers, yes or no, and codes of closed lists. A text, a FIN or a day
// that somebody adds to it fails here.
func TestABlindReferralCanHoldNoPerson(t *testing.T) {
	closed := map[reflect.Type]bool{
		reflect.TypeFor[tseras.AgeGroup](): true, reflect.TypeFor[tseras.Months](): true, reflect.TypeFor[int](): true, reflect.TypeFor[bool](): true,
		reflect.TypeFor[tseras.Ground](): true, reflect.TypeFor[tseras.ICD](): true, reflect.TypeFor[tseras.TestCode](): true,
		reflect.TypeFor[gateway.Register](): true, reflect.TypeFor[tseras.FactCode](): true,
	}
	var look func(path string, typ reflect.Type)
	look = func(path string, typ reflect.Type) {
		switch {
		case closed[typ]:
		case typ.Kind() == reflect.Struct:
			for i := range typ.NumField() {
				look(path+"."+typ.Field(i).Name, typ.Field(i).Type)
			}
		case typ.Kind() == reflect.Slice:
			look(path+"[]", typ.Elem())
		default:
			t.Errorf("%s is a %s, which could hold a person or a sender", path, typ)
		}
	}
	look("BlindReferral", reflect.TypeFor[tseras.BlindReferral]())
}

func referral() tseras.Referral {
	day := tesdiq.MustDate
	return tseras.Referral{
		Number: "88/2026-4471", On: day("2026-11-20"), Subject: "5NQ7K2M", Born: day("1988-04-12"), Phone: "+994501234567",
		Ground: tseras.LongTreatment, Main: tseras.Diagnosis{Code: "G35", Since: day("2025-05-03")},
		Others:     []tseras.Diagnosis{{Code: "H46", Since: day("2001-02-01")}},
		Treatments: []tseras.Treatment{{Code: "G35", From: day("2026-01-10"), To: day("2026-02-08"), Inpatient: true}, {Code: "G35", From: day("2026-06-01")}},
		Tests:      []tseras.Test{{Code: "edss", Value: 60, On: day("2026-11-02")}},
		Physicians: []tesdiq.FIN{"2AB3C4D"},
	}
}

func TestWhatACommissionSees(t *testing.T) {
	evidence := tseras.Evidence{{Register: gateway.Episodes, Answered: true, Facts: gateway.Facts{Episodes: []gateway.Episode{{
		Number: "E-77131", Institution: "M-4471", Kind: "inpatient", Admitted: tesdiq.MustDate("2026-01-10"), Main: "G35",
	}}}}}
	b := tseras.Blind(referral(), evidence, tesdiq.MustDate("1988-04-12"), true)
	want := tseras.BlindReferral{
		Age: 35, Ground: tseras.LongTreatment, Again: true, Main: tseras.BlindDiagnosis{Code: "G35", Since: 18},
		Others: []tseras.BlindDiagnosis{{Code: "H46", Since: 120}}, Inpatient: 1, Treated: 6,
		Tests: []tseras.BlindTest{{Code: "edss", Value: 60, Ago: 0}},
		Facts: []tseras.BlindFact{{Register: gateway.Episodes, Code: "diagnosis", ICD: "G35", Since: 10}},
	}
	if !reflect.DeepEqual(b, want) {
		t.Errorf("%+v\nwant %+v", b, want)
	}
	// No identifier of the referral, in any form, is in what the commission reads.
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"5NQ7K2M", "88/2026", "4471", "2AB3C4D", "77131", "994", "501234567", "1988", "04-12", "2026", "2025", "2001", "11-20"} {
		if strings.Contains(string(text), id) {
			t.Errorf("the commission sees %q: %s", id, text)
		}
	}
}

func TestAgeGroups(t *testing.T) {
	on := tesdiq.MustDate("2026-11-22")
	for born, want := range map[string]string{
		"2026-11-22": "0–2", "2023-11-23": "0–2", "2023-11-22": "3–6", "2011-11-23": "7–14", "2011-11-22": "15–17", "2008-11-23": "15–17",
		"2008-11-22": "18–24", "1951-11-22": "75+", "1911-01-01": "75+",
	} {
		if got := tseras.AgeGroupOf(tesdiq.MustDate(born), on).String(); got != want {
			t.Errorf("born %s: %s, want %s", born, got, want)
		}
	}
}

func TestAReferralTellsEverythingThatIsWrong(t *testing.T) {
	today, born := tesdiq.MustDate("2026-11-22"), tesdiq.MustDate("1988-04-12")
	if ps := referral().Validate(today, born); len(ps) > 0 {
		t.Fatalf("a good referral: %v", ps)
	}
	for want, spoil := range map[string]func(*tseras.Referral){
		"number text.missing":                         func(r *tseras.Referral) { r.Number = "" },
		"on date.future":                              func(r *tseras.Referral) { r.On = today.AddDays(1) },
		"on tseras.referral.old":                      func(r *tseras.Referral) { r.On = today.AddMonths(-1).AddDays(-1) },
		"on date.missing":                             func(r *tseras.Referral) { r.On = tesdiq.Date{} },
		"subject fin.malformed":                       func(r *tseras.Referral) { r.Subject = "5nq7k2m" },
		"born tseras.referral.born":                   func(r *tseras.Referral) { r.Born = born.AddDays(1) },
		"phone tseras.phone":                          func(r *tseras.Referral) { r.Phone = "0501234567" },
		"ground tseras.referral.ground":               func(r *tseras.Referral) { r.Ground = "1.5.6" },
		"main.code tseras.icd":                        func(r *tseras.Referral) { r.Main.Code = "Quliyeva" },
		"main.since tseras.referral.before_birth":     func(r *tseras.Referral) { r.Main.Since = born.AddDays(-1) },
		"others[0].code tseras.icd":                   func(r *tseras.Referral) { r.Others[0].Code = "5NQ7K2M" },
		"others tseras.referral.many":                 func(r *tseras.Referral) { r.Others = make([]tseras.Diagnosis, 11) },
		"treatments[0].to tseras.referral.ends_early": func(r *tseras.Referral) { r.Treatments[0].To = r.Treatments[0].From.AddDays(-1) },
		"treatments[1].from date.future":              func(r *tseras.Referral) { r.Treatments[1].From = today.AddDays(3) },
		"tests[0].code tseras.test.unknown":           func(r *tseras.Referral) { r.Tests[0].Code = "height" },
		"tests[0].value tseras.test.value":            func(r *tseras.Referral) { r.Tests[0].Value = 101 },
		"tests[1].code tseras.test.twice":             func(r *tseras.Referral) { r.Tests = append(r.Tests, r.Tests[0]) },
		"physicians tseras.referral.physicians":       func(r *tseras.Referral) { r.Physicians = nil },
		"physicians[0] tseras.referral.own":           func(r *tseras.Referral) { r.Physicians[0] = r.Subject },
		"physicians[0] fin.malformed":                 func(r *tseras.Referral) { r.Physicians[0] = "Dr" },
	} {
		r := referral()
		spoil(&r)
		found := false
		ps := r.Validate(today, born)
		for _, p := range ps {
			found = found || p.Field+" "+p.Key == want
		}
		if !found {
			t.Errorf("%s: told %v", want, ps)
		}
	}
}

func TestBlindNumbersAreRandomDigits(t *testing.T) {
	seen := map[tseras.BlindNumber]bool{}
	random := strings.NewReader(strings.Repeat("\x00\x11\x22\xff\xfa\x33\x44\x55\x66\x77\xf9", 400))
	for range 100 {
		n, err := tseras.NewBlindNumber(random)
		if err != nil || !regexp.MustCompile(`^\d{8}$`).MatchString(string(n)) {
			t.Fatalf("%s: %v", n, err)
		}
		if back, err := tseras.ParseBlindNumber(n.String()); err != nil || back != n {
			t.Errorf("%s reads as %s: %v", n, back, err)
		}
		seen[n] = true
	}
	if len(seen) < 5 {
		t.Errorf("%d different numbers", len(seen))
	}
	for _, bad := range []string{"", "1234567", "123456789", "5NQ7K2MA", "1234-567"} {
		if _, err := tseras.ParseBlindNumber(bad); err == nil {
			t.Errorf("%q reads as a number", bad)
		}
	}
}
