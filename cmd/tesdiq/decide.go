package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/web"
)

// decideCommand decides again what a decision package says was decided. It needs no database and no network.
type decideCommand struct {
	Package   string `help:"A decision package, as the person and the agency have it, with the registers' answers enclosed or without." required:"" placeholder:"FILE"`
	Trust     string `help:"The instance's trust file: verify the enclosed answers by it, and that what was decided by follows from them." placeholder:"FILE"`
	Answers   string `help:"Write the enclosed answers here, as gateway verify takes them." placeholder:"DIR"`
	Committed string `help:"Write the package here without what is only enclosed: what was stored, and what the ledger's line is over." placeholder:"FILE"`
	Lang      string `help:"Language of the reasons." enum:"az,en,ru" default:"en"`
}

// verify judges the enclosed answers by the trust file, and whether what the rules read follows from them.
func (c decideCommand) verify(out io.Writer, p criteria.Package, in criteria.Input) error {
	data, err := os.ReadFile(c.Trust)
	if err != nil {
		return fmt.Errorf("-trust: %w", err)
	}
	trust, err := gateway.ParseTrust(data)
	if err != nil {
		return fmt.Errorf("-trust %s: %w", c.Trust, err)
	}
	verified := map[string]gateway.Verified{}
	for _, a := range p.Answers {
		if a.Bytes == nil {
			continue
		}
		file, err := tseras.Captured(a)
		if err != nil {
			return fmt.Errorf("%s: not an answer as ours are kept: %w", a.Name, err)
		}
		if a.Stamp == nil {
			return fmt.Errorf("%s: NOT verified: it has no time stamp yet; download the package again later", a.Name)
		}
		e, err := gateway.ParseEvidence(file)
		if err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
		v, err := trust.Verify(e)
		if err != nil {
			reason, detail := gateway.ReasonOf(err)
			return fmt.Errorf("%s: NOT verified: %s %s", a.Name, reason, detail)
		}
		verified[a.Name] = v
		fmt.Fprintf(out, "- %s: verified; %s answered for case %s as of %s\n", a.Name, v.Service, v.Question.Case, v.Answer.AsOf.UTC().Format(time.RFC3339))
	}
	if name, ok := tseras.Follows(in, verified); !ok {
		return fmt.Errorf("%s: what was decided by is not what this register answered", name)
	}
	// Whoever forges what a register said would leave its answer out.
	for _, a := range in.Evidence {
		if _, ok := verified[a.Register]; !ok && a.State != criteria.NoAnswer {
			return fmt.Errorf("%s: NOT verified: it was decided by its answer, and that is not enclosed", a.Register)
		}
	}
	fmt.Fprintf(out, "What was decided by follows from the %d verified answers, and there were no others.\n", len(verified))
	return nil
}

// write writes the files that are asked for. Nothing that is there is written over.
func (c decideCommand) write(out io.Writer, p criteria.Package) error {
	if c.Committed != "" {
		if err := writeNew(c.Committed, p.Committed().Bytes()); err != nil {
			return fmt.Errorf("-committed: %w", err)
		}
	}
	if c.Answers == "" {
		return nil
	}
	if err := os.MkdirAll(c.Answers, 0o700); err != nil {
		return fmt.Errorf("-answers: %w", err)
	}
	for _, a := range p.Answers {
		if a.Bytes == nil {
			continue
		}
		file, err := tseras.Captured(a)
		if err != nil {
			return fmt.Errorf("%s: not an answer as ours are kept: %w", a.Name, err)
		}
		name := filepath.Join(c.Answers, a.Name+".json")
		if err := writeNew(name, file); err != nil {
			return fmt.Errorf("-answers: %w", err)
		}
		fmt.Fprintln(out, "Written:", name)
	}
	return nil
}

// writeNew writes a file that is not there yet, for its owner alone.
func writeNew(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// Run prints the decision and its reasons, where the rules that the package names give the same bytes again.
func (c decideCommand) Run() error {
	f, err := os.Open(c.Package)
	if err != nil {
		return fmt.Errorf("-package %s: %w", c.Package, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, criteria.MaxPackage+1))
	if err != nil {
		return fmt.Errorf("-package %s: %w", c.Package, err)
	}
	p, err := criteria.ReadPackage(b)
	if err != nil {
		return err
	}
	in, r, err := p.Again()
	if err != nil {
		return err
	}
	rules, err := criteria.ByVersion(r.Rules)
	if err != nil {
		return err
	}
	lang, err := tesdiq.ParseLang(c.Lang)
	if err != nil {
		return err
	}
	text, err := web.Texts(lang)
	if err != nil {
		return err
	}
	say := criteria.Speaker{Rules: rules, Day: in.CaseOn, Lang: lang, Text: text}
	var out strings.Builder
	fmt.Fprintf(&out, "Decided again, byte for byte the same: %s", say.Result(r.Outcome, r.Band, r.Degree))
	if r.Loss > 0 {
		fmt.Fprintf(&out, "; %d %%", r.Loss)
	}
	if r.Term != "" {
		fmt.Fprintf(&out, "; %s", say.Term(r.Term))
	}
	fmt.Fprintf(&out, ".\nRules: %s\n", r.Rules)
	if p.Case != "" {
		fmt.Fprintf(&out, "Case: %s\n", p.Case)
	}
	fmt.Fprintln(&out)
	for _, x := range r.Reasons {
		fmt.Fprintf(&out, "- %s\n  %s; %s: %s\n", say.Reason(x), say.Act(x), say.Label(x), x.Source)
	}
	fmt.Fprintf(&out, "\nAnswers of registers: %d named, %d enclosed and each the one named. Signatures: %d, not looked at here.\n", len(p.Answers), p.Enclosed(), len(p.Signatures))
	fmt.Fprintf(&out, "Without what is only enclosed: SHA-256 %s\n", tseras.Digest256(p.Committed().Bytes()))
	if c.Trust != "" {
		if err := c.verify(&out, p, in); err != nil {
			return err
		}
	}
	if err := c.write(&out, p); err != nil {
		return err
	}
	_, err = fmt.Print(out.String())
	return err
}
