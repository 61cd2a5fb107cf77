package outbox_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/internal/message/mail"
	"github.com/tesdiq/tesdiq/internal/message/outbox"
	"github.com/tesdiq/tesdiq/internal/message/smpp"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/web/webtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStatements(t *testing.T) { pgtest.PrepareAll(t, pgtest.Open(t), postgres.Sender) }

const (
	nermin = tesdiq.FIN("5NQ7K2M")
	phone  = "+994501234567"
)

// world is a database, a centre, a postbox, and a sender between them whose clock the test moves.
type world struct {
	t       *testing.T
	db      *pgtest.DB
	centre  *smpp.Centre
	box     *mail.Postbox
	sender  *outbox.Sender
	mu      sync.Mutex
	now     time.Time
	texts   []smpp.Text
	letters []mail.Letter
	events  []string
	log     bytes.Buffer
	link    func() *smpp.Link
}

func (w *world) clock() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

func (w *world) move(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.now = w.now.Add(d) }

func open(t *testing.T, change func(*world)) *world {
	t.Helper()
	w := &world{t: t, db: pgtest.Open(t), now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	centreAt, boxAt := listen(), listen()
	w.centre = &smpp.Centre{SystemID: "tesdiq", Password: "word", Now: time.Now, Taken: func(x smpp.Text) { w.mu.Lock(); defer w.mu.Unlock(); w.texts = append(w.texts, x) }}
	w.box = &mail.Postbox{Now: time.Now, Taken: func(x mail.Letter) { w.mu.Lock(); defer w.mu.Unlock(); w.letters = append(w.letters, x) }}
	shell := webtest.Shell(t)
	book, err := outbox.ReadBook()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.sender = &outbox.Sender{
		Pool: w.db.Pool(postgres.Sender), Home: "https://tesdiq.example/cabinet/messages", Rules: book, Poll: 5 * time.Millisecond, Now: w.clock, Rand: rand.Reader, Log: log,
		Words: func(lang tesdiq.Lang, key string, args map[string]string) (string, bool) {
			return shell.T(lang, key, args), shell.Has(key)
		},
		Count: func(c tesdiq.Channel, e string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, string(c)+":"+e)
		},
		Mail: &mail.Server{Address: boxAt.Addr().String(), From: "no-reply@tesdiq.example", Plain: true, Now: time.Now},
	}
	w.link = func() *smpp.Link {
		return &smpp.Link{
			Config: smpp.Config{SystemID: "tesdiq", Password: "word", Now: time.Now, Receive: w.sender.Receive},
			Dial: func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", centreAt.Addr().String())
			},
			PerSecond: 1000, Again: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		}
	}
	w.sender.SMS = w.link()
	if change != nil {
		change(w)
	}
	serving, end := context.WithCancel(t.Context())
	var servers sync.WaitGroup
	servers.Go(func() { w.centre.Serve(serving, centreAt) })
	servers.Go(func() { w.box.Serve(serving, boxAt) })
	stop := begin(w.sender)
	t.Cleanup(func() { stop(); end(); servers.Wait() })
	return w
}

// arrived are the SMS that a telephone has shown.
func (w *world) arrived() []smpp.Text { w.mu.Lock(); defer w.mu.Unlock(); return slices.Clone(w.texts) }

// begin runs a sender until stop.
func begin(s *outbox.Sender) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	return func() { cancel(); <-ended }
}

func (w *world) await(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(3 * time.Millisecond) {
		w.mu.Lock()
		done := ok()
		w.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for %s; states %v, events %v, log:\n%s", what, w.states(), w.events, &w.log)
		}
	}
}

// choose confirms an address for somebody and chooses it.
func (w *world) choose(fin tesdiq.FIN, channel tesdiq.Channel, address string, lang tesdiq.Lang) {
	w.t.Helper()
	_, err := w.db.Admin.Exec(w.t.Context(), `
		WITH c AS (INSERT INTO contacts (fin, channel, address, lang, given_at) VALUES ($1, $2, $3, $4, $5) RETURNING id, fin, channel),
		k AS (INSERT INTO contact_confirmations (contact_id, fin, channel, confirmed_at) SELECT id, fin, channel, $5 FROM c RETURNING contact_id)
		INSERT INTO channel_choices (fin, channel, contact_id, lang, chosen_at) SELECT c.fin, c.channel, c.id, $4, $5 FROM c`, fin, channel, address, lang, w.clock())
	if err != nil {
		w.t.Fatal(err)
	}
}

// say tells people something aloud, and gives the ids of the outbox.
func (w *world) say(fins ...tesdiq.FIN) {
	w.t.Helper()
	err := pgx.BeginFunc(w.t.Context(), w.db.Pool(postgres.Cabinet), func(tx pgx.Tx) error {
		for _, fin := range fins {
			err := message.Send(w.t.Context(), tx, message.Message{To: fin, Key: "message.withdrawn", Args: map[string]string{"Number": "E-2026-0000001", "Kind.kind": "examination"}, At: w.clock(), Aloud: true})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// states are the states of the outbox as the person sees them, and the ends of what the person sees nothing of.
func (w *world) states() (all []string) {
	rows, _ := w.db.Admin.Query(context.Background(), `
		SELECT coalesce(s.state, e.outcome, 'untouched') FROM outbox o LEFT JOIN outbox_states s ON s.id = o.id LEFT JOIN outbox_ends e ON e.outbox_id = o.id ORDER BY o.id`)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) awaitStates(want ...string) {
	w.t.Helper()
	w.await(fmt.Sprint("the states ", want), func() bool { return fmt.Sprint(w.states()) == fmt.Sprint(want) })
}

func TestAMessageGoesByTheChosenChannelAndLanguage(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.choose(nermin, tesdiq.SMS, phone, tesdiq.Az)
	w.choose("4CM9J7S", tesdiq.Mail, "elcin@example.az", tesdiq.Ru)
	w.say(nermin, "4CM9J7S", "2RD8V4X")
	w.awaitStates("delivered", "sent", "none")
	if texts := w.arrived(); len(texts) != 1 || texts[0].To != phone || texts[0].Text != "E-2026-0000001 nömrəli sənədiniz geri götürüldü. Bunu siz etməmisinizsə, 142-yə zəng edin." || texts[0].Parts != 2 {
		t.Errorf("%+v", texts)
	}
	if l := w.letters; len(l) != 1 || l[0].To != "elcin@example.az" || l[0].Subject != "Tesdiq: новое сообщение" || !strings.Contains(l[0].Text, "https://tesdiq.example/cabinet/messages") {
		t.Errorf("%+v", w.letters)
	}
	if log := w.log.String(); strings.Contains(log, "1234567") || strings.Contains(log, "elcin") || strings.Contains(log, string(nermin)) {
		t.Errorf("the log: %s", log)
	}
}

func TestACodeIsDrawnWhenItIsSentAndKeptNowhere(t *testing.T) {
	t.Parallel()
	w := open(t, func(w *world) { w.now = time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC) }) // two in the morning
	var id int64
	err := pgx.BeginFunc(t.Context(), w.db.Pool(postgres.Cabinet), func(tx pgx.Tx) error {
		err := tx.QueryRow(t.Context(), "INSERT INTO contacts (fin, channel, address, lang, given_at) VALUES ($1, 'sms', $2, 'en', $3) RETURNING id", nermin, phone, w.clock()).Scan(&id)
		if err != nil {
			return err
		}
		return message.SendCode(t.Context(), tx, id, w.clock())
	})
	if err != nil {
		t.Fatal(err)
	}
	w.awaitStates("delivered")
	code := regexp.MustCompile(`\d{6}`).FindString(w.arrived()[0].Text)
	var salt, hash []byte
	if err := w.db.Admin.QueryRow(t.Context(), "SELECT salt, hash FROM contact_codes WHERE contact_id = $1 AND expires_at = drawn_at + interval '15 minutes'", id).Scan(&salt, &hash); err != nil {
		t.Fatal(err)
	}
	if got, err := message.HashCode(code, salt); err != nil || !bytes.Equal(got, hash) {
		t.Errorf("%q in %q is not the code that is kept", code, w.arrived()[0].Text)
	}
	for range 5 { // a sixth is not drawn
		if err := pgx.BeginFunc(t.Context(), w.db.Pool(postgres.Cabinet), func(tx pgx.Tx) error { return message.SendCode(t.Context(), tx, id, w.clock()) }); err != nil {
			t.Fatal(err)
		}
	}
	w.awaitStates("delivered", "delivered", "delivered", "delivered", "delivered", "refused")
}

func TestAtNightMessagesWaitAndADayHasItsMost(t *testing.T) {
	t.Parallel()
	w := open(t, func(w *world) { w.now = time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC) }) // eleven at night
	w.choose(nermin, tesdiq.SMS, phone, tesdiq.En)
	for range 12 {
		w.say(nermin)
	}
	time.Sleep(100 * time.Millisecond)
	if n := len(w.arrived()); n > 0 {
		t.Errorf("%d SMS at night", n)
	}
	w.move(9 * time.Hour)
	w.await("ten", func() bool { return len(w.texts) == 10 })
	time.Sleep(100 * time.Millisecond)
	if n := len(w.arrived()); n != 10 {
		t.Errorf("%d SMS in a day", n)
	}
	w.move(25 * time.Hour)
	w.await("the rest on the next day", func() bool { return len(w.texts) == 12 })
}

// The centre takes a message and the connection is cut before it can say so. Its receipt comes over the next session, and
// settles it: the person gets one SMS.
func TestAReceiptSettlesWhatWasUnsure(t *testing.T) {
	t.Parallel()
	for _, echo := range []bool{true, false} {
		var took smpp.Message
		var once sync.Once
		w := open(t, func(w *world) {
			w.centre.Answer = func(m smpp.Message) (status smpp.Status, err error) {
				w.mu.Lock()
				defer w.mu.Unlock()
				once.Do(func() { took, err = m, io.ErrClosedPipe })
				return status, err
			}
		})
		w.choose(nermin, tesdiq.SMS, phone, tesdiq.En)
		w.say(nermin)
		w.await("the cut", func() bool { return strings.Contains(fmt.Sprint(w.events), "sms:unsure") })
		w.mu.Lock()
		reference := took.Reference
		w.mu.Unlock()
		if !echo {
			reference = -1
		}
		r := smpp.Receipt{ID: "the-centre-knows", To: phone, Reference: reference, Event: smpp.Delivered, Reason: "DELIVRD"}
		w.move(time.Minute)
		for range 3 { // it says so three times
			if err := w.sender.Receive(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		w.awaitStates("delivered")
		w.move(time.Hour)
		w.await("its end", func() bool {
			var outcome string
			w.db.Admin.QueryRow(t.Context(), "SELECT outcome FROM outbox_ends").Scan(&outcome)
			return outcome == "sent"
		})
		if texts := w.arrived(); len(texts) != 0 {
			t.Errorf("sent again: %+v", texts)
		}
	}
}

// Without a receipt it is sent a second time, and never a third.
func TestWithoutAReceiptItIsSentTwiceAndNoMore(t *testing.T) {
	t.Parallel()
	tries := 0
	w := open(t, func(w *world) {
		w.centre.Answer = func(smpp.Message) (smpp.Status, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			tries++
			return smpp.OK, io.ErrClosedPipe
		}
	})
	w.choose(nermin, tesdiq.SMS, phone, tesdiq.En)
	w.say(nermin)
	w.await("the first", func() bool { return tries == 1 && strings.Contains(fmt.Sprint(w.events), "sms:unsure") })
	time.Sleep(50 * time.Millisecond)
	w.await("no second before a receipt could come", func() bool { return tries == 1 })
	for range 20 {
		w.move(11 * time.Minute)
		time.Sleep(20 * time.Millisecond)
	}
	w.awaitStates("unsure")
	w.await("two in all", func() bool { return tries == 2 })
	// A day later the centre says what became of one of the two: it is not known which, and it does not matter.
	w.move(24 * time.Hour)
	if err := w.sender.Receive(t.Context(), smpp.Receipt{ID: "x", To: phone, Reference: -1, Event: smpp.Delivered}); err != nil {
		t.Fatal(err)
	}
	if got := w.states(); got[0] != "delivered" {
		t.Errorf("%v after the receipt", got)
	}
}

func TestWhatTheCentreRefusesIsTold(t *testing.T) {
	t.Parallel()
	w := open(t, func(w *world) {
		w.centre.Answer = func(m smpp.Message) (smpp.Status, error) {
			if m.To.Number == "994700000000" {
				return smpp.BadDestination, nil
			}
			return smpp.OK, nil
		}
		w.box.Answer = func(mail.Letter) (int, error) { return 550, nil }
	})
	w.choose(nermin, tesdiq.SMS, "+994700000000", tesdiq.En)
	w.choose("4CM9J7S", tesdiq.SMS, phone, tesdiq.En)
	w.choose("2RD8V4X", tesdiq.Mail, "oqtay@example.az", tesdiq.En)
	w.say(nermin, "4CM9J7S", "2RD8V4X")
	w.awaitStates("failed", "delivered", "failed")
}

// A receipt of a failure is the last word; one that comes before the answer to what was sent finds it.
func TestReceiptsInAnyOrder(t *testing.T) {
	t.Parallel()
	w := open(t, func(w *world) {
		w.centre.Delay = time.Hour // ours come first
		w.centre.Answer = func(smpp.Message) (smpp.Status, error) {
			if err := w.sender.Receive(context.Background(), smpp.Receipt{ID: "00000001", To: phone, Reference: -1, Event: smpp.Failed, Reason: "UNDELIV"}); err != nil {
				t.Error(err)
			}
			return smpp.OK, nil
		}
	})
	w.centre.Delay = 0
	w.choose(nermin, tesdiq.SMS, phone, tesdiq.En)
	w.say(nermin)
	w.await("the failure", func() bool {
		return fmt.Sprint(w.states()) == "[failed]" || fmt.Sprint(w.states()) == "[delivered]"
	})
	var n int
	if err := w.db.Admin.QueryRow(t.Context(), "SELECT count(*) FROM dispatch_events WHERE event = 'failed' AND reason = 'UNDELIV'").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	if err := w.sender.Receive(t.Context(), smpp.Receipt{ID: "00000001", To: "+994559999999", Reference: -1, Event: smpp.Expired}); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Admin.QueryRow(t.Context(), "SELECT count(*) FROM dispatch_events WHERE event = 'expired'").Scan(&n); err != nil || n != 0 {
		t.Errorf("another number's receipt counted: %d, %v", n, err)
	}
}

// Killed between the commit and the answer: whoever comes after the lease takes it for unsure, and sends it once more.
func TestACrashBetweenCommitAndAnswer(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.choose(nermin, tesdiq.SMS, phone, tesdiq.En)
	_, err := w.db.Admin.Exec(t.Context(), `
		WITH m AS (INSERT INTO messages (fin, key, args, sent_at) VALUES ($1, 'message.withdrawn', '{"Number": "E-2026-0000001"}', $2) RETURNING id),
		o AS (INSERT INTO outbox (message_id, at, due_at) SELECT id, $2, $2::timestamptz + interval '5 minutes' FROM m RETURNING id)
		INSERT INTO dispatches (outbox_id, contact_id, part, parts, attempt, dispatched_at) SELECT o.id, c.id, 1, 1, 1, $2 FROM o, contacts c`, nermin, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	w.move(6 * time.Minute)
	w.await("that it is noted as unsure", func() bool { return strings.Contains(fmt.Sprint(w.events), "sms:unsure") })
	w.move(6 * time.Minute)
	w.awaitStates("delivered")
	if texts := w.arrived(); len(texts) != 1 {
		t.Errorf("%+v", texts)
	}
}

func TestSeveralSendersShareTheWork(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	other := *w.sender
	other.SMS = w.link()
	defer begin(&other)()
	var fins []tesdiq.FIN
	for i := range 60 {
		fin := tesdiq.FIN(fmt.Sprintf("1KF6W%02d", i))
		w.choose(fin, tesdiq.SMS, fmt.Sprintf("+9945012345%02d", i), tesdiq.Ru)
		fins = append(fins, fin)
	}
	w.say(fins...)
	w.await("all", func() bool { return strings.Count(fmt.Sprint(w.states()), "delivered") == 60 })
	if n := len(w.arrived()); n != 60 {
		t.Errorf("%d SMS for 60 messages", n)
	}
}

// Stopped and started again, with a database that goes away in between, nothing is lost and nothing is sent twice.
func TestStoppedAndStartedAgain(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.choose(nermin, tesdiq.Mail, "nermin@example.az", tesdiq.En)
	for range 5 {
		w.say(nermin)
		other := *w.sender // they exclude each other by the database alone
		other.SMS = w.link()
		stop := begin(&other)
		time.Sleep(10 * time.Millisecond)
		stop()
	}
	w.await("all", func() bool { return strings.Count(fmt.Sprint(w.states()), "sent") == 5 })
	if len(w.letters) != 5 {
		t.Errorf("%d letters", len(w.letters))
	}
	if waiting, _, err := w.sender.Queue(t.Context()); waiting != 0 || err != nil {
		t.Errorf("%d wait, %v", waiting, err)
	}
	gone := *w.sender
	gone.Pool = w.db.Pool(postgres.Worker) // which may do nothing here
	if _, err := gone.Round(t.Context(), ""); err == nil {
		t.Error("a round without rights")
	}
	if err := gone.Receive(t.Context(), smpp.Receipt{ID: "1", To: phone}); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("a receipt that cannot be kept: %v", err)
	}
}
