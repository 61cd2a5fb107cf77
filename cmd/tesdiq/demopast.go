package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/gateway/gatewaydb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/simulate"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/examination"
)

// past is what a demonstration plays before it is there: cases of the last quarter that is over, so that an inspector finds something. Invented
// people apply, the agencies are asked, commissions drawn, members record and sign, all by the real components on a clock that is
// moved through the quarter; the polyclinic seals its referrals.
type past struct {
	Quarter string `json:"quarter"`
	Played  bool   `json:"played"`

	path   string
	period inspection.Period
	clock  movedClock
	cases  []*pastCase
}

// movedClock is a clock that moves only so far that no two moments are the same, and when it is put forward.
type movedClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *movedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Millisecond)
	return c.at
}

func (c *movedClock) to(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.at) {
		c.at = t
	}
}

// pastCase is somebody's case as those who take part in it play it.
type pastCase struct {
	n       int
	fin     tesdiq.FIN
	born    tesdiq.Date
	begins  tesdiq.Date
	applies bool // himself; else the polyclinic refers him
	begun   bool
	number  string
	state   casework.State
}

// beganAfter is how many days of the quarter pass before the first case: the agencies' trust file of that day holds three months.
const beganAfter = 2

// openPast says what is to be played, and gives agencies that are new keys of that time; nil where nothing is to be played, or everything
// was.
func openPast(dir string, timeStamps []byte, n int, now time.Time) (*past, error) {
	if n == 0 {
		return nil, nil
	}
	p := &past{path: filepath.Join(dir, "past.json")}
	switch data, err := os.ReadFile(p.path); {
	case err == nil:
		if err := json.Unmarshal(data, p); err != nil {
			return nil, fmt.Errorf("%s: %w", p.path, err)
		}
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	default:
		if _, err := os.Stat(dir); err == nil {
			return nil, nil // of an earlier version: its keys did not hold then
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, noFolder(err)
		}
		p.Quarter = inspection.Quarters(tesdiq.DateOf(now))[0].Key
		if err := p.keep(); err != nil {
			return nil, err
		}
	}
	p.period = inspection.PeriodOf(p.Quarter, inspection.Quarters(tesdiq.DateOf(now)))
	if p.Played || p.period.Key != p.Quarter {
		return nil, nil
	}
	p.clock.to(p.period.From.AddDays(beganAfter).Start())
	_, err := agencies.Open(dir, timeStamps, p.clock.now(), rand.Reader)
	return p, err
}

func (p *past) keep() error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return writeWhole(p.path, append(data, '\n'))
}

// invite says who of the invented people has a case, and when it begins: first those of whom a register may be enough to decide.
func (p *past) invite(world *agencies.World, d demoCommand) {
	var evident, others []tesdiq.FIN
	before := map[tesdiq.FIN]bool{} // was examined shortly before, or after
	cast := map[tesdiq.FIN]bool{}
	for _, a := range people.Cast {
		cast[a.FIN] = true
	}
	for v := range people.Generate(d.Seed, min(d.People, 25*d.Past), p.period.Until) {
		fin := v.Head.Subject
		if x, ok := v.Body.(examination.Examination); ok && x.ExaminedOn.After(p.period.From.AddYears(-1)) {
			before[fin] = true
		}
		if v.Head.Book != registry.Persons || v.Head.Version != 1 || cast[fin] {
			continue
		}
		if all, ok := world.Records(gateway.Dialysis, fin, tesdiq.Date{}, p.period.From).([]gateway.Course); ok && len(all) > 0 {
			evident = append(evident, fin)
		} else {
			others = append(others, fin)
		}
	}
	all := slices.DeleteFunc(append(evident[:min(len(evident), d.Past/4)], others...), func(fin tesdiq.FIN) bool { return before[fin] })
	all = all[:min(len(all), d.Past)]
	days := p.period.From.DaysUntil(p.period.Until) - 40 // the last ones need some weeks
	for n, fin := range all {
		c := &pastCase{n: n, fin: fin, begins: p.period.From.AddDays(beganAfter + 1 + n*7%len(all)*days/len(all)), applies: n%3 != 0}
		if r, ok := world.Records(gateway.Population, fin, tesdiq.Date{}, c.begins).([]gateway.Resident); ok && len(r) > 0 && r[0].Died.IsZero() && r[0].Born.Before(c.begins.AddYears(-1)) {
			c.born = r[0].Born
			p.cases = append(p.cases, c)
		}
	}
}

// player is the real components on the clock of the past.
type player struct {
	*past
	world     *agencies.World
	desk      tserasdb.Desk
	gatherer  tserasdb.Gatherer
	drawer    *tserasdb.Drawer
	decider   tserasdb.Decider
	alarms    caseworkdb.Alarms
	bench     tserasdb.Bench
	stamper   gatewaydb.Stamper
	from      tseras.Institution
	signer    jose.Signer
	refused   bool
	different int
}

// play plays it, and notes that it was played.
func (p *past) play(ctx context.Context, d demoCommand, parts *parts, dir, clinic string, server *agencies.Server) error {
	p.invite(server.World, d)
	y, stop, err := p.player(ctx, parts, dir, clinic, server)
	if err != nil {
		return err
	}
	defer stop()
	calendar, day := tesdiq.AzerbaijanCalendar(), p.period.From.AddDays(beganAfter)
	for n := 0; slices.ContainsFunc(p.cases, func(c *pastCase) bool { return !c.over() }); n++ {
		if day, err = calendar.AddWorkingDays(day, 3); err != nil {
			return err
		}
		if !day.Before(p.period.Until) {
			break // who is not ready is late, and the inspector sees it
		}
		if err := y.day(ctx, n, day); err != nil {
			return fmt.Errorf("the past, %s: %w", day.ISO(), err)
		}
	}
	p.Played = true
	return p.keep()
}

func (c *pastCase) over() bool {
	return c.begun && (c.number == "" || tseras.Machine.Closed(tseras.Assessment, c.state))
}

func (p *past) player(_ context.Context, parts *parts, dir, clinic string, server *agencies.Server) (y *player, stop func(), err error) {
	y = &player{past: p, world: server.World}
	key, err := drawKey(filepath.Join(dir, "draw.key"))
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	then := &http.Server{Handler: &agencies.Server{World: server.World, Keys: server.Keys, Now: p.clock.now, Rand: rand.Reader}, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = then.Serve(l) }()
	stop = func() { _ = then.Close() }
	defer func() {
		if err != nil {
			stop()
		}
	}()
	pool, calendar := parts.Pools.Casework, tesdiq.AzerbaijanCalendar()
	log := gatewaydb.Log{Pool: pool}
	client, err := gateway.New(gateway.Config{Seal: server.Keys.Asker, Trust: server.Keys.Trust, Services: agencies.Services("http://" + l.Addr().String()),
		Log: log, Now: p.clock.now, Rand: rand.Reader})
	if err != nil {
		return nil, nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	y.desk = tserasdb.Desk{Pool: pool, Calendar: calendar, Now: p.clock.now, Rand: rand.Reader}
	y.gatherer = tserasdb.Gatherer{Desk: y.desk, Registers: client, Log: quiet}
	y.drawer = &tserasdb.Drawer{Pool: pool, Key: key, Calendar: calendar, Now: p.clock.now, Rand: rand.Reader, Log: quiet}
	y.decider = tserasdb.Decider{Desk: y.desk}
	y.alarms = caseworkdb.Alarms{Pool: pool, Calendar: calendar, Now: p.clock.now}
	y.bench = tserasdb.Bench{Pool: parts.Pools.Commission, Now: p.clock.now, Rand: rand.Reader}
	y.stamper = gatewaydb.Stamper{Log: log, Authority: ownStamps{parts.Keys.Authority(rand.Reader), p.clock.now}, Now: p.clock.now}
	return y, stop, y.seal(clinic)
}

// seal reads with what the polyclinic signs.
func (y *player) seal(dir string) error {
	read := func(name string) ([]byte, error) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(data)
		return block.Bytes, nil
	}
	secret, err := read(clinicKey)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		return err
	}
	certificate, err := read(clinicSeal)
	if err != nil {
		return err
	}
	id := sha256.Sum256(certificate)
	if y.from, _, err = (tserasdb.Institutions{Desk: y.desk}).Sealer(context.Background(), id); err != nil {
		return err
	}
	y.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("x5t#S256", base64.RawURLEncoding.EncodeToString(id[:])))
	return err
}

// day is one working day: in the morning people apply and the polyclinic refers, at noon members act, and after each the loops run.
func (y *player) day(ctx context.Context, n int, day tesdiq.Date) error {
	at := func(hour int) { y.clock.to(day.Start().Add(time.Duration(hour) * time.Hour)) }
	at(9)
	if _, err := y.drawer.Draw(ctx); err != nil { // seeds are committed to before the cases are known
		return err
	}
	for _, c := range y.cases {
		switch {
		case !c.begun && !c.begins.After(day):
			c.begun = true
			if err := y.open(ctx, c); err != nil {
				return fmt.Errorf("case %d begins: %w", c.n, err)
			}
		case c.state == tseras.AwaitingReferral && c.begins.AddDays(2+c.n%5).Before(day):
			if err := y.refer(ctx, c); err != nil {
				return fmt.Errorf("case %d is referred: %w", c.n, err)
			}
		}
	}
	if err := y.gather(ctx); err != nil {
		return err
	}
	at(14)
	if err := y.members(ctx, n, day); err != nil {
		return err
	}
	return y.evening(ctx)
}

// open begins a case. Who may not have one now, by what the registers and books say, is left out.
func (y *player) open(ctx context.Context, c *pastCase) error {
	if !c.applies {
		return y.refer(ctx, c)
	}
	opened, err := y.desk.Apply(ctx, c.fin, casework.Actor{Part: casework.BySubject, FIN: c.fin}, fmt.Sprintf("past-%d", c.n))
	if err != nil && !expected(err) {
		return err
	}
	c.number, c.state = opened.Number, opened.State
	return nil
}

func expected(err error) bool {
	p := tesdiq.ProblemsOf(err)[0]
	return p.Kind == tesdiq.Conflict || p.Kind == tesdiq.Refused || p.Kind == tesdiq.NotFound
}

// refer refers somebody by what hospitals treated him for, or by what the polyclinic found itself.
func (y *player) refer(ctx context.Context, c *pastCase) error {
	today := tesdiq.DateOf(y.clock.now())
	latest := func(a, b tesdiq.Date) tesdiq.Date {
		if a.Before(b) {
			return b
		}
		return a
	}
	ref := tseras.Referral{Number: fmt.Sprintf("88/%s-%d", y.Quarter, c.n), On: today, Subject: c.fin, Born: c.born, Ground: tseras.LongTreatment,
		Main: tseras.Diagnosis{Code: []tseras.ICD{"I69.3", "M05.8", "G35", "H54.0"}[c.n%4], Since: latest(today.AddMonths(-9), c.born)}, Physicians: []tesdiq.FIN{"2AB3C4D"}}
	if all, ok := y.world.Records(gateway.Episodes, c.fin, tesdiq.Date{}, today).([]gateway.Episode); ok && len(all) > 0 {
		e := all[len(all)-1]
		ref.Main = tseras.Diagnosis{Code: tseras.ICD(e.Main), Since: latest(e.Admitted, c.born)}
	}
	content, err := json.Marshal(ref)
	if err != nil {
		return err
	}
	signed, err := y.signer.Sign(content)
	if err != nil {
		return err
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return err
	}
	opened, err := y.desk.Refer(ctx, y.from, ref, text)
	if err != nil && !expected(err) {
		return err
	}
	if err == nil {
		c.number, c.state = opened.Number, opened.State
	}
	return nil
}

// gather lets the registers be asked and commissions be drawn.
func (y *player) gather(ctx context.Context) error {
	var after casework.ID
	for {
		last, n, err := y.gatherer.Gather(ctx, after)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		after = last
	}
	_, err := y.drawer.Draw(ctx)
	return err
}

// evening lets the other loops run, and sees what has become of the cases. A decision opens a programme: these people do not want one, or
// rehabilitation bodies would have been late with all of them.
func (y *player) evening(ctx context.Context) error {
	if _, err := y.decider.Decide(ctx); err != nil {
		return err
	}
	if _, err := y.alarms.Ring(ctx); err != nil {
		return err
	}
	for n := 1; n > 0; {
		var err error
		if n, err = y.stamper.Stamp(ctx, gateway.MaxBatch); err != nil {
			return err
		}
	}
	for _, c := range y.cases {
		if !c.begun || c.over() {
			continue
		}
		all, err := y.desk.Cases(ctx, c.fin)
		if err != nil {
			return err
		}
		for _, own := range all {
			switch {
			case own.Number == c.number:
				c.state = own.State
			case own.Kind == tseras.Programme && !tseras.Machine.Closed(own.Kind, own.State):
				if err := y.desk.DeclineProgramme(ctx, c.fin, own.Number, casework.Actor{Part: casework.BySubject, FIN: c.fin}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// members lets everybody who sits in a case record or sign, some a few days later than others.
func (y *player) members(ctx context.Context, n int, day tesdiq.Date) error {
	if !slices.ContainsFunc(y.cases, func(c *pastCase) bool {
		return c.state == tseras.Drawn || c.state == tseras.FurtherMember || c.state == tseras.Signing
	}) {
		return nil
	}
	for k, c := range people.Commissions {
		for m, member := range c.Members {
			if (n+k+m)%4 == 0 {
				continue // not today
			}
			seats, err := y.bench.Seats(ctx, member.FIN)
			if err != nil {
				return err
			}
			for _, s := range seats {
				if s.State == tseras.Signing && s.Signed || s.State != tseras.Signing && s.Recorded {
					continue
				}
				if err := y.act(ctx, member.FIN, s.Number, day); err != nil {
					return fmt.Errorf("a member of %s: %w", c.ID, err)
				}
			}
		}
	}
	return nil
}

// act lets a member record what he finds, or sign.
func (y *player) act(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber, day tesdiq.Date) error {
	b, err := y.bench.Open(ctx, fin, number)
	if err != nil {
		if expected(err) {
			return nil
		}
		return err
	}
	switch {
	case b.Proposal != nil && !b.Signed:
		w := tseras.Word{N: b.Proposal.N, Signs: true, Evidence: "played before the demonstration began"}
		if b.Explains() && b.Proposal.Result.Differs {
			w.Explains = "Meyarların cədvəli dəyişib"
		}
		if !y.refused && !b.Explains() {
			y.refused = true
			w = tseras.Word{N: w.N, Reason: "Nəticə tapıntılarıma uyğun deyil"}
		}
		err = y.bench.Sign(ctx, fin, number, w)
	case b.Proposal == nil && b.Findings == nil:
		hash := sha256.Sum256([]byte(number))
		grade := []int{1, 1, 2, 2, 2, 3, 3, 4}[hash[0]%8]
		if y.different++; y.different%23 == 0 {
			grade = 1 + grade%4 // another finding: a further member is drawn
		}
		err = y.bench.Record(ctx, fin, number, simulate.Finding(b.Referral.Main.Code, grade, b.Referral.Age, day))
	}
	if err != nil && !expected(err) {
		return err
	}
	return nil
}
