package smpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// What a submit can come to besides an answer of the centre.
var (
	// ErrNotSent: nothing left this machine. The same may be sent again.
	ErrNotSent = errors.New("smpp: not sent")
	// ErrUnsure: it left, wholly or in part, and no answer came. The centre may have it, or not.
	ErrUnsure = errors.New("smpp: sent, and no answer")
)

// Config is what a session is made of. SystemID, Now and Receive are required.
type Config struct {
	SystemID, Password, SystemType string

	Window   int           // submits that wait for an answer at a time; 0: DefaultWindow
	Enquire  time.Duration // how often the centre is asked whether it is there; 0: DefaultEnquire
	Patience time.Duration // how long an answer may take; 0: DefaultPatience
	Now      func() time.Time

	// Receive keeps a receipt. It is called once at a time; only when it returns nil the centre is told that the receipt
	// was received, else it says it again later.
	Receive func(context.Context, Receipt) error
}

// Defaults of a Config.
const (
	DefaultWindow   = 10
	DefaultEnquire  = 30 * time.Second
	DefaultPatience = 30 * time.Second
)

const (
	writePatience = 10 * time.Second
	receiveQueue  = 64 // receipts that wait to be kept; the centre says further ones again
	maxSequence   = 0x7fffffff
)

// Session is a bound connection. It ends by itself when the centre is silent, says what cannot be understood, or goes.
type Session struct {
	Config
	conn   net.Conn
	window chan struct{}
	in     chan PDU // deliver_sm
	done   chan struct{}

	writing sync.Mutex
	mu      sync.Mutex
	last    uint32
	waiting map[uint32]chan PDU
	err     error // why it ended
	gone    sync.WaitGroup
}

// Bind makes a session of a connection, which is closed if that fails. A *StatusError says that the centre does not want us.
func Bind(ctx context.Context, conn net.Conn, c Config) (*Session, error) {
	if c.Window <= 0 {
		c.Window = DefaultWindow
	}
	if c.Enquire <= 0 {
		c.Enquire = DefaultEnquire
	}
	if c.Patience <= 0 {
		c.Patience = DefaultPatience
	}
	s := &Session{Config: c, conn: conn, window: make(chan struct{}, c.Window), in: make(chan PDU, receiveQueue), done: make(chan struct{}),
		waiting: make(map[uint32]chan PDU)}
	s.gone.Go(s.read)
	body := bind{c.SystemID, c.Password, c.SystemType}.bytes()
	answer, err := s.ask(ctx, BindTransceiver, body)
	if err == nil && answer.Status != OK {
		err = &StatusError{BindTransceiver, answer.Status}
	}
	if err != nil {
		s.end(err)
		s.gone.Wait()
		return nil, err
	}
	s.gone.Go(s.receive)
	s.gone.Go(s.enquire)
	return s, nil
}

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err says why it ended.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Submit hands a message to the centre and gives the id that the centre knows it by. The error is ErrNotSent, ErrUnsure or a
// *StatusError.
func (s *Session) Submit(ctx context.Context, m Message) (id string, err error) {
	select {
	case s.window <- struct{}{}:
		defer func() { <-s.window }()
	case <-ctx.Done():
		return "", fmt.Errorf("%w: %w", ErrNotSent, ctx.Err())
	case <-s.done:
		return "", fmt.Errorf("%w: %w", ErrNotSent, s.Err())
	}
	answer, err := s.ask(ctx, SubmitSM, m.bytes())
	if err != nil {
		return "", err
	}
	if answer.Status != OK {
		return "", &StatusError{SubmitSM, answer.Status}
	}
	body := fields{rest: answer.Body}
	id = body.cString(65) // without one it was taken nevertheless (4.4.2)
	return printable(id), nil
}

// Close ends the session: politely, if the centre answers in time.
func (s *Session) Close(ctx context.Context) {
	s.ask(ctx, Unbind, nil)
	s.end(errors.New("smpp: closed"))
	s.gone.Wait()
}

// ask sends a command and waits for its answer.
func (s *Session) ask(ctx context.Context, c Command, body []byte) (PDU, error) {
	answer := make(chan PDU, 1)
	s.mu.Lock()
	if s.err != nil {
		err := s.err
		s.mu.Unlock()
		return PDU{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	for {
		if s.last++; s.last > maxSequence {
			s.last = 1
		}
		if _, taken := s.waiting[s.last]; !taken {
			break
		}
	}
	sequence := s.last
	s.waiting[sequence] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, sequence)
		s.mu.Unlock()
	}()
	if err := s.write(PDU{Command: c, Sequence: sequence, Body: body}); err != nil {
		s.end(err)
		return PDU{}, fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	late := time.NewTimer(s.Patience)
	defer late.Stop()
	select {
	case p := <-answer:
		return p, nil
	case <-s.done:
		select {
		case p := <-answer: // it came with the last that was read
			return p, nil
		default:
		}
		return PDU{}, fmt.Errorf("%w: %w", ErrUnsure, s.Err())
	case <-ctx.Done():
		return PDU{}, fmt.Errorf("%w: %w", ErrUnsure, ctx.Err())
	case <-late.C:
		// A centre that answers nothing has lost us, or we it: a new session is the only way to know.
		s.end(errors.New("smpp: no answer in time"))
		return PDU{}, fmt.Errorf("%w: no answer within %s", ErrUnsure, s.Patience)
	}
}

func (s *Session) write(p PDU) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.conn.SetWriteDeadline(s.Now().Add(writePatience)); err != nil {
		return err
	}
	_, err := s.conn.Write(p.Bytes())
	return err
}

// end ends the session, once.
func (s *Session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.done)
		s.conn.Close()
	}
}

// read takes what the centre sends.
func (s *Session) read() {
	for {
		// It must say something at least as often as it is asked whether it is there.
		if err := s.conn.SetReadDeadline(s.Now().Add(s.Enquire + s.Patience)); err != nil {
			s.end(err)
			return
		}
		p, err := ReadPDU(s.conn)
		if err != nil {
			s.end(fmt.Errorf("smpp: connection lost: %w", err))
			return
		}
		if err := s.take(p); err != nil {
			s.end(err)
			return
		}
	}
}

// take deals with one PDU.
func (s *Session) take(p PDU) error {
	switch {
	case p.Command.IsResponse():
		s.mu.Lock()
		answer, ok := s.waiting[p.Sequence]
		s.mu.Unlock()
		if ok {
			if p.Command == GenericNack && p.Status == OK {
				p.Status = Unknown
			}
			select {
			case answer <- p:
			default: // answered twice
			}
		}
		return nil
	case p.Command == EnquireLink:
		return s.write(PDU{Command: EnquireLink.Response(), Sequence: p.Sequence})
	case p.Command == Unbind:
		err := s.write(PDU{Command: Unbind.Response(), Sequence: p.Sequence})
		return errors.Join(errors.New("smpp: the centre ended the session"), err)
	case p.Command == DeliverSM:
		select {
		case s.in <- p:
			return nil
		default:
			return s.write(PDU{Command: DeliverSM.Response(), Status: QueueFull, Sequence: p.Sequence, Body: []byte{0}})
		}
	}
	return s.write(PDU{Command: GenericNack, Status: InvalidCommand, Sequence: p.Sequence})
}

// receive keeps receipts and then says so. What is no receipt, somebody's answer to us, is for nobody.
func (s *Session) receive() {
	for {
		select {
		case <-s.done:
			return
		case p := <-s.in:
			status := OK
			if m, err := parseMessage(p.Body); err != nil {
				status = NotReceived
			} else if r, ok := receiptOf(m); ok && r.Event != "" {
				ctx, cancel := context.WithTimeout(context.Background(), s.Patience)
				if err := s.Receive(ctx, r); err != nil {
					status = TryLater
				}
				cancel()
			}
			if err := s.write(PDU{Command: DeliverSM.Response(), Status: status, Sequence: p.Sequence, Body: []byte{0}}); err != nil {
				s.end(err)
				return
			}
		}
	}
}

// enquire asks every so often whether the centre is there.
func (s *Session) enquire() {
	again := time.NewTicker(s.Enquire)
	defer again.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-again.C:
			if _, err := s.ask(context.Background(), EnquireLink, nil); err != nil {
				s.end(err)
				return
			}
		}
	}
}
