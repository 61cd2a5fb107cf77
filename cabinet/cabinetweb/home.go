package cabinetweb

import (
	"net/http"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
	"github.com/tesdiq/tesdiq/web"
)

// homeView is what the first page shows.
type homeView struct {
	Turn        cabinet.Turn
	Examination cabinet.Examination
	Unread      int
	Checks      int
	Looks       int
	Days        int
	Excerpts    []excerptLine
	Memberships []cabinet.Membership
	Cases       bool          // are offered here
	Case        *cabinet.Case // that is under way; nil: there is none
	Seats       *cabinet.Case // that wait for a member of a commission; nil: is none
}

// excerptLine is one excerpt in force, in words.
type excerptLine struct {
	cabinet.Excerpt
	Title string
	For   string // for whom and what for; empty when neither was said
}

// organisationView is what the first page shows to who acts for an organisation.
type organisationView struct {
	Organisation web.Organisation
	Others       []cabinet.Membership
}

// home is the person's first page, or the organisation's.
func (h *Web) home(w http.ResponseWriter, r *http.Request) error {
	v := web.ViewerOf(r.Context())
	memberships, err := h.Roles.Memberships(r.Context(), v.Person.FIN)
	if err != nil {
		return err
	}
	if v.Organisation != nil {
		view := organisationView{Organisation: *v.Organisation}
		for _, m := range memberships {
			if m.ID != v.Organisation.ID {
				view.Others = append(view.Others, m)
			}
		}
		return h.pages.Render(w, r, "organisation.html", web.Page{TitleText: v.Organisation.Name, Data: view})
	}
	today := tesdiq.DateOf(h.Now())
	found, err := h.Homes.Home(r.Context(), v.Person.FIN, today)
	if err != nil {
		return err
	}
	view := homeView{
		Turn: found.Examination.Turn(today), Examination: found.Examination, Unread: found.Unread, Checks: found.Checks,
		Looks: found.Looks, Days: cabinet.LookBack, Memberships: memberships,
	}
	if h.Cases != nil {
		view.Cases = true
		switch c, open, err := h.Cases(r.Context(), v.Person.FIN, v.Lang); {
		case err != nil:
			return err
		case open:
			view.Case = &c
		}
	}
	if h.Seats != nil {
		switch c, member, err := h.Seats(r.Context(), v.Person.FIN, v.Lang); {
		case err != nil:
			return err
		case member:
			view.Seats = &c
		}
	}
	for _, x := range found.Excerpts {
		line := excerptLine{x, h.title(v.Lang, x), x.Recipient}
		if x.Recipient != "" && x.Purpose != "" {
			line.For += ", "
		}
		line.For += x.Purpose
		view.Excerpts = append(view.Excerpts, line)
	}
	return h.pages.Render(w, r, "home.html", web.Page{TitleText: h.greeting(v), Data: view})
}

// greeting addresses the person as people do: by the given name, with xanım or bəy.
func (h *Web) greeting(v web.Viewer) string {
	switch v.Person.Sex {
	case tesdiq.Female:
		return h.Shell.T(v.Lang, "cabinet.greeting.f", "Given", v.Person.Name.Given, "Name", v.Person.Name.Short())
	case tesdiq.Male:
		return h.Shell.T(v.Lang, "cabinet.greeting.m", "Given", v.Person.Name.Given, "Name", v.Person.Name.Short())
	}
	return h.Shell.T(v.Lang, "cabinet.greeting", "Name", v.Person.Name.Short())
}
