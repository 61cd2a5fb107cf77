package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Exchange is a question and its answer as they went over the line, with both seals. It is what is kept, and what anybody can check who
// has the instance's trust file.
type Exchange struct {
	Request, Response Message
	Sent, Received    time.Time // by the asker's clock
}

// exchangeFormat names the form of an exchange's file. A change to what it may hold is another name.
const exchangeFormat = "tesdiq-exchange-1"

// exchangeFile is an exchange on disk, its members in the order of their names.
type exchangeFile struct {
	Format   string          `json:"format"`
	Received time.Time       `json:"received_at"`
	Request  exchangeMessage `json:"request"`
	Response exchangeMessage `json:"response"`
	Sent     time.Time       `json:"sent_at"`
}

type exchangeMessage struct {
	Body    []byte      `json:"body"` // base64: the bytes are what was signed
	Headers [][2]string `json:"headers"`
	Start   string      `json:"start"`
}

func (m Message) file() exchangeMessage {
	f := exchangeMessage{Body: m.Body, Headers: [][2]string{}, Start: m.Start}
	for _, h := range m.Headers {
		f.Headers = append(f.Headers, [2]string{h.Name, h.Value})
	}
	return f
}

func (f exchangeMessage) message() Message {
	m := Message{Start: f.Start, Body: f.Body}
	for _, h := range f.Headers {
		m.Headers = append(m.Headers, Header{h[0], h[1]})
	}
	return m
}

// Bytes writes the exchange: the same exchange gives the same bytes.
func (x Exchange) Bytes() []byte {
	b, err := json.Marshal(exchangeFile{exchangeFormat, x.Received.UTC(), x.Request.file(), x.Response.file(), x.Sent.UTC()})
	if err != nil {
		panic("gateway: exchange: " + err.Error()) // it has nothing that JSON does not
	}
	return b
}

var errExchange = errors.New("gateway: not an exchange as ours are written")

// maxExchange is far above two bodies in base64.
const maxExchange = 4 << 20

// ParseExchange reads what Bytes wrote, and nothing that is written in another way: every byte counts.
func ParseExchange(data []byte) (Exchange, error) {
	var f exchangeFile
	if len(data) > maxExchange {
		return Exchange{}, fmt.Errorf("%w: more than %d bytes", errExchange, maxExchange)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Exchange{}, fmt.Errorf("%w: %v", errExchange, err)
	}
	x := Exchange{f.Request.message(), f.Response.message(), f.Sent, f.Received}
	if f.Format != exchangeFormat || !bytes.Equal(x.Bytes(), data) {
		return Exchange{}, errExchange
	}
	return x, nil
}

// skew is how far two agencies' clocks may be apart.
const skew = 5 * time.Second

// Expected is what an answer is held to.
type Expected struct {
	Client  MemberID
	Service ServiceID
	MaxAge  time.Duration // how old the register's state may be when it is asked; 0: however old
}

// read judges an exchange from beginning to end, and gives what it says. proven is as in Trust.judge. It asks nobody and writes nothing: the client and
// the check without network are the same code.
func (t *Trust) read(q Question, want Expected, x Exchange, proven time.Time) (Answer, *failure) {
	if x.Response.Start != strconv.Itoa(200) {
		return Answer{}, fail(Failed, "status "+x.Response.Start)
	}
	if len(x.Response.Body) > MaxBody {
		return Answer{}, fail(TooLarge, "")
	}
	seal, bad := t.judge(x.Response, answerHeaders, want.Service.Member(), proven)
	if bad != nil {
		return Answer{}, bad
	}
	m := x.Response
	sameID, sameHash := m.Header(HeaderID) == q.ID, m.Header(HeaderRequestHash) == x.Request.hash()
	switch {
	case m.Header(HeaderClient) != string(want.Client):
		return Answer{}, fail(WrongClient, "")
	case m.Header(HeaderService) != string(want.Service):
		return Answer{}, fail(WrongService, "")
	case seal.at().Before(x.Sent.Add(-skew)):
		return Answer{}, fail(Replayed, "sealed before it was asked")
	case !sameID && !sameHash: // whole in itself, and to something else
		return Answer{}, fail(Replayed, "to another question")
	case !sameID:
		return Answer{}, fail(WrongID, "")
	case !sameHash:
		return Answer{}, fail(WrongHash, "")
	case seal.at().After(x.Received.Add(skew)):
		return Answer{}, fail(FutureDate, "sealed after it was received")
	case m.Header(HeaderContentType) != ContentType:
		return Answer{}, fail(Garbage, "content type")
	}
	return readBody(q, want, x)
}

// readBody judges what an answer says, whose seal is good.
func readBody(q Question, want Expected, x Exchange) (Answer, *failure) {
	var b answerBody
	if bad := strict(x.Response.Body, answerSchema, &b); bad != nil {
		return Answer{}, bad
	}
	asked := sha256.Sum256(x.Request.Body)
	switch {
	case b.Schema != q.Register.schema():
		return Answer{}, fail(WrongSchema, "schema")
	case b.ID != q.ID:
		return Answer{}, fail(WrongID, "in the body")
	case b.Service != want.Service:
		return Answer{}, fail(WrongService, "in the body")
	case b.Case != q.Case:
		return Answer{}, fail(WrongCase, "")
	case b.Person != q.Person:
		return Answer{}, fail(WrongPerson, "")
	case b.Question != hex.EncodeToString(asked[:]):
		return Answer{}, fail(WrongHash, "in the body")
	case b.AsOf.After(x.Received.Add(skew)):
		return Answer{}, fail(FutureDate, "as_of")
	case want.MaxAge > 0 && b.AsOf.Before(x.Sent.Add(-want.MaxAge)):
		return Answer{}, fail(Stale, "")
	case b.Found != (len(b.Records) > 0):
		return Answer{}, fail(Contradictory, "found, and nothing there, or the other way round")
	}
	facts, bad := readFacts(q.Register, b.Records, tesdiq.DateOf(b.AsOf))
	if bad != nil {
		return Answer{}, bad
	}
	return Answer{AsOf: b.AsOf, Found: b.Found, Facts: facts, Exchange: x}, nil
}

// question reads what was asked from an exchange whose request is to be judged: its seal, and that its parts agree with each other.
func (t *Trust) question(x Exchange, proven time.Time) (Question, Expected, *failure) {
	m := x.Request
	q, b, bad := readQuestion(m.Body)
	if bad != nil {
		return q, Expected{}, bad
	}
	want := Expected{Client: b.Client, Service: b.Service}
	seal, bad := t.judge(m, questionHeaders, b.Client, proven)
	if bad != nil {
		return q, want, bad
	}
	path, posted := strings.CutPrefix(m.Start, "POST ")
	service, err := ServiceOf(path)
	switch {
	case !posted || err != nil || service != b.Service:
		return q, want, fail(WrongService, "address")
	case m.Header(HeaderClient) != string(b.Client):
		return q, want, fail(WrongClient, "")
	case m.Header(HeaderID) != q.ID:
		return q, want, fail(WrongID, "")
	case m.Header(HeaderIssue) != q.Case:
		return q, want, fail(WrongCase, "")
	case m.Header(HeaderContentType) != ContentType:
		return q, want, fail(Garbage, "content type")
	case seal.at().Before(x.Sent.Add(-skew)), seal.at().After(x.Sent.Add(skew)):
		return q, want, fail(Replayed, "not sealed when it was sent")
	}
	return q, want, nil
}

// IsExchange says whether data is an exchange without a time stamp.
func IsExchange(data []byte) bool {
	_, err := ParseExchange(data)
	return err == nil
}
