package registry_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/templates"
)

var (
	today = tesdiq.NewDate(2026, 11, 21)
	now   = today.Start().Add(10 * time.Hour)
	born  = tesdiq.NewDate(1988, 4, 12)
)

func d(s string) tesdiq.Date {
	if s == "" {
		return tesdiq.Date{}
	}
	return tesdiq.MustDate(s)
}

func nermin() person.Person {
	return person.Person{
		FIN: "5NQ7K2M", Name: tesdiq.Name{Surname: "Quliyeva", Given: "Nərmin", Father: "Əli"}, Sex: tesdiq.Female, Born: born, Document: "AA4071826",
	}
}

func exam() examination.Examination {
	return examination.Examination{
		Number: "M-2026-117204", Subject: "5NQ7K2M", Commission: "7 saylı TSEK", ExaminedOn: d("2026-10-01"), Outcome: examination.Disability,
		Loss: 65, Cause: "general_illness", From: d("2026-10-01"), Until: d("2028-09-30"), NextFrom: d("2028-08-01"),
	}
}

func job() contract.Contract {
	return contract.Contract{
		Number: "K-2021-0831452", Subject: "5NQ7K2M", Employer: "“Nümunə Market” MMC", EmployerVOEN: "1400057421", Position: "baş mühasib", Main: true,
		Salary: 1450_00, Concluded: d("2021-12-01"), From: d("2021-12-04"), State: contract.Active, EffectiveOn: d("2021-12-04"),
	}
}

// refused compares what Validate says with a list such as "loss: examination.loss; cause: examination.cause".
func refused(t *testing.T, what string, b registry.Body, want string) {
	t.Helper()
	c := registry.Circumstances{Today: today, Born: born}
	if b.Heading().Book == registry.Persons {
		c.Born = tesdiq.Date{}
	}
	if got := b.Validate(c).Error(); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestWhatAPersonMayBe(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*person.Person)
		want   string
	}{
		"as is":            {func(*person.Person) {}, ""},
		"no father's name": {func(p *person.Person) { p.Name.Father = "" }, ""},
		"a hundred and ten": {func(p *person.Person) {
			p.Born = today.AddYears(-110)
		}, ""},
		"empty": {func(p *person.Person) { *p = person.Person{} },
			"fin: fin.malformed; surname: text.missing; given: text.missing; sex: person.sex; born: date.missing; document: document.malformed"},
		"lower case":     {func(p *person.Person) { p.FIN = "5nq7k2m" }, "fin: fin.malformed"},
		"mark-up":        {func(p *person.Person) { p.Name.Surname = "<b>Q" }, "surname: name.malformed"},
		"turned letters": {func(p *person.Person) { p.Name.Given = "N\u202emin" }, "given: text.letter"},
		"digits":         {func(p *person.Person) { p.Name.Father = "Əli2" }, "father: name.malformed"},
		"too long":       {func(p *person.Person) { p.Name.Surname = strings.Repeat("ə", 101) }, "surname: text.long"},
		"tomorrow":       {func(p *person.Person) { p.Born = today.AddDays(1) }, "born: date.future"},
		"too old":        {func(p *person.Person) { p.Born = today.AddYears(-131) }, "born: person.age"},
		"card":           {func(p *person.Person) { p.Document = "AA 4071826" }, "document: document.malformed"},
	} {
		p := nermin()
		c.change(&p)
		refused(t, what, p, c.want)
	}
}

func TestWhatAnExaminationMaySay(t *testing.T) {
	type e = examination.Examination
	for what, c := range map[string]struct {
		change func(*e)
		want   string
	}{
		"as is":      {func(*e) {}, ""},
		"indefinite": {func(x *e) { x.Until, x.NextFrom = d(""), d("") }, ""},
		"a degree of its time": {func(x *e) {
			x.ExaminedOn, x.From, x.Loss, x.Degree, x.Until, x.NextFrom = d("2022-06-30"), d("2022-06-30"), 0, "II", d(""), d("")
		}, ""},
		"a group of its time": {func(x *e) {
			x.ExaminedOn, x.From, x.Loss, x.Group, x.Until, x.NextFrom = d("2015-12-29"), d("2015-12-29"), 0, "I", d(""), d("")
		}, ""},
		"no disability": {func(x *e) {
			*x = e{Number: x.Number, Subject: x.Subject, Commission: x.Commission, ExaminedOn: x.ExaminedOn, Outcome: examination.NotDisability, Loss: 30}
		}, ""},
		"empty": {func(x *e) { *x = e{} },
			"number: entry.number; subject: fin.malformed; commission: text.missing; examined_on: date.missing"},
		"odd percent":                {func(x *e) { x.Loss = 63 }, "loss: examination.loss"},
		"too little":                 {func(x *e) { x.Loss = 30 }, "loss: examination.loss_low"},
		"too much":                   {func(x *e) { x.Loss = 105 }, "loss: examination.loss"},
		"degree in percents":         {func(x *e) { x.Degree = "I" }, "degree: examination.degree_period"},
		"group in percents":          {func(x *e) { x.Group = "I" }, "group: examination.group_period"},
		"percents in degrees":        {func(x *e) { x.ExaminedOn, x.From = d("2022-06-30"), d("2022-06-30") }, "loss: examination.loss_period; degree: examination.degree_missing"},
		"degree in groups":           {func(x *e) { x.ExaminedOn, x.From, x.Loss, x.Degree = d("2015-12-29"), d("2015-12-29"), 0, "I" }, "group: examination.group_missing; degree: examination.degree_period"},
		"an adult as a child":        {func(x *e) { x.Outcome = examination.ChildUnder18 }, "outcome: examination.is_adult; until: examination.until_eighteen"},
		"unknown outcome":            {func(x *e) { x.Outcome = "maybe" }, "outcome: examination.outcome"},
		"unknown cause":              {func(x *e) { x.Cause = "fate" }, "cause: examination.cause"},
		"term without finding":       {func(x *e) { x.Outcome, x.Loss, x.Cause = examination.NotDisability, 20, "" }, "from: examination.term_unwanted; until: examination.term_unwanted; next_from: examination.term_unwanted"},
		"finding too high":           {func(x *e) { x.Outcome, x.From, x.Until, x.NextFrom = examination.NotDisability, d(""), d(""), d("") }, "loss: examination.loss_high; cause: examination.cause_unwanted"},
		"before the decision":        {func(x *e) { x.From = d("2026-09-30") }, "from: examination.from_early"},
		"ends before":                {func(x *e) { x.Until, x.NextFrom = x.From, d("") }, "until: examination.until_early"},
		"window outside":             {func(x *e) { x.NextFrom = d("2029-01-01") }, "next_from: examination.next_outside"},
		"window of nothing":          {func(x *e) { x.Until = d("") }, "next_from: examination.next_indefinite"},
		"tomorrow":                   {func(x *e) { x.ExaminedOn, x.From = today.AddDays(1), today.AddDays(1) }, "examined_on: date.future"},
		"as a child then":            {func(x *e) { x.ExaminedOn = d("1997-09-01") }, "loss: examination.loss_period; outcome: examination.is_child; group: examination.group_missing"},
		"a number of the other book": {func(x *e) { x.Number = "K-2026-1172041" }, "number: entry.number"},
	} {
		x := exam()
		c.change(&x)
		refused(t, what, x, c.want)
	}
	child := exam()
	child.Outcome, child.Loss, child.Until, child.NextFrom = examination.ChildUnder18, 85, d("2035-02-25"), d("2034-12-27")
	if ps := child.Validate(registry.Circumstances{Today: today, Born: d("2017-02-25")}); len(ps) > 0 {
		t.Errorf("a child: %v", ps)
	}
	child.Outcome = examination.Disability
	if ps := child.Validate(registry.Circumstances{Today: today, Born: d("2017-02-25")}); ps.Error() != "outcome: examination.is_child" {
		t.Errorf("a child as an adult: %v", ps)
	}
}

func TestWhatAContractMaySay(t *testing.T) {
	type k = contract.Contract
	for what, c := range map[string]struct {
		change func(*k)
		want   string
	}{
		"as is": {func(*k) {}, ""},
		"begins next month": {func(x *k) {
			x.Concluded, x.From, x.EffectiveOn = today, today.AddMonths(1), today.AddMonths(1)
		}, ""},
		"ended": {func(x *k) {
			x.State, x.Terminated, x.EffectiveOn, x.Ground = contract.Terminated, today, today, "Əmək Məcəlləsi, maddə 69"
		}, ""},
		"empty": {func(x *k) { *x = k{} }, "number: entry.number; subject: fin.malformed; employer: text.missing; employer_voen: voen.malformed; " +
			"position: text.missing; concluded: date.missing; from: date.missing; effective_on: date.missing; state: contract.state"},
		"negative pay":     {func(x *k) { x.Salary = -1 }, "salary: contract.salary"},
		"too much pay":     {func(x *k) { x.Salary = 1_000_000_01 }, "salary: contract.salary"},
		"work before word": {func(x *k) { x.Concluded = d("2021-12-05") }, "from: contract.from_early"},
		"a child": {func(x *k) {
			x.Concluded, x.From, x.EffectiveOn = d("2003-04-11"), d("2003-04-11"), d("2003-04-11")
		}, "from: contract.too_young"},
		"ends before":         {func(x *k) { x.Until = d("2021-12-03") }, "until: contract.until_early"},
		"too far ahead":       {func(x *k) { x.From, x.EffectiveOn = today.AddYears(2), today.AddYears(2) }, "from: contract.too_far"},
		"amendment ahead":     {func(x *k) { x.EffectiveOn = today.AddDays(1) }, "effective_on: contract.effective_future"},
		"holds before begin":  {func(x *k) { x.EffectiveOn = d("2021-12-01") }, "effective_on: contract.effective_early"},
		"ground but active":   {func(x *k) { x.Ground = "Əmək Məcəlləsi, maddə 69" }, "ground: contract.terminated_unwanted"},
		"ended without a day": {func(x *k) { x.State = contract.Terminated }, "terminated: date.missing; ground: text.missing"},
		"ends tomorrow": {func(x *k) {
			x.State, x.Terminated, x.Ground = contract.Terminated, today.AddDays(1), "maddə 69"
		}, "terminated: date.future"},
		"long texts": {func(x *k) {
			x.Employer, x.Position, x.Workplace = strings.Repeat("ə", 201), strings.Repeat("ə", 151), strings.Repeat("ə", 201)
		}, "employer: text.long; workplace: text.long; position: text.long"},
		"injection": {func(x *k) { x.Employer, x.Position = "A\x00B", "a\u2067b" }, "employer: text.letter; position: text.letter"},
	} {
		x := job()
		c.change(&x)
		refused(t, what, x, c.want)
	}
}

// Each line: what the object was, what somebody wants, and what he is told; "" is that it is done.
func TestWhichChangeMayFollow(t *testing.T) {
	was := func(b registry.Body, version int, act registry.Act) *registry.Version {
		h := b.Heading()
		h.ID, h.Version, h.Act, h.EnteredAt = 7, version, act, now.Add(-time.Hour)
		return &registry.Version{Head: h, Body: b}
	}
	amended, ended, other := job(), job(), job()
	amended.Salary, amended.EffectiveOn = 1600_00, d("2026-03-01")
	ended.State, ended.Terminated, ended.EffectiveOn, ended.Ground = contract.Terminated, d("2026-11-01"), d("2026-11-01"), "maddə 69"
	other.EmployerVOEN, other.EffectiveOn = "1403676911", d("2026-03-01")
	endedAndRaised := ended
	endedAndRaised.Salary = 9999_00
	earlier := amended
	earlier.Salary, earlier.EffectiveOn = 1700_00, d("2025-01-01")
	better := exam()
	better.Loss = 70
	foreign := exam()
	foreign.Subject = "1KF6W0Z"
	married := nermin()
	married.Name.Surname = "Həsənova"

	for what, c := range map[string]struct {
		before *registry.Version
		change registry.Change
		want   string
	}{
		"a new examination":   {nil, registry.Change{Act: registry.Append, Body: exam(), By: "A"}, ""},
		"a new contract":      {nil, registry.Change{Act: registry.Append, Body: job(), By: "A"}, ""},
		"an amendment":        {was(job(), 1, registry.Append), registry.Change{Act: registry.Append, Body: amended, After: 1, By: "A"}, ""},
		"a termination":       {was(amended, 2, registry.Append), registry.Change{Act: registry.Append, Body: func() contract.Contract { e := ended; e.Salary = amended.Salary; return e }(), After: 2, By: "A"}, ""},
		"a new name":          {was(nermin(), 1, registry.Append), registry.Change{Act: registry.Append, Body: married, After: 1, By: "A"}, ""},
		"a correction":        {was(exam(), 1, registry.Append), registry.Change{Act: registry.Correct, Body: better, After: 1, By: "A", Reason: "Səhv"}, ""},
		"an annulment":        {was(exam(), 2, registry.Correct), registry.Change{Act: registry.Annul, Book: registry.Examinations, Number: "M-2026-117204", After: 2, By: "A", Reason: "Səhv"}, ""},
		"correcting an end":   {was(ended, 2, registry.Append), registry.Change{Act: registry.Correct, Body: job(), After: 2, By: "A", Reason: "Səhv"}, ""},
		"no author":           {nil, registry.Change{Act: registry.Append, Body: exam()}, "by: text.missing"},
		"no reason":           {was(exam(), 1, registry.Append), registry.Change{Act: registry.Correct, Body: better, After: 1, By: "A"}, "reason: text.missing"},
		"a reason for new":    {nil, registry.Change{Act: registry.Append, Body: exam(), By: "A", Reason: "Belə"}, "reason: entry.reason_unwanted"},
		"all at once":         {was(exam(), 1, registry.Append), registry.Change{Act: registry.Correct, Body: foreign, After: 1}, "by: text.missing; reason: text.missing; subject: entry.subject"},
		"nothing changed":     {was(exam(), 1, registry.Append), registry.Change{Act: registry.Correct, Body: exam(), After: 1, By: "A", Reason: "Səhv"}, "entry.unchanged"},
		"nothing amended":     {was(job(), 1, registry.Append), registry.Change{Act: registry.Append, Body: job(), After: 1, By: "A"}, "entry.unchanged"},
		"the number is taken": {was(exam(), 1, registry.Append), registry.Change{Act: registry.Append, Body: better, By: "A"}, "number: entry.exists"},
		"somebody was faster": {was(exam(), 2, registry.Correct), registry.Change{Act: registry.Correct, Body: better, After: 1, By: "A", Reason: "Səhv"}, "entry.moved"},
		"correcting nothing":  {nil, registry.Change{Act: registry.Correct, Body: better, After: 1, By: "A", Reason: "Səhv"}, "number: entry.unknown"},
		"annulling nothing":   {nil, registry.Change{Act: registry.Annul, Book: registry.Contracts, Number: "K-2020-0000001", After: 1, By: "A", Reason: "Səhv"}, "number: entry.unknown"},
		"after an annulment":  {was(exam(), 2, registry.Annul), registry.Change{Act: registry.Correct, Body: better, After: 2, By: "A", Reason: "Səhv"}, "number: entry.annulled"},
		"annulled twice":      {was(exam(), 2, registry.Annul), registry.Change{Act: registry.Annul, Book: registry.Examinations, Number: "M-2026-117204", After: 2, By: "A", Reason: "Səhv"}, "number: entry.annulled"},
		"examined again":      {was(exam(), 1, registry.Append), registry.Change{Act: registry.Append, Body: better, After: 1, By: "A"}, "number: examination.is_new"},
		"another employer":    {was(job(), 1, registry.Append), registry.Change{Act: registry.Append, Body: other, After: 1, By: "A"}, "employer_voen: contract.other"},
		"after the end":       {was(ended, 2, registry.Append), registry.Change{Act: registry.Append, Body: amended, After: 2, By: "A"}, "number: contract.ended"},
		"an end and a rise":   {was(job(), 1, registry.Append), registry.Change{Act: registry.Append, Body: endedAndRaised, After: 1, By: "A"}, "state: contract.termination_only"},
		"out of order":        {was(amended, 2, registry.Append), registry.Change{Act: registry.Append, Body: earlier, After: 2, By: "A"}, "effective_on: contract.effective_order"},
		"no act":              {nil, registry.Change{Act: "erase", Body: exam(), By: "A"}, "act: entry.act"},
		"nothing said":        {nil, registry.Change{Act: registry.Append, By: "A"}, "entry.empty"},
	} {
		theirs := born
		if c.change.Heading().Book == registry.Persons {
			theirs = tesdiq.Date{}
		}
		v, err := registry.Next(c.before, c.change, theirs, now)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
		if err != nil {
			continue
		}
		if c.before == nil && v.Head.Version != 1 || c.before != nil && (v.Head.Version != c.before.Head.Version+1 || v.Head.Number != c.before.Head.Number) {
			t.Errorf("%s: %+v", what, v.Head)
		}
		if c.change.Act == registry.Annul && v.Body != c.before.Body {
			t.Errorf("%s: an annulment repeats what it annuls, but says %+v", what, v.Body)
		}
	}
}

func TestTimeNeverRunsBackWithinAnObject(t *testing.T) {
	before := &registry.Version{Head: exam().Heading(), Body: exam()}
	before.Head.Version, before.Head.Act, before.Head.EnteredAt = 1, registry.Append, now.Add(time.Minute) // another machine's clock is ahead
	v, err := registry.Next(before, registry.Change{Act: registry.Annul, Book: registry.Examinations, Number: "M-2026-117204", After: 1, By: "A", Reason: "Səhv"}, born, now)
	if err != nil || v.Head.EnteredAt.Before(before.Head.EnteredAt) {
		t.Errorf("%s, %v", v.Head.EnteredAt, err)
	}
}

func TestStanding(t *testing.T) {
	chain := []registry.Head{
		{ID: 1, Number: "M-1", Version: 1, Act: registry.Append, EffectiveOn: d("2020-01-01")},
		{ID: 2, Number: "M-2", Version: 1, Act: registry.Append, EffectiveOn: d("2024-01-01")},
		{ID: 3, Number: "M-1", Version: 2, Act: registry.Correct, EffectiveOn: d("2020-01-02")}, // an old one, corrected late
		{ID: 4, Number: "M-3", Version: 1, Act: registry.Append, EffectiveOn: d("2026-01-01")},
		{ID: 5, Number: "M-3", Version: 2, Act: registry.Annul, EffectiveOn: d("2026-01-01")},
	}
	for id, want := range map[registry.EntryID]registry.Standing{
		1: registry.Superseded, 2: registry.InForce, 3: registry.Superseded, 4: registry.Annulled, 5: registry.Annulled,
	} {
		if got := registry.StandingOf(id, chain); got != want {
			t.Errorf("entry %d: %s, want %s", id, got, want)
		}
	}
	if _, found := registry.Holding(chain[3:]); found {
		t.Error("an annulled examination holds")
	}
	same := []registry.Head{
		{ID: 8, Number: "M-1", Version: 1, Act: registry.Append, EffectiveOn: d("2024-01-01")},
		{ID: 9, Number: "M-2", Version: 1, Act: registry.Append, EffectiveOn: d("2024-01-01")},
	}
	if registry.StandingOf(9, same) != registry.InForce || registry.StandingOf(8, same) != registry.Superseded {
		t.Error("of two on one day the one entered later holds")
	}
	corrected := append(same, registry.Head{ID: 10, Number: "M-1", Version: 2, Act: registry.Correct, EffectiveOn: d("2024-01-01")})
	if registry.StandingOf(9, corrected) != registry.InForce || registry.StandingOf(10, corrected) != registry.Superseded {
		t.Error("a slip of the pen that is corrected in the earlier of two on one day makes it hold")
	}
	// However the heads are ordered, at most one is in force, and none only if all objects are annulled.
	rapid.Check(t, func(t *rapid.T) {
		var heads []registry.Head
		versions := map[string]int{}
		annulled := map[string]bool{}
		for id := 1; id <= rapid.IntRange(1, 12).Draw(t, "n"); id++ {
			number := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "number")
			if annulled[number] {
				continue
			}
			versions[number]++
			act := registry.Correct
			switch {
			case versions[number] == 1:
				act = registry.Append
			case rapid.Bool().Draw(t, "annul"):
				act, annulled[number] = registry.Annul, true
			}
			heads = append(heads, registry.Head{
				ID: registry.EntryID(id), Number: number, Version: versions[number], Act: act,
				EffectiveOn: d("2024-01-01").AddDays(rapid.IntRange(0, 3).Draw(t, "day")),
			})
		}
		heads = rapid.Permutation(heads).Draw(t, "order")
		inForce := 0
		for _, h := range heads {
			if registry.StandingOf(h.ID, heads) == registry.InForce {
				inForce++
			}
		}
		want := 1
		if len(annulled) == len(versions) {
			want = 0
		}
		if inForce != want {
			t.Fatalf("%d in force, want %d: %+v", inForce, want, heads)
		}
	})
}

func TestNumbers(t *testing.T) {
	if got := registry.Number(registry.Examinations, 2026, 117204); got != "M-2026-117204" {
		t.Error(got)
	}
	if got := registry.Number(registry.Contracts, 2021, 831452); got != "K-2021-0831452" {
		t.Error(got)
	}
	for last, want := range map[string]string{"": "M-2026-000001", "M-2026-117204": "M-2026-117205", "M-2026-999999": ""} {
		got, err := registry.NextNumber(registry.Examinations, 2026, last)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("after %q: %q, %v", last, got, err)
		}
	}
	for _, bad := range []string{"", "M-2026-11720", "M-26-117204", "M-2026-1172041", "m-2026-117204", "M-2026-117204 ", "M-1826-117204", "M-2026-11720４"} {
		if registry.CheckNumber(registry.Examinations, bad) == nil {
			t.Errorf("%q is a number", bad)
		}
	}
}

// What an entry commits to must not change by accident: lines written long ago open with it.
func TestTheContentOfAnEntryStaysAsItIs(t *testing.T) {
	h := exam().Heading()
	h.ID, h.Version, h.Act, h.EnteredAt, h.EnteredBy = 42, 1, registry.Append, now, "Reyestr şöbəsi"
	got, err := registry.Content(h, exam())
	want := `{"id":42,"book":"examination","number":"M-2026-117204","version":1,"act":"append","subject":"5NQ7K2M","chain":"5NQ7K2M",` +
		`"effective_on":"2026-10-01","entered_at":"2026-11-21T06:00:00Z","entered_by":"Reyestr şöbəsi","reason":"",` +
		`"says":{"number":"M-2026-117204","subject":"5NQ7K2M","commission":"7 saylı TSEK","examined_on":"2026-10-01","repeat":false,` +
		`"outcome":"disability","loss":65,"cause":"general_illness","from":"2026-10-01","until":"2028-09-30","next_from":"2028-08-01"}}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

// Whatever the books take can be printed on an excerpt.
func TestTheDocumentsFontHasEveryLetterOfTheBooks(t *testing.T) {
	letters := 0
	for r := rune(1); r < 0x20000; r++ {
		if tesdiq.CheckText("a"+string(r)+"a", 3, true) != nil {
			continue
		}
		letters++
		if missing := templates.Unprintable(string(r)); len(missing) > 0 {
			t.Errorf("%U %c", r, r)
		}
	}
	if letters < 400 {
		t.Errorf("only %d letters are taken", letters)
	}
}
