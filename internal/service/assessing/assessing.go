// Package assessing puts together the assessment of disability: the person's pages, the institutions' API, and the loops that ask registers, draw
// commissions and decide. It reaches no code that signs documents.
package assessing

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
	"github.com/tesdiq/tesdiq/cabinet/cabinetweb"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection/inspectiondb"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection/inspectionweb"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasweb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/gatewaydb"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/web"
)

// Settings are what an installation that offers assessments has. All but TrustFile and Stamps are required.
type Settings struct {
	Gateway   gateway.Config // Seal, Trust and Services; the rest is added here
	TrustFile string         // read anew now and then, so that a seal that was taken back stops counting; empty: never
	Stamps    gateway.TimeStamper
	DrawKey   tseras.DrawKey
	DrawEvery time.Duration // between two rounds of the draw
	Pause     time.Duration // between two looks for work
}

// Assessing is that part of a process.
type Assessing struct {
	Routes []web.Routes
	Loops  []service.Loop
	person *tserasweb.Person
	bench  *tserasweb.Commission
	clinic *tserasweb.Clinic
	moved  func(context.Context) error
}

// termsEvery is how often the terms are looked at: what is due on a day is told within the hour, and each thing once.
const termsEvery = time.Hour

// remindEvery is how often it is looked whom to remind of tomorrow's examination.
const remindEvery = 10 * time.Minute

// alarmsEvery is how often the clocks are looked at. They go by working days, but steps begin at any hour.
const alarmsEvery = time.Minute

// turnLimit bounds one turn of a loop: what takes longer is broken off, rolled back and tried again.
const turnLimit = 2 * time.Minute

// New puts the part together, as the roles tesdiq_casework and, for the members, tesdiq_commission. ConfirmBy has to follow.
func New(h service.Host, shell *web.Shell, pools *postgres.Pools, s Settings) (*Assessing, error) {
	log := gatewaydb.Log{Pool: pools.Casework}
	s.Gateway.Log, s.Gateway.Now, s.Gateway.Rand = log, h.Now, h.Rand
	client, err := gateway.New(s.Gateway)
	if err != nil {
		return nil, err
	}
	calendar := tesdiq.AzerbaijanCalendar()
	desk := tserasdb.Desk{Pool: pools.Casework, Calendar: calendar, Now: h.Now, Rand: h.Rand}
	a := &Assessing{person: &tserasweb.Person{Shell: shell, Desk: desk, Answers: log, Calendar: calendar, Now: h.Now, Rand: h.Rand}}
	if err := a.person.Prepare(); err != nil {
		return nil, err
	}
	institutions := tserasdb.Institutions{Desk: desk}
	institution := &tserasweb.Institution{Shell: shell, Referrals: institutions, Address: h.PublicURL, Now: h.Now}
	a.clinic = &tserasweb.Clinic{Shell: shell, Desk: institutions, Calendar: calendar, Now: h.Now}
	a.bench = &tserasweb.Commission{Shell: shell, Bench: tserasdb.Bench{Pool: pools.Commission, Now: h.Now, Rand: h.Rand}, Calendar: calendar, Now: h.Now}
	clerk := &tserasweb.Clerk{Shell: shell, Filing: tserasdb.Filing{Desk: desk}, Now: h.Now, Rand: h.Rand}
	programmes := &tserasweb.Programmes{Person: a.person, Desk: desk}
	corrections := &tserasweb.Corrections{Person: a.person, Desk: desk}
	bodies := &tserasweb.Rehabilitation{Shell: shell, Bodies: tserasdb.Rehabilitation{Desk: desk}, Calendar: calendar, Now: h.Now}
	anomalies := prometheus.NewCounter(prometheus.CounterOpts{Name: "tesdiq_inspection_anomalies_total",
		Help: "Looks of inspectors at a case by name from the twentieth of a day on."})
	if h.Metrics != nil {
		h.Metrics.Registry.MustRegister(anomalies)
	}
	inspector := &inspectionweb.Web{Shell: shell, Calendar: calendar, Now: h.Now, Inspector: inspectiondb.Inspector{
		Pool: pools.Inspection, Calendar: calendar, Now: h.Now, Rand: h.Rand, Log: h.Log, Alarm: anomalies.Inc,
	}}
	draws := &tserasweb.Draws{Shell: shell, Rounds: tserasdb.Rounds{Pool: pools.Casework, Now: h.Now}}
	for _, pages := range []interface{ Prepare() error }{a.bench, a.clinic, clerk, inspector, programmes, corrections, bodies, draws} {
		if err := pages.Prepare(); err != nil {
			return nil, err
		}
	}
	shell.Draws = true
	a.Routes = []web.Routes{a.person.Routes, institution.Routes, a.clinic.Routes, a.bench.Routes, clerk.Routes, inspector.Routes, programmes.Routes, corrections.Routes, bodies.Routes, draws.Routes}
	gatherer := tserasdb.Gatherer{Desk: desk, Registers: client, Log: h.Log}
	corrector := tserasdb.Corrector{Desk: desk, Registers: client}
	drawer := &tserasdb.Drawer{Pool: pools.Casework, Key: s.DrawKey, Calendar: calendar, Now: h.Now, Rand: h.Rand, Log: h.Log}
	decider := tserasdb.Decider{Desk: desk}
	alarms := caseworkdb.Alarms{Pool: pools.Casework, Calendar: calendar, Now: h.Now}
	rung := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tesdiq_case_alarms_total",
		Help: "Clocks of cases that rang, by how urgent they were and whose turn it was."}, []string{"alarm", "turn"})
	if h.Metrics != nil {
		h.Metrics.Registry.MustRegister(rung)
	}
	terms := tserasdb.Terms{Pool: pools.Casework, Now: h.Now}
	reminders := tserasdb.Reminders{Pool: pools.Casework, Calendar: calendar, Now: h.Now}
	a.Loops = []service.Loop{
		every(h.Log, "ask registers", s.Pause, gather(gatherer)),
		every(h.Log, "ask for corrections", s.Pause, func(ctx context.Context) error { _, err := corrector.Correct(ctx); return err }),
		every(h.Log, "draw commissions", s.DrawEvery, func(ctx context.Context) error { _, err := drawer.Draw(ctx); return err }),
		every(h.Log, "decide", s.Pause, func(ctx context.Context) error { _, err := decider.Decide(ctx); return err }),
		every(h.Log, "pass over the silent", alarmsEvery, func(ctx context.Context) error { _, err := decider.PassOver(ctx); return err }),
		every(h.Log, "ring alarms", alarmsEvery, ring(h.Log, alarms, rung)),
		every(h.Log, "tell of terms", termsEvery, func(ctx context.Context) error { _, err := terms.Tell(ctx, nil); return err }),
		every(h.Log, "remind of examinations", remindEvery, func(ctx context.Context) error { _, err := reminders.Remind(ctx); return err }),
	}
	if s.Stamps != nil {
		stamper := gatewaydb.Stamper{Log: log, Authority: s.Stamps, Now: h.Now}
		a.Loops = append(a.Loops, every(h.Log, "time-stamp answers", s.Pause, func(ctx context.Context) error {
			_, err := stamper.Stamp(ctx, gateway.MaxBatch)
			return err
		}))
	}
	reload := func(context.Context) error { return nil }
	if s.TrustFile != "" {
		reload = func(context.Context) error { return client.Reload(s.TrustFile) }
		a.Loops = append(a.Loops, every(h.Log, "read the trust file", time.Minute, reload))
	}
	a.moved = func(ctx context.Context) error {
		if err := reload(ctx); err != nil {
			return err
		}
		if _, err := reminders.Remind(ctx); err != nil {
			return err
		}
		if _, err := decider.PassOver(ctx); err != nil {
			return err
		}
		_, err := terms.Tell(ctx, nil)
		return err
	}
	return a, nil
}

// Moved does at once what is else done once in a while of real time: for a demonstration, whose clock was put forward.
func (a *Assessing) Moved(ctx context.Context) error {
	if a.moved == nil {
		return nil
	}
	return a.moved(ctx)
}

// ring rings for clocks that are urgent, and says how many rang: no number of a case, no person.
func ring(log *slog.Logger, a caseworkdb.Alarms, rung *prometheus.CounterVec) func(context.Context) error {
	return func(ctx context.Context) error {
		rang, err := a.Ring(ctx)
		for r, n := range rang {
			rung.WithLabelValues(string(r.Alarm), string(r.Turn)).Add(float64(n))
			log.WarnContext(ctx, "clocks of cases rang", "alarm", r.Alarm, "turn", r.Turn, "cases", n)
		}
		return err
	}
}

// gather asks for all cases that wait, each once. What fails for one case is told at the end, and the others are asked for.
func gather(g tserasdb.Gatherer) func(context.Context) error {
	return func(ctx context.Context) (failed error) {
		var after casework.ID
		for {
			last, _, err := g.Gather(ctx, after)
			if err != nil && failed == nil {
				failed = err
			}
			if last == after || ctx.Err() != nil {
				return failed
			}
			after = last
		}
	}
}

// Maybe is New, and an empty part where there are no settings: then nothing is offered.
func Maybe(h service.Host, shell *web.Shell, pools *postgres.Pools, s *Settings) (*Assessing, error) {
	if s == nil {
		return &Assessing{}, nil
	}
	return New(h, shell, pools, *s)
}

// ConfirmBy says who lets members sign: the sign-in, which is put together later than this.
func (a *Assessing) ConfirmBy(c tserasweb.Confirmer) {
	if a.bench != nil {
		a.bench.Confirmer = c
		a.clinic.Confirmer = c
	}
}

// Cases finds somebody's open case for the cabinet; nil where assessments are not offered.
func (a *Assessing) Cases() cabinetweb.Cases {
	if a.person == nil {
		return nil
	}
	return a.open
}

// Seats says to a member of a commission how many cases wait for him, for the cabinet's first page; nil where assessments are not offered.
func (a *Assessing) Seats() cabinetweb.Cases {
	if a.bench == nil {
		return nil
	}
	return func(ctx context.Context, fin tesdiq.FIN, lang tesdiq.Lang) (cabinet.Case, bool, error) {
		path, title, text, ok, err := a.bench.Waiting(ctx, fin, lang)
		return cabinet.Case{Path: path, Title: title, Text: text}, ok, err
	}
}

// Telling says the decision that a message tells of, for the cabinet; nil where assessments are not offered.
func (a *Assessing) Telling() cabinetweb.Telling {
	if a.person == nil {
		return nil
	}
	return func(ctx context.Context, fin tesdiq.FIN, lang tesdiq.Lang, m cabinet.Message) (told cabinet.Told, ok bool, err error) {
		said, ok, err := a.person.Said(ctx, fin, lang, m.Key, m.Args["Number"])
		told = cabinet.Told{Text: said.Text, Path: said.Path, Word: said.Word}
		for i, lines := range said.Lists {
			if len(lines) > 0 {
				told.Lists = append(told.Lists, cabinet.List{Title: said.Titles[i], Lines: lines})
			}
		}
		return told, ok, err
	}
}

// open is a person's case that is under way, as the cabinet's first page shows it; false when there is none.
func (a *Assessing) open(ctx context.Context, fin tesdiq.FIN, lang tesdiq.Lang) (cabinet.Case, bool, error) {
	path, title, text, ok, err := a.person.Open(ctx, fin, lang)
	return cabinet.Case{Path: path, Title: title, Text: text}, ok, err
}
