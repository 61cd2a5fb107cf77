// Package outbox sends what internal/message wrote: by SMS or e-mail, as the person chose, with every attempt committed before
// anything leaves (docs/adr/0018). What it may do and what became of it stand in PostgreSQL; it keeps nothing itself, so it may
// be killed at any moment, and several may run.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/internal/message/mail"
	"github.com/tesdiq/tesdiq/internal/message/smpp"
)

// Sender sends. SMS and Mail may be nil: then nobody's messages go that way. All other fields but Poll, Count and
// Watch are required.
type Sender struct {
	Pool  *pgxpool.Pool // as tesdiq_sender
	SMS   *smpp.Link    // its Receive is the Sender's
	Mail  *mail.Server
	Words func(lang tesdiq.Lang, key string, args map[string]string) (text string, ok bool) // the locale files' words of a key, if they have it
	Home  string                                                                            // address of the cabinet's messages, for e-mails
	Rules Book
	Poll  time.Duration // how often the outbox is looked at; 0: a second
	Now   func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
	Count func(channel tesdiq.Channel, event string) // for metrics; may be nil
	Watch func(waiting int, oldestSeconds float64)   // for metrics, twice a minute; may be nil
}

const (
	batch  = 40              // entries that are claimed at a time
	many   = 1000            // entries that end at a time because nobody wants to hear of them
	lease  = 5 * time.Minute // in which they are ours; longer than any answer may take
	fresh  = 4 * time.Minute // how long after the claim something may still leave
	finish = 4 * time.Second // for what is under way when Run is told to stop
	alarm  = 10 * time.Minute
	watch  = 30 * time.Second
)

// Run sends until ctx is done, and keeps the session with the SMS centre.
func (s *Sender) Run(ctx context.Context) error {
	poll := s.Poll
	if poll <= 0 {
		poll = time.Second
	}
	// What was begun may end, but not for ever; the session ends last.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(finish, cancel) })
	defer stop()
	linked, unlink := context.WithCancel(work)
	var link sync.WaitGroup
	if s.SMS != nil {
		link.Go(func() { s.SMS.Run(linked) })
	}
	defer link.Wait()
	defer unlink()
	// Each channel by itself, so that a slow one holds up nobody else's messages.
	var channels sync.WaitGroup
	if s.SMS != nil && s.Mail != nil {
		channels.Go(func() { s.loop(ctx, work, poll, tesdiq.Mail) })
		channels.Go(func() { s.loop(ctx, work, poll, tesdiq.SMS) })
	} else {
		channels.Go(func() { s.loop(ctx, work, poll, "") })
	}
	alarmed := false
	for again := time.NewTicker(watch); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			again.Stop()
		case <-again.C:
			alarmed = s.watch(ctx, alarmed)
		}
	}
	channels.Wait()
	return ctx.Err()
}

// loop sends by all channels but one, until ctx is done.
func (s *Sender) loop(ctx, work context.Context, poll time.Duration, not tesdiq.Channel) {
	for ctx.Err() == nil {
		claimed, err := s.Round(work, not)
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "messages: a round failed", "err", err)
		}
		wait := poll
		if err != nil {
			wait = 5 * poll // the database is away, most likely
		} else if claimed >= batch {
			wait = 0
		} else if not != tesdiq.SMS && s.SMS != nil && !s.SMS.Ready() {
			wait = 5 * poll // all that waits is looked at in vain
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// watch raises an alarm, once, when messages have waited too long, and takes it back.
func (s *Sender) watch(ctx context.Context, alarmed bool) bool {
	waiting, since, err := s.Queue(ctx)
	if err != nil {
		return alarmed
	}
	age := s.Now().Sub(since)
	if s.Watch != nil {
		s.Watch(waiting, age.Seconds())
	}
	late := age > alarm
	switch {
	case late && !alarmed:
		s.Log.ErrorContext(ctx, "messages: they wait and do not go out", "waiting", waiting, "since", since)
	case !late && alarmed:
		s.Log.InfoContext(ctx, "messages: they go out again")
	}
	return late
}

func (s *Sender) count(channel tesdiq.Channel, event string) {
	if s.Count != nil {
		s.Count(channel, event)
	}
}

// has says whether there is a way to send by a channel.
func (s *Sender) has(c tesdiq.Channel) bool {
	return c == tesdiq.SMS && s.SMS != nil || c == tesdiq.Mail && s.Mail != nil
}

// job is one part that was committed and is to leave now.
type job struct {
	entry     Entry
	dispatch  int64
	part      smpp.Part // of an SMS
	mail      mail.Mail
	claimed   time.Time
	kind      string // what became of it: an event
	carrier   string
	reason    string
	permanent bool
}

// Round looks at the outbox once, sends what may be sent by all channels but one, and waits for the answers. claimed is how many
// entries it found.
func (s *Sender) Round(ctx context.Context, not tesdiq.Channel) (claimed int, err error) {
	skip := []string{string(not)}
	if s.SMS != nil && !s.SMS.Ready() {
		skip = append(skip, string(tesdiq.SMS))
	}
	var jobs []*job
	err = s.decide(ctx, func(tx pgx.Tx) error {
		now := s.Now()
		ended, err := s.skim(ctx, tx, now, many)
		if err != nil {
			return err
		}
		ids, err := claim(ctx, tx, now, now.Add(lease), skip, batch)
		if claimed = len(ids) + ended; err != nil || len(ids) == 0 {
			return err
		}
		jobs, err = s.next(ctx, tx, ids, now)
		return err
	})
	if err != nil {
		return claimed, err
	}
	var leaving sync.WaitGroup
	for _, j := range jobs {
		leaving.Go(func() { s.send(ctx, j) })
	}
	leaving.Wait()
	return claimed, s.record(ctx, jobs)
}

// next decides for entries that are ours and writes the decisions down. The jobs may be done once it is committed.
func (s *Sender) next(ctx context.Context, tx pgx.Tx, ids []int64, now time.Time) (jobs []*job, err error) {
	all, err := entries(ctx, tx, ids, now)
	if err != nil {
		return nil, err
	}
	rules := s.Rules.On(tesdiq.DateOf(now))
	begun := map[string]int{} // messages that this very round begins to send to an address
	for _, e := range all {
		parts, letter, err := s.compose(e, rules)
		if err != nil {
			// Nothing of ours is that long or empty; it is in the cabinet, and somebody must mend the words.
			s.Log.ErrorContext(ctx, "messages: cannot be sent as it is", "outbox", e.ID, "key", e.Key, "err", err)
			if err := end(ctx, tx, e.ID, Refused, now); err != nil {
				return nil, err
			}
			continue
		}
		e.Today += begun[e.Address]
		step := e.Next(now, max(len(parts), 1), rules, s.has)
		for _, lost := range step.Lost {
			if err := event(ctx, tx, lost, "unsure", "", "stopped", now); err != nil {
				return nil, err
			}
			s.count(e.Channel, "unsure")
		}
		switch {
		case step.End != "":
			err = end(ctx, tx, e.ID, step.End, now)
			if step.End != Sent {
				s.count(e.Channel, "end-"+string(step.End))
			}
		case len(step.Send) == 0:
			err = due(ctx, tx, e.ID, &step.Until)
		default:
			if !e.Code && len(e.Tries) == 0 {
				begun[e.Address]++
			}
			var more []*job
			more, err = s.write(ctx, tx, e, step.Send, parts, letter, rules, now)
			jobs = append(jobs, more...)
		}
		if err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// write commits to sending some parts of an entry. A code is drawn only now.
func (s *Sender) write(ctx context.Context, tx pgx.Tx, e Entry, send []int, parts []smpp.Part, letter mail.Mail, r Rules, now time.Time) (jobs []*job, err error) {
	if e.Code {
		code, ok, err := s.drawCode(ctx, tx, e.Contact, now, r.CodeFor)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, end(ctx, tx, e.ID, Refused, now)
		}
		if parts, letter, err = s.composeCode(e, r, code); err != nil {
			return nil, err
		}
	}
	for _, n := range send {
		id, err := dispatch(ctx, tx, e, n, max(len(parts), 1), now)
		if err != nil {
			return nil, err
		}
		j := &job{entry: e, dispatch: id, mail: letter, claimed: now}
		if e.Channel == tesdiq.SMS {
			j.part = parts[n-1]
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// compose puts an entry into the words of its language: SMS parts, or an e-mail. Of an entry without an address it makes
// nothing.
func (s *Sender) compose(e Entry, r Rules) ([]smpp.Part, mail.Mail, error) {
	if e.Contact == 0 {
		return nil, mail.Mail{}, nil
	}
	if e.Code {
		return s.composeCode(e, r, "000000") // as long as the one that will be drawn
	}
	args := map[string]string{}
	for _, name := range message.ShortArgs {
		if value, ok := e.Args[name]; ok {
			args[name] = value
		}
	}
	text, ok := s.Words(e.Lang, e.Key+".short", args)
	if !ok {
		if text, ok = s.Words(e.Lang, "message.short", nil); !ok {
			return nil, mail.Mail{}, errors.New("outbox: no words")
		}
	}
	return s.put(e, text)
}

func (s *Sender) composeCode(e Entry, r Rules, code string) ([]smpp.Part, mail.Mail, error) {
	text, ok := s.Words(e.Lang, "message.code.short", map[string]string{"Code": code, "Minutes": strconv.Itoa(int(r.CodeFor / time.Minute))})
	if !ok {
		return nil, mail.Mail{}, errors.New("outbox: no words for codes")
	}
	return s.put(e, text)
}

// put makes of a text what its channel carries.
func (s *Sender) put(e Entry, text string) ([]smpp.Part, mail.Mail, error) {
	if e.Channel != tesdiq.Mail {
		parts, err := smpp.Split(text, byte(e.ID))
		return parts, mail.Mail{}, err
	}
	subject, ok1 := s.Words(e.Lang, "message.email.subject", nil)
	body, ok2 := s.Words(e.Lang, "message.email.text", map[string]string{"Text": text, "Address": s.Home})
	if !ok1 || !ok2 {
		return nil, mail.Mail{}, errors.New("outbox: no words for e-mails")
	}
	return nil, mail.Mail{To: tesdiq.Email(e.Address), Subject: subject, Text: body, ID: fmt.Sprintf("message-%d-%d", e.ID, e.At.Unix()), At: e.At}, nil
}

// send does a job and notes in it what became of it.
func (s *Sender) send(ctx context.Context, j *job) {
	if s.Now().Sub(j.claimed) > fresh {
		j.kind, j.reason = "unsent", "too late" // somebody else may have taken it over
		return
	}
	var err error
	if j.entry.Channel == tesdiq.SMS {
		j.carrier, err = s.SMS.Submit(ctx, j.entry.Address, j.part, int(j.dispatch%65536), s.validity(j.entry))
	} else {
		err = s.Mail.Send(ctx, j.mail)
	}
	var status *smpp.StatusError
	var refused *mail.RefusedError
	switch {
	case err == nil:
		j.kind = "accepted"
	case errors.Is(err, smpp.ErrUnsure), errors.Is(err, mail.ErrUnsure):
		j.kind = "unsure"
	case errors.As(err, &status):
		j.kind, j.reason, j.permanent = "refused", status.Status.String(), !status.Status.Temporary()
	case errors.As(err, &refused):
		j.kind, j.reason, j.permanent = "refused", strconv.Itoa(refused.Code), !refused.Temporary()
	default:
		j.kind = "unsent"
	}
	s.count(j.entry.Channel, j.kind)
	if j.kind != "accepted" {
		s.Log.InfoContext(ctx, "messages: not taken", "outbox", j.entry.ID, "dispatch", j.dispatch, "event", j.kind, "reason", j.reason)
	}
}

// validity is for how long the centre is to try to deliver.
func (s *Sender) validity(e Entry) time.Duration {
	r := s.Rules.On(tesdiq.DateOf(s.Now()))
	if e.Code {
		return r.CodeFor
	}
	return r.MessageFor
}

// record writes down what became of jobs, and decides what is next for their entries.
func (s *Sender) record(ctx context.Context, jobs []*job) error {
	if len(jobs) == 0 {
		return nil
	}
	return s.decide(ctx, func(tx pgx.Tx) error {
		now := s.Now()
		var ids []int64
		var carriers, unsure []string
		refused := map[int64]bool{}
		for _, j := range jobs {
			if err := event(ctx, tx, j.dispatch, j.kind, j.carrier, j.reason, now); err != nil {
				return err
			}
			if len(ids) == 0 || ids[len(ids)-1] != j.entry.ID {
				ids = append(ids, j.entry.ID)
			}
			if j.carrier != "" {
				carriers = append(carriers, j.carrier)
			}
			if j.kind == "unsure" {
				unsure = append(unsure, j.entry.Address)
			}
			if j.permanent {
				refused[j.entry.ID] = true
			}
		}
		if len(carriers)+len(unsure) > 0 {
			if err := s.lay(ctx, tx, carriers, unsure); err != nil {
				return err
			}
		}
		for id := range refused {
			if err := end(ctx, tx, id, Refused, now); err != nil {
				return err
			}
		}
		return s.after(ctx, tx, ids, refused, now)
	})
}

// after decides for entries whose jobs are done. What could be sent again at once waits for the next round.
func (s *Sender) after(ctx context.Context, tx pgx.Tx, ids []int64, ended map[int64]bool, now time.Time) error {
	all, err := entries(ctx, tx, ids, now)
	if err != nil {
		return err
	}
	rules := s.Rules.On(tesdiq.DateOf(now))
	for _, e := range all {
		if ended[e.ID] {
			s.count(e.Channel, "end-"+string(Refused))
			continue
		}
		step := e.Next(now, e.Tries[len(e.Tries)-1].Parts, rules, s.has)
		switch {
		case step.End != "":
			err = end(ctx, tx, e.ID, step.End, now)
			if step.End != Sent {
				s.count(e.Channel, "end-"+string(step.End))
			}
		case !step.Until.IsZero():
			err = due(ctx, tx, e.ID, &step.Until)
		default:
			err = due(ctx, tx, e.ID, &now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
