// Package smpp is as much of SMPP 3.4 (Short Message Peer-to-Peer Protocol Specification v3.4, issue 1.2) as it takes to send
// messages to an SMS centre and to hear what became of them: a session as transceiver, submit_sm, delivery receipts. What
// comes from outside is bounded in size, number and time. References in comments are to the specification's sections.
package smpp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Command is a command_id (5.1.2.1). An answer's has the highest bit.
type Command uint32

// The commands that we speak.
const (
	GenericNack     Command = 0x80000000
	Unbind          Command = 0x00000006
	BindTransceiver Command = 0x00000009
	SubmitSM        Command = 0x00000004
	DeliverSM       Command = 0x00000005
	EnquireLink     Command = 0x00000015
	response        Command = 0x80000000
)

// Response is the command that answers c.
func (c Command) Response() Command { return c | response }

// IsResponse says whether c is an answer.
func (c Command) IsResponse() bool { return c&response != 0 }

// MaxPDU is how many bytes a PDU may have. A receipt has some two hundred; 254 octets are the most that short_message holds.
const MaxPDU = 4096

const headerSize = 16

// PDU is one protocol data unit (3.2): its header, and its body as it came.
type PDU struct {
	Command  Command
	Status   Status
	Sequence uint32
	Body     []byte
}

// ErrMalformed is what a PDU is that does not hold what its command says.
var ErrMalformed = errors.New("smpp: malformed")

// ReadPDU reads one PDU. An error other than io.EOF before its first byte means that the stream is lost: where the next PDU
// begins is not known.
func ReadPDU(r io.Reader) (PDU, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return PDU{}, err
	}
	length := binary.BigEndian.Uint32(header[0:])
	if length < headerSize || length > MaxPDU {
		return PDU{}, fmt.Errorf("%w: a PDU of %d bytes", ErrMalformed, length)
	}
	p := PDU{
		Command:  Command(binary.BigEndian.Uint32(header[4:])),
		Status:   Status(binary.BigEndian.Uint32(header[8:])),
		Sequence: binary.BigEndian.Uint32(header[12:]),
		Body:     make([]byte, length-headerSize),
	}
	if _, err := io.ReadFull(r, p.Body); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return PDU{}, err
	}
	return p, nil
}

// Bytes is the PDU as it is sent.
func (p PDU) Bytes() []byte {
	b := make([]byte, headerSize, headerSize+len(p.Body))
	binary.BigEndian.PutUint32(b[0:], uint32(headerSize+len(p.Body)))
	binary.BigEndian.PutUint32(b[4:], uint32(p.Command))
	binary.BigEndian.PutUint32(b[8:], uint32(p.Status))
	binary.BigEndian.PutUint32(b[12:], p.Sequence)
	return append(b, p.Body...)
}

// Address is a number with its type and plan (5.2.5, 5.2.6).
type Address struct {
	TON, NPI byte
	Number   string
}

// Types of numbers, and numbering plans.
const (
	tonInternational = 1
	tonShort         = 3
	tonName          = 5
	npiNone          = 0
	npiISDN          = 1
)

// International is the address of a number in the form of E.164, with or without its plus.
func International(number string) Address {
	if number != "" && number[0] == '+' {
		number = number[1:]
	}
	return Address{tonInternational, npiISDN, number}
}

// Sender is the address of who sends, as the SMS centre has registered it: +994…, a short number, or a name of up to eleven
// letters. ok is false for anything else.
func Sender(s string) (a Address, ok bool) {
	digits := len(s) > 0
	for _, r := range s {
		if r < ' ' || r > '~' {
			return a, false
		}
		digits = digits && '0' <= r && r <= '9'
	}
	switch {
	case len(s) > 1 && s[0] == '+' && len(s) <= 16:
		return International(s), true
	case digits && len(s) <= 8:
		return Address{tonShort, npiNone, s}, true
	case len(s) > 0 && len(s) <= 11 && !digits && s[0] != '+':
		return Address{tonName, npiNone, s}, true
	}
	return a, false
}

// Message is the body of a submit_sm (4.4.1) or deliver_sm (4.6.1), without the fields that we leave empty.
type Message struct {
	From, To  Address
	ESMClass  byte // 5.2.12: what is in Text
	Validity  string
	Receipt   byte // registered_delivery, 5.2.17
	Coding    byte // data_coding, 5.2.19
	Text      []byte
	Reference int // user_message_reference (5.3.2.17), or -1

	ReceiptID    string // receipted_message_id (5.3.2.12), or empty
	ReceiptState int    // message_state (5.3.2.35), or -1
}

// What ESMClass says.
const (
	esmUDH     = 0x40 // Text begins with a user data header
	esmType    = 0x3c // mask of the message's type
	esmReceipt = 0x04 // it is a delivery receipt
)

// Optional parameters (5.3.2).
const (
	tagReference      = 0x0204
	tagReceiptID      = 0x001e
	tagMessageState   = 0x0427
	tagMessagePayload = 0x0424
)

// bytes is the body.
func (m Message) bytes() []byte {
	b := cString(nil, "") // service_type
	b = m.From.bytes(b)
	b = m.To.bytes(b)
	b = append(b, m.ESMClass, 0, 0) // protocol_id, priority_flag
	b = cString(b, "")              // schedule_delivery_time: at once
	b = cString(b, m.Validity)
	b = append(b, m.Receipt, 0, m.Coding, 0, byte(len(m.Text))) // replace_if_present_flag, sm_default_msg_id
	b = append(b, m.Text...)
	if m.Reference >= 0 {
		b = append(b, tagReference>>8, tagReference&0xff, 0, 2, byte(m.Reference>>8), byte(m.Reference))
	}
	if m.ReceiptID != "" {
		b = append(b, tagReceiptID>>8, tagReceiptID&0xff, 0, byte(len(m.ReceiptID)+1))
		b = cString(b, m.ReceiptID)
	}
	if m.ReceiptState >= 0 {
		b = append(b, tagMessageState>>8, tagMessageState&0xff, 0, 1, byte(m.ReceiptState))
	}
	return b
}

func (a Address) bytes(b []byte) []byte { return cString(append(b, a.TON, a.NPI), a.Number) }

func cString(b []byte, s string) []byte { return append(append(b, s...), 0) }

// parseMessage reads the body of a submit_sm or deliver_sm. Optional parameters that we do not know are passed over (3.3).
func parseMessage(body []byte) (Message, error) {
	r := fields{rest: body}
	m := Message{Reference: -1, ReceiptState: -1}
	r.cString(6)
	m.From = r.address()
	m.To = r.address()
	m.ESMClass = r.byte()
	r.byte()
	r.byte()
	r.cString(17)
	m.Validity = r.cString(17)
	m.Receipt = r.byte()
	r.byte()
	m.Coding = r.byte()
	r.byte()
	m.Text = r.bytes(int(r.byte()))
	for !r.failed && len(r.rest) > 0 {
		tag, value := r.parameter()
		switch {
		case tag == tagReference && len(value) == 2:
			m.Reference = int(binary.BigEndian.Uint16(value))
		case tag == tagReceiptID && len(value) > 0 && len(value) <= 65:
			v := fields{rest: append([]byte(nil), value...)}
			if m.ReceiptID = v.cString(65); v.failed { // some leave its end out
				m.ReceiptID = string(value)
			}
		case tag == tagMessageState && len(value) == 1:
			m.ReceiptState = int(value[0])
		case tag == tagMessagePayload && len(m.Text) == 0:
			m.Text = value
		}
	}
	if r.failed {
		return m, ErrMalformed
	}
	return m, nil
}

// bind is the body of a bind_transceiver (4.1.5).
type bind struct {
	SystemID, Password, SystemType string
}

func (b bind) bytes() []byte {
	out := cString(cString(cString(nil, b.SystemID), b.Password), b.SystemType)
	out = append(out, 0x34, 0, 0) // interface_version; addr_ton and addr_npi of address_range: the centre knows it
	return cString(out, "")
}

func parseBind(body []byte) (bind, error) {
	r := fields{rest: body}
	b := bind{r.cString(16), r.cString(9), r.cString(13)}
	r.bytes(3)
	r.cString(41)
	if r.failed {
		return b, ErrMalformed
	}
	return b, nil
}

// fields reads a body's fields one after the other. After the first that is not there all are empty.
type fields struct {
	rest   []byte
	failed bool
}

func (r *fields) bytes(n int) []byte {
	if r.failed || n > len(r.rest) {
		r.failed = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *fields) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// cString reads up to a zero; limit counts it.
func (r *fields) cString(limit int) string {
	for i := 0; !r.failed && i < len(r.rest) && i < limit; i++ {
		if r.rest[i] == 0 {
			return string(r.bytes(i + 1)[:i])
		}
	}
	r.failed = true
	return ""
}

func (r *fields) address() Address { return Address{r.byte(), r.byte(), r.cString(21)} }

func (r *fields) parameter() (tag int, value []byte) {
	head := r.bytes(4)
	if len(head) < 4 {
		return 0, nil
	}
	return int(binary.BigEndian.Uint16(head)), r.bytes(int(binary.BigEndian.Uint16(head[2:])))
}
