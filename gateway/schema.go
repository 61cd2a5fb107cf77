package gateway

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/tesdiq/tesdiq"
)

// Schemas are the forms of questions, answers and records, one file each: the files are what is held to, here and by the agencies.
//
//go:embed schema/*.json
var Schemas embed.FS

const schemaAddress = "https://tesdiq.example/schema/gateway/"

var (
	answerSchema   = compile("answer-1")
	questionSchema = compile("question-1")
	// A correction is asked for and answered in one form for all registers.
	correctionSchema = compile("correction-1")
	rulingSchema     = compile("ruling-1")
	recordSchemas    = func() map[Register]*jsonschema.Schema {
		all := map[Register]*jsonschema.Schema{}
		for r := range purposes {
			all[r] = compile(r.schema())
			all[r.Correction()] = rulingSchema
		}
		return all
	}()
)

// schema names the version of a register's form.
func (r Register) schema() string { return string(r) + "-1" }

// compile reads a schema of this package: a fault in it shows at the first run or never.
func compile(name string) *jsonschema.Schema {
	data, err := Schemas.ReadFile("schema/" + name + ".json")
	if err != nil {
		panic("gateway: " + err.Error())
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		panic("gateway: schema " + name + ": " + err.Error())
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	c.AssertFormat()
	if err := c.AddResource(schemaAddress+name+".json", doc); err != nil {
		panic("gateway: schema " + name + ": " + err.Error())
	}
	return c.MustCompile(schemaAddress + name + ".json")
}

// nowhere loads no schema from anywhere.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) { return nil, fmt.Errorf("gateway: no schema %q", url) }

// Limits of what is read.
const (
	MaxBody  = 1 << 20 // bytes of a body
	maxDepth = 8       // levels of JSON
)

var errTwice = errors.New("a member stands there twice")

// once sees that data is one JSON value in which no object has a member twice: readers differ in which of the two they take.
func once(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	type level struct {
		object, value bool // value: a member's name was read
		names         map[string]bool
	}
	var levels []level
	for first := true; first || len(levels) > 0; first = false {
		t, err := d.Token()
		if err != nil {
			return err
		}
		top := len(levels) - 1
		if top >= 0 && levels[top].object {
			if name, is := t.(string); is && !levels[top].value {
				if levels[top].names[name] {
					return errTwice
				}
				levels[top].names[name], levels[top].value = true, true
				continue
			}
			levels[top].value = false
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if len(levels) == maxDepth {
				return errors.New("too deep")
			}
			levels = append(levels, level{object: t == json.Delim('{'), names: map[string]bool{}})
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:top]
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

// strict reads JSON that has the form of a schema into a value that has the same members.
func strict(data []byte, schema *jsonschema.Schema, into any) *failure {
	if err := once(data); errors.Is(err, errTwice) {
		return fail(WrongSchema, errTwice.Error())
	} else if err != nil {
		return fail(Garbage, "no JSON")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fail(Garbage, "no JSON")
	}
	if err := schema.Validate(doc); err != nil {
		return schemaFailure(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fail(WrongSchema, "a value of another kind")
	}
	return nil
}

// schemaFailure says which member is wrong, never its value: that may be about the person.
func schemaFailure(err error) *failure {
	var wrong *jsonschema.ValidationError
	if !errors.As(err, &wrong) {
		return fail(WrongSchema, "")
	}
	reason, place := WrongSchema, wrong.InstanceLocation
	for open := []*jsonschema.ValidationError{wrong}; len(open) > 0; open = open[1:] {
		if more, ok := open[0].ErrorKind.(*kind.AdditionalProperties); ok && len(more.Properties) > 0 {
			return fail(UnknownField, strings.Join(open[0].InstanceLocation, "/"))
		}
		if len(open[0].InstanceLocation) > len(place) {
			place = open[0].InstanceLocation
		}
		open = append(open, open[0].Causes...)
	}
	return fail(reason, strings.Join(place, "/"))
}

// questionBody is what a question says, its members in the order of their names.
type questionBody struct {
	Asked   time.Time   `json:"asked_at"`
	Case    string      `json:"case"`
	Client  MemberID    `json:"client"`
	ID      string      `json:"id"`
	Person  tesdiq.FIN  `json:"person"`
	Purpose Purpose     `json:"purpose"`
	Schema  string      `json:"schema"`
	Service ServiceID   `json:"service"`
	Since   tesdiq.Date `json:"since"`
}

// correctionBody is what a question says that asks for a correction.
type correctionBody struct {
	Answer string `json:"answer"`
	questionBody
	Words string `json:"words"`
	Wrong Wrong  `json:"wrong"`
}

// answerBody is what an answer says.
type answerBody struct {
	AsOf     time.Time         `json:"as_of"`
	Case     string            `json:"case"`
	Found    bool              `json:"found"`
	ID       string            `json:"id"`
	Person   tesdiq.FIN        `json:"person"`
	Question string            `json:"question_sha256"`
	Records  []json.RawMessage `json:"records"`
	Schema   string            `json:"schema"`
	Service  ServiceID         `json:"service"`
}

func (q Question) body(client MemberID, service ServiceID) ([]byte, error) {
	var body any = questionBody{q.Asked.UTC(), q.Case, client, q.ID, q.Person, q.Purpose, q.Register.schema(), service, q.Since}
	if q.Purpose == Correcting {
		body = correctionBody{q.Dispute.Answer, body.(questionBody), q.Dispute.Words, q.Dispute.Wrong}
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("gateway: question: %w", err)
	}
	return b, nil
}

// readQuestion reads what body wrote, as an agency does.
func readQuestion(data []byte) (Question, questionBody, *failure) {
	var c correctionBody
	var bad *failure
	if asksForCorrection(data) {
		bad = strict(data, correctionSchema, &c)
	} else {
		bad = strict(data, questionSchema, &c.questionBody)
	}
	b := c.questionBody
	if bad != nil {
		return Question{}, b, bad
	}
	r, ok := strings.CutSuffix(b.Schema, "-1")
	q := Question{ID: b.ID, Case: b.Case, Purpose: b.Purpose, Register: Register(r), Person: b.Person, Since: b.Since, Asked: b.Asked,
		Dispute: Dispute{c.Answer, c.Wrong, c.Words}}
	if !ok || q.check() != nil {
		return q, b, fail(WrongSchema, "")
	}
	return q, b, nil
}

// asksForCorrection says by which schema a question is read: strict judges it, whatever this says.
func asksForCorrection(data []byte) bool {
	var b struct {
		Purpose Purpose `json:"purpose"`
	}
	return json.Unmarshal(data, &b) == nil && b.Purpose == Correcting
}

// records reads the records of an answer, each by the register's schema.
func records[R record](register Register, raw []json.RawMessage, asOf tesdiq.Date) ([]R, *failure) {
	var all []R
	for i, data := range raw {
		var r R
		if bad := strict(data, recordSchemas[register], &r); bad != nil {
			bad.detail = strings.TrimSuffix(fmt.Sprintf("records/%d/%s", i, bad.detail), "/")
			return nil, bad
		}
		all = append(all, r)
	}
	return all, judge(register, all, asOf)
}

// readFacts reads an answer's records into the register's member of Facts.
func readFacts(register Register, raw []json.RawMessage, asOf tesdiq.Date) (f Facts, bad *failure) {
	if _, ok := register.Corrects(); ok {
		f.Ruling, bad = records[Ruling](register, raw, asOf)
		return f, bad
	}
	switch register {
	case Episodes:
		f.Episodes, bad = records[Episode](register, raw, asOf)
	case Treating:
		f.Treating, bad = records[Treatment](register, raw, asOf)
	case Oncology:
		f.Oncology, bad = records[Tumour](register, raw, asOf)
	case Tuberculosis:
		f.Tuberculosis, bad = records[Infection](register, raw, asOf)
	case Dialysis:
		f.Dialysis, bad = records[Course](register, raw, asOf)
	case Occupational:
		f.Occupational, bad = records[Act](register, raw, asOf)
	case Vision:
		f.Vision, bad = records[Sight](register, raw, asOf)
	case Population:
		f.Population, bad = records[Resident](register, raw, asOf)
	case Relatives:
		f.Relatives, bad = records[Relative](register, raw, asOf)
	case Contact:
		f.Contact, bad = records[Telephone](register, raw, asOf)
	case Contracts:
		f.Contracts, bad = records[Employment](register, raw, asOf)
	case Registration:
		f.Registration, bad = records[Polyclinic](register, raw, asOf)
	default:
		bad = fail(WrongSchema, "no such register")
	}
	return f, bad
}
