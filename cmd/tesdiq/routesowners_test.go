package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
)

// secondVOEN is a VÖEN that no organisation of the demonstration's has.
const secondVOEN tesdiq.VOEN = "1400057421"

// secondClinic is a second medical institution with a seal of its own, for which somebody of the cast acts.
func (w *world) secondClinic(who string) {
	w.t.Helper()
	ctx, a := w.t.Context(), people.Who(who)
	o, t := organisationdb.Operator{Pool: w.app.Pools.Operator, Now: time.Now, Rand: rand.Reader}, tserasdb.Operator{Pool: w.app.Pools.Operator, Now: time.Now, Rand: rand.Reader}
	seal, err := openSeal(filepath.Join(w.dir, "clinic-2"), time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, do := range []func() error{
		func() error {
			_, err := o.Add(ctx, organisation.Organisation{VOEN: secondVOEN, Name: "Nümunə Binəqədi poliklinikası", Sort: organisation.Medical})
			return err
		},
		func() error {
			_, err := o.AddMember(ctx, secondVOEN, organisation.Member{FIN: a.FIN, Name: a.Name.Short(), Role: organisation.Clerk})
			return err
		},
		func() error { _, err := t.AddInstitution(ctx, secondVOEN, "Binəqədi"); return err },
		func() error { _, err := t.AddSeal(ctx, secondVOEN, seal); return err },
	} {
		if err := do(); err != nil {
			w.t.Fatal(err)
		}
	}
}

// asOf signs somebody of the cast in, who then says that he acts for an organisation which the provider does not know.
func (w *world) asOf(who string, voen tesdiq.VOEN) *visitor {
	w.t.Helper()
	v, id := w.as(who, ""), ""
	if err := w.db.Admin.QueryRow(w.t.Context(), `SELECT id::text FROM organisations WHERE voen = $1`, voen).Scan(&id); err != nil {
		w.t.Fatal(err)
	}
	if status, _, body := w.ask(v.http, http.MethodPost, "/cabinet/act", "", url.Values{"organisation": {id}}); status != http.StatusSeeOther {
		w.t.Fatalf("act for %s: %d %s", voen, status, body)
	}
	return v
}

// faulty lets something go wrong at the agencies from now on.
func (w *world) faulty(all ...agencies.Fault) {
	w.t.Helper()
	var services []struct{ URL string }
	if err := json.Unmarshal(read(w.t, filepath.Join(w.dir, "agencies", "services.json")), &services); err != nil {
		w.t.Fatal(err)
	}
	b, err := json.Marshal(all)
	if err != nil {
		w.t.Fatal(err)
	}
	put(w.t, services[0].URL+"/faults", string(b), http.StatusNoContent)
}

// sealedGet is what is sealed to read an address now.
func sealedGet(address string) []byte {
	return []byte(fmt.Sprintf(`{"method":"GET","url":%q,"at":%q}`, address, time.Now().UTC().Format(time.RFC3339)))
}

// workday is the n-th working day after one.
func workday(t testing.TB, after tesdiq.Date, n int) tesdiq.Date {
	t.Helper()
	day, _, err := tesdiq.AzerbaijanCalendar().Term(after, n)
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// programme is the number of a programme of somebody else's than Nermin's, which the body has.
func (w *world) programme() (number string) {
	w.t.Helper()
	w.applied("sevinc", tseras.Decided)
	if err := w.db.Admin.QueryRow(w.t.Context(), `SELECT number FROM cases WHERE kind = 'programme'`).Scan(&number); err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.as("sevda", "rehabilitation").http.PostForm(w.address+"/rehabilitation/"+number+"/take", url.Values{})
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	return number
}

// decided is the number of the assessment of Sevinc, whom the registers alone decided.
func (w *world) decided() (number string) {
	w.t.Helper()
	if err := w.db.Admin.QueryRow(w.t.Context(), `SELECT number FROM cases WHERE kind = 'assessment' AND state = 'decided'`).Scan(&number); err != nil {
		w.t.Fatal(err)
	}
	return number
}

// atPost posts a form as the clerk of the post office, and says where it leads.
func (w *world) atPost(path string, form url.Values) string {
	w.t.Helper()
	resp, err := w.as("zaur", "post").http.PostForm(w.address+path, form)
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	if at := resp.Header.Get("Location"); at != "" {
		return at
	}
	return resp.Request.URL.Path
}

// present is a visit of somebody at the post office.
func (w *world) present(who string) (visit string) {
	a := people.Who(who)
	return w.atPost("/filing", url.Values{"document": {string(a.Card)}, "fin": {string(a.FIN)}})
}

// filed is a visit of somebody at the post office, and the number of what was filed there for him.
func (w *world) filed(who string) (visit, number string) {
	visit = w.present(who)
	at := w.atPost(visit+"/apply", nil)
	return visit, at[strings.LastIndex(at, "/")+1:]
}

// looked is where an inspector's look at a case leads.
func (w *world) looked(number string) string {
	w.t.Helper()
	resp, err := w.as("orxan", "inspection").http.PostForm(w.address+"/inspection/case", url.Values{"number": {number}, "purpose": {"complaint"}})
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	if at := resp.Header.Get("Location"); at != "" {
		return at
	}
	return resp.Request.URL.Path
}

// message is the id of a message to Nərmin.
func (w *world) message() (id string) {
	w.t.Helper()
	err := w.db.Admin.QueryRow(w.t.Context(), `SELECT max(id)::text FROM messages WHERE fin = $1`, people.Who("nermin").FIN).Scan(&id)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// contact is the id of an address that Nərmin gave.
func (w *world) contact() (id string) {
	w.t.Helper()
	err := w.db.Admin.QueryRow(w.t.Context(), `
		WITH given AS (
			INSERT INTO contacts (fin, channel, address, lang, given_at)
			SELECT $1, 'sms', '+994501234567', 'az', now() WHERE NOT EXISTS (SELECT FROM contacts WHERE fin = $1)
			RETURNING id
		)
		SELECT id::text FROM given UNION SELECT id::text FROM contacts WHERE fin = $1`, people.Who("nermin").FIN).Scan(&id)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}
