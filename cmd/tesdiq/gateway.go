package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/tesdiq/tesdiq/gateway"
)

// gatewayCommands work on what was exchanged with other agencies.
type gatewayCommands struct {
	Verify gatewayVerify `cmd:"" help:"Check captured exchanges without network and database: both seals, the answer's form, and the time stamp."`
}

// gatewayVerify checks captured exchanges with the instance's trust file alone.
type gatewayVerify struct {
	Trust string   `help:"The instance's trust file." required:"" placeholder:"FILE"`
	JSON  bool     `help:"One line of JSON for each file." name:"json"`
	Files []string `arg:"" help:"Captured exchanges." name:"file"`
}

// verifiedFile is what is said of one file: nothing about the person.
type verifiedFile struct {
	File     string            `json:"file"`
	Verified bool              `json:"verified"`
	Reason   gateway.Reason    `json:"reason,omitempty"`
	Detail   string            `json:"detail,omitempty"`
	Case     string            `json:"case,omitempty"`
	Question string            `json:"question,omitempty"`
	Register gateway.Register  `json:"register,omitempty"`
	Client   gateway.MemberID  `json:"client,omitempty"`
	Service  gateway.ServiceID `json:"service,omitempty"`
	Found    bool              `json:"found"`
	AsOf     *time.Time        `json:"as_of,omitempty"`
	Stamped  *time.Time        `json:"stamped_at,omitempty"`
}

// Run checks each file, and fails if one is not what it should be.
func (g gatewayVerify) Run() error {
	data, err := os.ReadFile(g.Trust)
	if err != nil {
		return err
	}
	trust, err := gateway.ParseTrust(data)
	if err != nil {
		return err
	}
	bad := 0
	for _, name := range g.Files {
		v, err := verifyExchange(trust, name)
		if err != nil {
			return err
		}
		if !v.Verified {
			bad++
		}
		if g.JSON {
			line, err := json.Marshal(v)
			if err != nil {
				return err
			}
			fmt.Println(string(line))
			continue
		}
		fmt.Println(printable(v.String()))
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d files are not verified", bad, len(g.Files))
	}
	return nil
}

func verifyExchange(trust *gateway.Trust, name string) (verifiedFile, error) {
	f := verifiedFile{File: name}
	data, err := os.ReadFile(name)
	if err != nil {
		return f, err
	}
	e, err := gateway.ParseEvidence(data)
	if err != nil {
		if f.Reason = gateway.Garbage; gateway.IsExchange(data) {
			f.Reason = gateway.NotStamped
		}
		return f, nil
	}
	v, err := trust.Verify(e)
	if err != nil {
		f.Reason, f.Detail = gateway.ReasonOf(err)
		return f, nil
	}
	f.Verified, f.Case, f.Question, f.Register, f.Client, f.Service = true, v.Question.Case, v.Question.ID, v.Question.Register, v.Client, v.Service
	f.Found, f.AsOf, f.Stamped = v.Answer.Found, &v.Answer.AsOf, &v.Stamped
	return f, nil
}

func (f verifiedFile) String() string {
	if !f.Verified {
		return fmt.Sprintf("%s: NOT verified: %s %s", f.File, f.Reason, f.Detail)
	}
	says := "has nothing"
	if f.Found {
		says = "has something"
	}
	return fmt.Sprintf("%s: verified. Case %s: %s answered %s as of %s that it %s; time stamp %s", f.File, f.Case, f.Service, f.Client,
		f.AsOf.Format(time.RFC3339), says, f.Stamped.UTC().Format(time.RFC3339))
}
