package registryweb

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/web"
)

// contractsPage is somebody's places of work.
type contractsPage struct {
	Now, Past []contractRow
}

type contractRow struct {
	Number, Employer, Position, Sort, Term string
	Tag                                    tag
}

// contracts lists the contracts: those in force, then the others.
func (h *Web) contracts(w http.ResponseWriter, r *http.Request) error {
	entries, err := h.Books.Contracts(r.Context(), web.ViewerOf(r.Context()).Person.FIN)
	if err != nil {
		return err
	}
	say, today := h.say(r), tesdiq.DateOf(h.Now())
	var p contractsPage
	for _, e := range entries {
		row := contractRow{
			Number: e.Head.Number, Employer: e.Employer, Position: e.Position, Sort: jobSort(say, e.Contract),
			Term: term(say, e.From, lastDay(e.Contract)), Tag: contractTag(say, e.Contract, today),
		}
		if e.HoldsOn(today) || today.Before(e.From) && e.State == contract.Active {
			p.Now = append(p.Now, row)
		} else {
			p.Past = append(p.Past, row)
		}
	}
	return h.pages.Render(w, r, "contracts.html", web.Page{Title: "web.section.contracts", Section: "contracts", Data: p})
}

// contract shows one contract with all its versions.
func (h *Web) contract(w http.ResponseWriter, r *http.Request) error {
	number := chi.URLParam(r, "number")
	if registry.CheckNumber(registry.Contracts, number) != nil {
		return missing
	}
	entries, err := h.Books.ContractVersions(r.Context(), web.ViewerOf(r.Context()).Person.FIN, number)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return missing
	}
	say, today := h.say(r), tesdiq.DateOf(h.Now())
	var heads []registry.Head
	var says [][]fact
	for _, e := range entries {
		heads, says = append(heads, e.Head), append(says, contractFacts(say, e.Contract))
	}
	last := entries[len(entries)-1]
	o := object{Number: number, Facts: says[len(says)-1], Tag: contractTag(say, last.Contract, today)}
	o.Versions = versions(say, heads, says, func(i int) string { return contractAct(entries[i], i) })
	if last.Act == registry.Annul {
		o.Tag, o.Why = bad(say("registry.state.annulled")), say("registry.why.annulled")
	} else {
		o.Draw = "/cabinet/excerpts/new?kind=contract&number=" + number
	}
	return h.pages.Render(w, r, "contract.html", web.Page{TitleText: last.Employer, Section: "contracts", Data: o})
}

// contractAct is what the i-th version did, as the employer's notification calls it.
func contractAct(e contract.Entry, i int) string {
	switch {
	case e.Act != registry.Append:
		return "registry.version." + string(e.Act)
	case i == 0:
		return "registry.version.concluded"
	case e.State == contract.Terminated:
		return "registry.version.terminated"
	}
	return "registry.version.amended"
}

// lastDay is the last day of a contract; none when it has no end yet.
func lastDay(k contract.Contract) tesdiq.Date {
	if k.State == contract.Terminated {
		return k.Terminated
	}
	return k.Until
}

func contractTag(say say, k contract.Contract, today tesdiq.Date) tag {
	switch {
	case k.State == contract.Terminated:
		return none(say("registry.state.terminated"))
	case k.HoldsOn(today):
		return good(say("registry.state.in_force"))
	case today.Before(k.From):
		return none(say("registry.state.not_begun"))
	}
	return warn(say("registry.state.expired"))
}

func jobSort(say say, k contract.Contract) string {
	if k.Main {
		return say("registry.main")
	}
	return say("registry.additional")
}

// contractFacts are the rows of one version. The salary is the person's own to see.
func contractFacts(say say, k contract.Contract) []fact {
	f := facts{say: say}
	f.add("employer", k.Employer)
	f.add("employer_voen", string(k.EmployerVOEN))
	f.add("workplace", k.Workplace)
	f.add("position", k.Position)
	f.add("job", jobSort(say, k))
	hours := "registry.full_time"
	if k.PartTime {
		hours = "registry.part_time"
	}
	f.add("hours", say(hours))
	f.add("salary", k.Salary.String())
	f.add("contract", k.Number)
	f.add("concluded", k.Concluded.String())
	f.add("job_term", term(say, k.From, k.Until))
	if k.State == contract.Terminated {
		f.add("terminated", k.Terminated.String())
		f.add("ground", k.Ground)
	}
	return f.rows
}
