package people

import (
	"math/rand/v2"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
)

// Actor is somebody of the fixed cast, to sign in as.
type Actor struct {
	Key  string // what tests and the demo call him
	FIN  tesdiq.FIN
	Name tesdiq.Name
	Sex  tesdiq.Sex
	Born tesdiq.Date
	Card tesdiq.DocumentNumber
}

// The fixed cast. The keys are stable: the demo's texts and tests name them.
var Cast = []Actor{
	{"nermin", "5NQ7K2M", tesdiq.Name{Surname: "Quliyeva", Given: "Nərmin", Father: "Əli"}, tesdiq.Female, tesdiq.NewDate(1988, 4, 12), "AA4071826"},
	{"oqtay", "2RD8V4X", tesdiq.Name{Surname: "Məmmədov", Given: "Oqtay", Father: "İslam"}, tesdiq.Male, tesdiq.NewDate(1961, 9, 3), "AZE06172938"},
	{"leman", "7YB3T9C", tesdiq.Name{Surname: "Əliyeva", Given: "Ləman", Father: "Tural"}, tesdiq.Female, tesdiq.NewDate(2017, 2, 25), "AA5510347"},
	{"gunay", "1KF6W0Z", tesdiq.Name{Surname: "İsmayılova", Given: "Günay", Father: "Rauf"}, tesdiq.Female, tesdiq.NewDate(1996, 11, 30), "AA2938471"},
	{"ebdulrehimxan", "9GX1P5D", tesdiq.Name{
		Surname: "Hacıbaloğlanzadə-Məlikməmmədbəyli", Given: "Əbdülrəhimxan-Şahinşah", Father: "Seyidməhəmmədəli-Ağa",
	}, tesdiq.Male, tesdiq.NewDate(1974, 6, 17), "AZE11223344"},
	{"elcin", "4CM9J7S", tesdiq.Name{Surname: "Kərimov", Given: "Elçin", Father: "Vaqif"}, tesdiq.Male, tesdiq.NewDate(1983, 1, 8), "AA7719305"},
	{"sevinc", "8PH2E6V", tesdiq.Name{Surname: "Bağırova", Given: "Sevinc", Father: "Nizami"}, tesdiq.Female, tesdiq.NewDate(1979, 7, 21), "AZE08451297"},
	{"xeyransa", "3ZT5Q1A", tesdiq.Name{Surname: "Mirzəyeva", Given: "Xeyransa", Father: "Qurban"}, tesdiq.Female, tesdiq.NewDate(1922, 3, 21), "AZE00417263"},
	{"cavid", "6VW4G8R", tesdiq.Name{Surname: "Rzalı", Given: "Cavid", Father: "Şamil"}, tesdiq.Male, tesdiq.NewDate(1991, 12, 5), "AA6604182"},
	// Those who act for an organisation; see Organisations.
	{"aysel", "1HS7N3B", tesdiq.Name{Surname: "Həsənova", Given: "Aysel", Father: "Kamran"}, tesdiq.Female, tesdiq.NewDate(1994, 5, 14), "AA3327164"},
	{"murad", "2TM5F9D", tesdiq.Name{Surname: "Tağıyev", Given: "Murad", Father: "Fikrət"}, tesdiq.Male, tesdiq.NewDate(1985, 10, 2), "AA1846290"},
	{"konul", "7AK3U1L", tesdiq.Name{Surname: "Abdullayeva", Given: "Könül", Father: "Zahid"}, tesdiq.Female, tesdiq.NewDate(1990, 8, 19), "AA8250713"},
	{"samir", "5VS8Y2E", tesdiq.Name{Surname: "Vəliyev", Given: "Samir", Father: "Yaşar"}, tesdiq.Male, tesdiq.NewDate(1987, 3, 27), "AA4495038"},
	{"nigar", "3NR6C8K", tesdiq.Name{Surname: "Şükürova", Given: "Nigar", Father: "Elxan"}, tesdiq.Female, tesdiq.NewDate(1982, 6, 9), "AA5938204"},
	{"zaur", "4ZR7K2D", tesdiq.Name{Surname: "Nağıyev", Given: "Zaur", Father: "Tofiq"}, tesdiq.Male, tesdiq.NewDate(1991, 7, 15), "AA6102947"},
	{"leyla", "8LY3M6T", tesdiq.Name{Surname: "Rüstəmova", Given: "Leyla", Father: "Akif"}, tesdiq.Female, tesdiq.NewDate(1996, 1, 30), "AA9430582"},
	{"orxan", "6RX1N9S", tesdiq.Name{Surname: "Babayev", Given: "Orxan", Father: "Vüqar"}, tesdiq.Male, tesdiq.NewDate(1979, 11, 4), "AZE06273915"},
	{"sevda", "2SV5D8H", tesdiq.Name{Surname: "Cəfərova", Given: "Sevda", Father: "Mahir"}, tesdiq.Female, tesdiq.NewDate(1984, 4, 22), "AA3758106"},
	// Members of commissions; see Commissions.
	{"rena", "6RN4T1H", tesdiq.Name{Surname: "Səfərova", Given: "Rəna", Father: "Çingiz"}, tesdiq.Female, tesdiq.NewDate(1972, 2, 11), "AZE07315842"},
	{"kamal", "4KM8X3P", tesdiq.Name{Surname: "Hüseynov", Given: "Kamal", Father: "Arif"}, tesdiq.Male, tesdiq.NewDate(1980, 10, 24), "AA2619475"},
	{"sebine", "9SB5W7G", tesdiq.Name{Surname: "Qasımova", Given: "Səbinə", Father: "Xəqani"}, tesdiq.Female, tesdiq.NewDate(1986, 12, 1), "AA7043861"},
}

// Who finds somebody of the cast by his key.
func Who(key string) Actor {
	for _, a := range Cast {
		if a.Key == key {
			return a
		}
	}
	panic("people: nobody of the cast is called " + key)
}

// Organisation is an invented organisation with those who act for it.
type Organisation struct {
	Key      string
	VOEN     tesdiq.VOEN
	Name     string
	Sort     string // bank, employer, office, medical
	Members  []Member
	Client   string // name of its program; empty for none
	District string // where a medical institution, or a centre, is
	Duties   []string
}

// Member is somebody of the cast in an organisation.
type Member struct {
	Key  string // of the actor
	Role string // clerk, manager
}

// castVOENs is how many VÖENs are kept for the cast's own organisations and employers.
const castVOENs = 12

var castVOEN = voens(castVOENs)

// Organisations are the demo's.
var Organisations = []Organisation{
	{"bank", castVOEN[0], "“Nümunə Bank” Açıq Səhmdar Cəmiyyəti", "bank", []Member{{"aysel", "clerk"}, {"murad", "manager"}}, "Kredit sistemi", "", nil},
	{"market", castVOEN[1], "“Nümunə Market” Məhdud Məsuliyyətli Cəmiyyəti", "employer", []Member{{"konul", "clerk"}}, "", "", nil},
	{"office", castVOEN[2], "Nümunə rayon Sosial Xidmətlər Mərkəzi", "office", []Member{{"samir", "clerk"}}, "", "", nil},
	{"clinic", castVOEN[6], "Nümunə Nəsimi poliklinikası", "medical", []Member{{"nigar", "manager"}}, "Poliklinika sistemi", "Nəsimi", nil},
	{"post", castVOEN[7], "Nümunə 1 saylı poçt şöbəsi", "office", []Member{{"zaur", "clerk"}}, "", "", []string{"filing"}},
	{"calls", castVOEN[8], "142 Çağrı Mərkəzi", "office", []Member{{"leyla", "clerk"}}, "Çağrı sistemi", "", []string{"call_centre"}},
	{"inspection", castVOEN[9], "Nümunə Sosial Nəzarət Xidməti", "office", []Member{{"orxan", "manager"}}, "", "", []string{"inspection"}},
	{"rehabilitation", castVOEN[10], "Nümunə Bərpa Mərkəzi", "office", []Member{{"sevda", "clerk"}}, "", "Nəsimi", []string{"rehabilitation"}},
}

// The cast's employers besides the organisations.
var (
	market  = Employer{VOEN: castVOEN[1], Name: Organisations[1].Name, Workplace: "Bakı şəhəri, mərkəzi ofis"}
	college = Employer{VOEN: castVOEN[3], Name: "“Örnək Kollec” Publik Hüquqi Şəxs", Workplace: "İqtisadiyyat kafedrası"}
	works   = Employer{VOEN: castVOEN[4], Name: "“Sınaq Maşınqayırma” Qapalı Səhmdar Cəmiyyəti", Workplace: "Sumqayıt şəhəri, 2 saylı sex"}
	longest = Employer{
		VOEN: castVOEN[5],
		Name: "“Nümunə Respublika Su Təsərrüfatının İnşası, Təmiri, Bərpası və Yenidən Qurulması üzrə Elmi-Tədqiqat və Layihə-Axtarış İnstitutu” " +
			"Açıq Səhmdar Cəmiyyəti",
		Workplace: "Mingəçevir şəhəri, Kür çayı üzərində hidrotexniki qurğuların istismarı və sahillərin bərkidilməsi üzrə sahə",
	}
)

// cast enters the cast.
func (w *world) cast() []registry.Version {
	var all []registry.Version
	for i, a := range Cast {
		l := &life{world: w, r: rand.New(rand.NewPCG(0xCA57, uint64(i)))}
		l.enterPerson(person.Person{FIN: a.FIN, Name: a.Name, Sex: a.Sex, Born: a.Born, Document: a.Card})
		if story, ok := stories[a.Key]; ok {
			story(l)
		}
		all = append(all, l.versions...)
	}
	return all
}

// stories are what the books know about the cast; days are counted back from today, so that the demo never grows old.
// Who is not named here has no examination and no contract.
var stories = map[string]func(*life){
	// A current disability, examined for the second time, and a main job with a rise in pay.
	"nermin": func(l *life) {
		first := l.today.AddMonths(-34)
		l.examined(first, 24, examination.Examination{Commission: "7 saylı TSEK", Loss: 45, Cause: "general_illness"})
		l.examined(first.AddMonths(24).AddDays(-20), 24, examination.Examination{Commission: "7 saylı TSEK", Loss: 65, Repeat: true, Cause: "general_illness"})
		v := l.hired(market, "baş mühasib", l.today.AddYears(-5).AddDays(17), true, 1450_00)
		k := v.Body.(contract.Contract)
		k.EffectiveOn, k.Salary = l.today.AddMonths(-9), 1820_00
		l.enter(v, registry.Change{Act: registry.Append, Body: k, By: byEmployer}, k.EffectiveOn)
	},
	// A degree of the law before 2022, without term, and a retirement.
	"oqtay": func(l *life) {
		l.examined(tesdiq.NewDate(2019, 3, 14), 0, examination.Examination{Commission: "3 saylı TSEK", Degree: "II", Cause: "occupational_disease"})
		l.dismissed(l.hired(works, "qaynaqçı", tesdiq.NewDate(2009, 4, 6), true, 640_00), tesdiq.NewDate(2019, 4, 1), grounds[4])
	},
	// A child's disability, until the eighteenth birthday.
	"leman": func(l *life) {
		day := l.today.AddMonths(-7)
		e := examination.Examination{Commission: "12 saylı TSEK", Cause: "childhood", Outcome: examination.ChildUnder18, Loss: 85}
		e.Until = l.person.Born.AddYears(18)
		l.examined(day, 0, e)
	},
	// The longest of everything.
	"ebdulrehimxan": func(l *life) {
		l.examined(l.today.AddMonths(-3), 12, examination.Examination{Commission: "Mərkəzi TSEK (kardioloji, endokrinoloji və göz xəstəlikləri profilli)", Loss: 85, Cause: "chernobyl_military"})
		l.hired(longest, "Hidrotexniki qurğuların etibarlılığının və təhlükəsizliyinin qiymətləndirilməsi laboratoriyasının aparıcı elmi işçisi", l.today.AddYears(-11), true, 2310_00)
	},
	// A main job and two additional ones.
	"elcin": func(l *life) {
		l.hired(college, "müəllim", l.today.AddYears(-8), true, 980_00)
		l.hired(market, "anbardar", l.today.AddYears(-2), false, 420_00)
		l.hired(works, "laborant", l.today.AddMonths(-14), false, 360_00)
	},
	// Terminated, and nothing since; the only examination found no disability.
	"sevinc": func(l *life) {
		v := l.hired(market, "satıcı", l.today.AddYears(-6), true, 500_00)
		l.dismissed(v, l.today.AddMonths(-2), grounds[0])
		l.examined(l.today.AddMonths(-1), 0, examination.Examination{Commission: "21 saylı TSEK", Outcome: examination.NotDisability, Loss: 25})
	},
	// Over a hundred, with a group of the law before 2016, without term.
	"xeyransa": func(l *life) {
		l.examined(tesdiq.NewDate(2007, 5, 22), 0, examination.Examination{Commission: "1 saylı TSEK", Group: "I", Cause: "general_illness"})
	},
	// An examination that was corrected, one that was annulled, and a job for a term.
	"cavid": func(l *life) {
		v := l.examined(l.today.AddMonths(-10), 24, examination.Examination{Commission: "9 saylı TSEK", Loss: 70, Cause: "work_injury"})
		e := v.Body.(examination.Examination)
		e.Commission = "19 saylı TSEK"
		l.enter(v, registry.Change{Act: registry.Correct, Body: e, By: byOfficer, Reason: "Komissiyanın nömrəsi səhv yazılmışdı"}, l.today.AddMonths(-9))
		v = l.examined(l.today.AddMonths(-8), 12, examination.Examination{Commission: "9 saylı TSEK", Loss: 90, Cause: "general_illness"})
		l.enter(v, registry.Change{
			Act: registry.Annul, Book: registry.Examinations, Number: v.Head.Number, By: byOfficer, Reason: "Qeyd başqa şəxsə aiddir",
		}, l.today.AddMonths(-7))
		k := l.contract(market, "proqramçı", l.today.AddMonths(-5), true, 2600_00)
		k.Until = l.today.AddMonths(7)
		l.enter(nil, registry.Change{Act: registry.Append, Body: k, By: byEmployer}, k.From)
	},
	"aysel": func(l *life) {
		l.hired(Employer{VOEN: Organisations[0].VOEN, Name: Organisations[0].Name, Workplace: "Kredit departamenti"}, "kredit mütəxəssisi", l.today.AddYears(-3), true, 1500_00)
	},
}

// examined enters an examination of a day for so many months; none: what e says itself.
func (l *life) examined(day tesdiq.Date, months int, e examination.Examination) *registry.Version {
	e.Number, e.Subject, e.ExaminedOn = l.number(registry.Examinations, day), l.person.FIN, day
	if e.Outcome == "" {
		e.Outcome = examination.Disability
	}
	if e.Outcome != examination.NotDisability {
		e.From = day
	}
	if months > 0 {
		e.Until = day.AddMonths(months).AddDays(-1)
	}
	if !e.Until.IsZero() {
		e.NextFrom = e.Until.AddDays(-window)
	}
	return l.enter(nil, registry.Change{Act: registry.Append, Body: e, By: byOfficer}, later(day, examinationsOpened))
}

func (l *life) contract(e Employer, position string, from tesdiq.Date, main bool, salary tesdiq.Qapik) contract.Contract {
	return contract.Contract{
		Number: l.number(registry.Contracts, from), Subject: l.person.FIN, Employer: e.Name, EmployerVOEN: e.VOEN, Workplace: e.Workplace,
		Position: position, Main: main, PartTime: !main, Salary: salary, Concluded: from.AddDays(-3), From: from,
		State: contract.Active, EffectiveOn: from,
	}
}

// hired enters a contract without term.
func (l *life) hired(e Employer, position string, from tesdiq.Date, main bool, salary tesdiq.Qapik) *registry.Version {
	return l.enter(nil, registry.Change{Act: registry.Append, Body: l.contract(e, position, from, main, salary), By: byEmployer}, later(from, contractsOpened))
}

// dismissed enters the end of a contract.
func (l *life) dismissed(v *registry.Version, day tesdiq.Date, ground string) {
	k := v.Body.(contract.Contract)
	k.State, k.Terminated, k.EffectiveOn, k.Ground = contract.Terminated, day, day, ground
	l.enter(v, registry.Change{Act: registry.Append, Body: k, By: byEmployer}, later(day, contractsOpened))
}
