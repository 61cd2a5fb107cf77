package tserasweb

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

// typedReferral is a referral as it was typed, as text: whatever is wrong with it stays to be seen.
type typedReferral struct {
	Number, On, Subject, Born, Phone, Ground, Code, Since string

	Others     []typedRow
	Treatments []typedRow
	Tests      []typedRow
	Physicians []typedRow
}

// typedRow is one line of any of the lists.
type typedRow struct{ Code, Since, To, Where, Value string }

func (l typedRow) blank() bool { return l.Code+l.Since+l.To+l.Value == "" }

// readReferral reads the form. Lines that were left empty are none.
func readReferral(v url.Values) typedReferral {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	lines := func(name string, most int) (all []typedRow) {
		for i := 0; i <= most && v.Has(name+"-"+strconv.Itoa(i)+"-code"); i++ {
			at := name + "-" + strconv.Itoa(i) + "-"
			l := typedRow{get(at + "code"), get(at + "since"), get(at + "to"), get(at + "where"), get(at + "value")}
			if !l.blank() {
				all = append(all, l)
			}
		}
		return all
	}
	return typedReferral{
		get("number"), get("on"), get("subject"), get("born"), get("phone"), get("ground"), get("main-code"), get("main-since"),
		lines("others", tseras.MaxDiagnoses), lines("treatments", tseras.MaxTreatments), lines("tests", tseras.MaxTests), lines("physicians", tseras.MaxPhysicians),
	}
}

// typedOf is a referral as if it had been typed.
func typedOf(x tseras.Referral) typedReferral {
	day := func(d tesdiq.Date) string {
		if d.IsZero() {
			return ""
		}
		return d.String()
	}
	f := typedReferral{
		Number: x.Number, On: day(x.On), Subject: string(x.Subject), Born: day(x.Born), Phone: x.Phone, Ground: string(x.Ground), Code: string(x.Main.Code), Since: day(x.Main.Since),
	}
	for _, d := range x.Others {
		f.Others = append(f.Others, typedRow{Code: string(d.Code), Since: day(d.Since)})
	}
	for _, t := range x.Treatments {
		l := typedRow{Code: string(t.Code), Since: day(t.From), To: day(t.To), Where: "outpatient"}
		if t.Inpatient {
			l.Where = "inpatient"
		}
		f.Treatments = append(f.Treatments, l)
	}
	for _, t := range x.Tests {
		f.Tests = append(f.Tests, typedRow{Code: string(t.Code), Value: strconv.Itoa(t.Value), Since: day(t.On)})
	}
	for _, p := range x.Physicians {
		f.Physicians = append(f.Physicians, typedRow{Code: string(p)})
	}
	return f
}

// padded adds an empty line to the lists that have none, and to the one whose button was pressed.
func (f typedReferral) padded(more string) typedReferral {
	for name, l := range map[string]*[]typedRow{"others": &f.Others, "treatments": &f.Treatments, "tests": &f.Tests, "physicians": &f.Physicians} {
		if len(*l) == 0 || more == "more-"+name {
			*l = append(*l, typedRow{})
		}
	}
	return f
}

// labels are the form's fields in their order, each with what it is called among others. One whose problems name it already has no label.
func (f typedReferral) labels(t func(key string) string) []namedValue {
	all := []namedValue{
		{"number", t("number")}, {"on", t("on")}, {"subject", ""}, {"born", t("born")}, {"phone", t("phone")}, {"ground", ""},
		{"main-code", t("main")}, {"main-since", t("main") + " · " + t("since")},
	}
	rows := func(list, legend string, lines []typedRow, fields ...string) {
		for i := range lines {
			for j := 0; j < len(fields); j += 2 {
				label := t(legend) + " " + strconv.Itoa(i+1)
				if fields[j+1] != "" {
					label += " · " + t(fields[j+1])
				}
				all = append(all, namedValue{list + "-" + strconv.Itoa(i) + "-" + fields[j], label})
			}
		}
	}
	rows("others", "other", f.Others, "code", "", "since", "since")
	rows("treatments", "treatment", f.Treatments, "code", "", "since", "from", "to", "to", "where", "where")
	rows("tests", "test", f.Tests, "code", "", "value", "test.value", "since", "test.on")
	rows("physicians", "physician", f.Physicians, "code", "")
	return all
}

// referral is what was typed; what cannot be read is told by its field.
func (f typedReferral) referral() (x tseras.Referral, ps tesdiq.Problems) {
	day := func(field, text string) (d tesdiq.Date) {
		if text == "" {
			return d // whether it may be missing is for Validate to say
		}
		d, err := tesdiq.ParseDate(text)
		ps.Add(field, err)
		return d
	}
	upper := func(text string) string { return strings.ToUpper(text) }
	fin := func(field, text string) tesdiq.FIN {
		fin, err := tesdiq.ParseFIN(text)
		ps.Add(field, err)
		return fin
	}
	x = tseras.Referral{
		Number: f.Number, On: day("on", f.On), Subject: fin("subject", f.Subject), Born: day("born", f.Born), Phone: strings.ReplaceAll(f.Phone, " ", ""), Ground: tseras.Ground(f.Ground),
		Main: tseras.Diagnosis{Code: tseras.ICD(upper(f.Code)), Since: day("main-since", f.Since)},
	}
	at := func(name string, i int, of string) string { return name + "-" + strconv.Itoa(i) + "-" + of }
	for i, l := range f.Others {
		x.Others = append(x.Others, tseras.Diagnosis{Code: tseras.ICD(upper(l.Code)), Since: day(at("others", i, "since"), l.Since)})
	}
	for i, l := range f.Treatments {
		x.Treatments = append(x.Treatments, tseras.Treatment{
			Code: tseras.ICD(upper(l.Code)), From: day(at("treatments", i, "since"), l.Since), To: day(at("treatments", i, "to"), l.To), Inpatient: l.Where == "inpatient",
		})
	}
	for i, l := range f.Tests {
		n, err := strconv.Atoi(l.Value)
		if err != nil {
			ps.Add(at("tests", i, "value"), tesdiq.Invalid("tseras.test.number"))
		}
		x.Tests = append(x.Tests, tseras.Test{Code: tseras.TestCode(l.Code), Value: n, On: day(at("tests", i, "since"), l.Since)})
	}
	for i, l := range f.Physicians {
		x.Physicians = append(x.Physicians, fin(at("physicians", i, "code"), l.Code))
	}
	return x, ps
}

// fieldOf is the form's field of a referral's JSON field: treatments[1].from is treatments-1-since.
func fieldOf(field string) string {
	if field == "physicians" || field == "others" || field == "treatments" || field == "tests" {
		return field + "-0-code"
	}
	list, rest, in := strings.Cut(field, "[")
	if !in {
		return strings.ReplaceAll(field, ".", "-")
	}
	n, of, _ := strings.Cut(rest, "]")
	of = strings.TrimPrefix(of, ".")
	switch of {
	case "from", "on":
		of = "since"
	case "":
		of = "code"
	}
	return list + "-" + n + "-" + of
}

// wrongIn puts what is wrong with a referral to the fields of the form, each field's first; another error stays one.
func wrongIn(err error, before tesdiq.Problems) (tesdiq.Problems, error) {
	all := before
	var ps tesdiq.Problems
	var p *tesdiq.Problem
	switch {
	case errors.Is(err, casework.ErrOpen):
		all = append(all, casework.ErrOpen.In("subject"))
	case errors.As(err, &ps):
		for _, p := range ps {
			all = append(all, p.In(fieldOf(p.Field)))
		}
	case errors.As(err, &p) && p.Field != "":
		all = append(all, p.In(fieldOf(p.Field)))
	case err != nil:
		return nil, err
	}
	var first tesdiq.Problems
	for _, p := range all {
		if !slices.ContainsFunc(first, func(q *tesdiq.Problem) bool { return q.Field == p.Field }) {
			first = append(first, p)
		}
	}
	return first, nil
}
