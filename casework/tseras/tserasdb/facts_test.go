package tserasdb_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
)

// fact is one thing by which somebody could know who is assessed, or who sent him, in each form in which a page might say it.
type fact struct {
	what  string
	forms []string
}

// ofDay are the forms of a day: as people read it, as machines do, and as it stands in addresses and names of files.
func ofDay(what string, d tesdiq.Date) fact {
	return fact{what, []string{d.String(), d.ISO(), strings.ReplaceAll(d.ISO(), "-", ""), strings.ReplaceAll(d.String(), ".", "/"), fmt.Sprintf("%d.%d.%d", d.Day(), d.Month(), d.Year())}}
}

// factsOf are what tells of somebody, of his case, and of who referred him. The day of the referral is none: a commission is drawn on the same day, in public.
func (s *site) factsOf(who string) (all []fact) {
	s.Helper()
	p, ref, clinic, market := people.Who(who), s.referral(who), people.PolyclinicOf(people.Who(who).FIN), people.Organisations[1]
	say := func(what string, forms ...string) { all = append(all, fact{what, forms}) }
	say("FIN", string(p.FIN), strings.ToLower(string(p.FIN)))
	say("surname", p.Name.Surname, strings.ToUpper(p.Name.Surname))
	say("name", p.Name.Given)
	say("father's name", p.Name.Father+" q", p.Name.Father+" oğ")
	say("short name", p.Name.Short())
	say("full name", p.Name.Full(p.Sex))
	say("card", string(p.Card))
	all = append(all, ofDay("birth", p.Born))
	say("district", people.DistrictOf(p.FIN))
	say("polyclinic", clinic.Name)
	say("polyclinic's code", clinic.Code)
	say("employer", market.Name, "Nümunə Market")
	say("employer's VÖEN", string(market.VOEN))
	say("workplace", "mərkəzi ofis")
	say("position", "baş mühasib")
	say("first commission", "7 saylı TSEK")
	say("number of the referral", ref.Number, url.QueryEscape(ref.Number))
	all = append(all, ofDay("illness since", ref.Main.Since), ofDay("treated from", ref.Treatments[0].From), ofDay("treated to", ref.Treatments[0].To), ofDay("tested", ref.Tests[0].On))
	say("physician", string(ref.Physicians[0]))
	say("institution", s.from.Name)
	say("institution's district", string(s.from.District))
	say("institution's VÖEN", "1400057421")
	rows, _ := s.db.Admin.Query(s.Context(), `
		SELECT number FROM cases WHERE subject = $1
		UNION SELECT number FROM entries WHERE subject = $1 AND number <> $1
		UNION SELECT id::text FROM gateway_questions WHERE person = $1`, p.FIN) // the error comes out of Collect
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	s.must(err)
	for _, n := range numbers {
		say("number of a case, an entry or a question", n)
	}
	return all
}

// nothingOf is A11: in all that members were sent, of their cases and in their own cabinet, there is none of what tells who somebody is or who sent him.
func (s *site) nothingOf(who string, members []*reader) {
	s.Helper()
	facts := s.factsOf(who)
	if len(facts) < 30 {
		s.Fatalf("only %d facts: %q", len(facts), facts)
	}
	for _, m := range members {
		for _, path := range []string{"/cabinet", "/cabinet/messages", "/cabinet/cases", "/draws", "/draws/1.json"} {
			if a := m.get(path); a.Status != http.StatusOK {
				s.Errorf("%s: %d", path, a.Status)
			}
		}
		text := m.seen.String()
		if len(text) < 10_000 {
			s.Errorf("the member was sent only %d bytes", len(text))
		}
		var own string // whose name he sees is no fact about anybody
		s.must(s.db.Admin.QueryRow(s.Context(), `SELECT k.name FROM commission_members m JOIN commissions k ON k.id = m.commission_id WHERE m.fin = $1`, m.fin).Scan(&own))
		for _, f := range facts {
			if f.forms[0] == own {
				continue
			}
			for _, form := range f.forms {
				if at := strings.Index(text, form); form == "" || at >= 0 {
					s.Errorf("a member was sent the %s, %q: …%s…", f.what, form, text[max(0, at-60):min(len(text), at+60)])
				}
			}
		}
	}
}
