package smpp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"
)

// Centre is a small SMS centre: it takes messages, puts their parts together and says that they were delivered. The
// demonstration has one instead of an operator's, on this machine, and tests have it to misbehave. It keeps the newest
// only, in memory.
type Centre struct {
	SystemID, Password string
	Delay              time.Duration // from taking a part to its receipt
	Now                func() time.Time
	// Answer may decide what is said to a part; an error cuts the connection without an answer. nil: all are taken.
	Answer func(Message) (Status, error)
	// Taken is told of each text that is whole; it may be nil.
	Taken func(Text)

	mu       sync.Mutex
	count    int
	sequence uint32
	open     map[string][]Part  // parts of texts that are not whole yet, by number and reference
	unheard  map[uint32]Message // receipts that nobody has said he received
	conns    map[net.Conn]bool
}

// Text is what a telephone would show.
type Text struct {
	From, To string
	Text     string
	Parts    int
	Coding   string // GSM-7 or UCS-2
	At       time.Time
}

const (
	centrePatience = 2 * time.Minute // a client that says nothing for so long is gone
	maxOpen        = 1000            // texts that are not whole, and receipts that nobody has received
	sayAgain       = 100 * time.Millisecond
	goodbye        = 2 * time.Second
)

// Serve answers clients until ctx is done or the listener is closed; then they have a moment to say goodbye.
func (c *Centre) Serve(ctx context.Context, l net.Listener) error {
	c.mu.Lock()
	c.open, c.unheard, c.conns = map[string][]Part{}, map[uint32]Message{}, map[net.Conn]bool{}
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { l.Close(); time.AfterFunc(goodbye, c.Cut) })
	defer stop()
	var clients sync.WaitGroup
	defer clients.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return err
		}
		c.mu.Lock()
		c.conns[conn] = true
		c.mu.Unlock()
		clients.Go(func() {
			client := &centreClient{centre: c, conn: conn}
			client.serve()
			c.mu.Lock()
			delete(c.conns, conn)
			c.mu.Unlock()
		})
	}
}

// Cut ends all connections, without a word.
func (c *Centre) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		conn.Close()
	}
}

type centreClient struct {
	centre   *Centre
	conn     net.Conn
	writing  sync.Mutex
	bound    bool
	receipts sync.WaitGroup
}

func (k *centreClient) serve() {
	defer k.receipts.Wait()
	defer k.conn.Close()
	for {
		if err := k.conn.SetReadDeadline(k.centre.Now().Add(centrePatience)); err != nil {
			return
		}
		p, err := ReadPDU(k.conn)
		if err != nil || k.take(p) != nil {
			return
		}
	}
}

func (k *centreClient) write(p PDU) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	if err := k.conn.SetWriteDeadline(k.centre.Now().Add(writePatience)); err != nil {
		return err
	}
	_, err := k.conn.Write(p.Bytes())
	return err
}

var errUnbound = errors.New("smpp: unbound")

func (k *centreClient) take(p PDU) error {
	answer := PDU{Command: p.Command.Response(), Sequence: p.Sequence}
	switch {
	case p.Command == DeliverSM.Response():
		k.heard(p)
		return nil
	case p.Command.IsResponse():
		return nil
	case p.Command == BindTransceiver:
		b, err := parseBind(p.Body)
		switch {
		case err != nil:
			return err
		case k.bound:
			answer.Status = AlreadyBound
		case b.SystemID != k.centre.SystemID:
			answer.Status = BadSystemID
		case b.Password != k.centre.Password:
			answer.Status = BadPassword
		default:
			k.bound = true
		}
		answer.Body = cString(nil, "tesdiq-centre")
		if err := k.write(answer); err != nil || !k.bound || answer.Status != OK {
			return err
		}
		return k.sayUnheard()
	case p.Command == EnquireLink:
	case p.Command == Unbind:
		return errors.Join(errUnbound, k.write(answer))
	case p.Command == SubmitSM && !k.bound:
		answer.Status = BindState
	case p.Command == SubmitSM:
		return k.submit(p, answer)
	default:
		answer.Command, answer.Status = GenericNack, InvalidCommand
	}
	return k.write(answer)
}

func (k *centreClient) submit(p, answer PDU) error {
	m, err := parseMessage(p.Body)
	if err != nil {
		return err
	}
	if k.centre.Answer != nil {
		if answer.Status, err = k.centre.Answer(m); err != nil {
			return err
		}
	}
	if answer.Status != OK {
		return k.write(answer)
	}
	id := k.centre.keep(m)
	answer.Body = cString(nil, id)
	if err := k.write(answer); err != nil || m.Receipt&1 == 0 {
		return err
	}
	k.receipts.Go(func() {
		time.Sleep(k.centre.Delay)
		c := k.centre
		now := c.Now().Format("0601021504")
		receipt := Message{From: m.To, To: m.From, ESMClass: esmReceipt, Reference: m.Reference, ReceiptID: id, ReceiptState: 2,
			Text: fmt.Appendf(nil, "id:%s sub:001 dlvrd:001 submit date:%s done date:%s stat:DELIVRD err:000 text:", id, now, now)}
		c.mu.Lock()
		c.sequence++
		sequence := c.sequence
		if len(c.unheard) >= maxOpen {
			clear(c.unheard)
		}
		c.unheard[sequence] = receipt
		c.mu.Unlock()
		k.write(PDU{Command: DeliverSM, Sequence: sequence, Body: receipt.bytes()})
	})
	return nil
}

// heard is what the client says to a receipt; one that it could not keep is said again.
func (k *centreClient) heard(p PDU) {
	c := k.centre
	c.mu.Lock()
	receipt, ok := c.unheard[p.Sequence]
	if p.Status == OK {
		delete(c.unheard, p.Sequence)
	}
	c.mu.Unlock()
	if ok && p.Status != OK {
		k.receipts.Go(func() {
			time.Sleep(sayAgain)
			k.write(PDU{Command: DeliverSM, Sequence: p.Sequence, Body: receipt.bytes()})
		})
	}
}

// sayUnheard says what was said before the client went away.
func (k *centreClient) sayUnheard() error {
	c := k.centre
	c.mu.Lock()
	waiting := maps.Clone(c.unheard)
	c.mu.Unlock()
	for sequence, receipt := range waiting {
		if err := k.write(PDU{Command: DeliverSM, Sequence: sequence, Body: receipt.bytes()}); err != nil {
			return err
		}
	}
	return nil
}

// keep takes a part, and tells of the text if it is whole now.
func (c *Centre) keep(m Message) (id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	id = fmt.Sprintf("%08x", c.count)
	part := Part{Coding: m.Coding, UDH: m.ESMClass&esmUDH != 0, Text: m.Text}
	parts := []Part{part}
	if part.UDH && len(part.Text) >= 6 {
		key := fmt.Sprintf("%s/%x", m.To.Number, part.Text[:5])
		for _, there := range c.open[key] {
			if there.Text[5] == part.Text[5] {
				return id // a telephone does not show it twice
			}
		}
		if len(c.open) >= maxOpen {
			clear(c.open)
		}
		parts = append(c.open[key], part)
		if c.open[key] = parts; len(parts) < int(part.Text[4]) {
			return id
		}
		delete(c.open, key)
	}
	text, err := Join(parts)
	if err != nil {
		text = "?"
	}
	if c.Taken != nil {
		coding := map[byte]string{codingGSM: "GSM-7", codingUCS2: "UCS-2"}[m.Coding]
		c.Taken(Text{From: m.From.Number, To: "+" + m.To.Number, Text: text, Parts: len(parts), Coding: coding, At: c.Now()})
	}
	return id
}
