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
	Package   string `help:"A decision package, as the person downloads it, with the registers' answers enclosed or without, or as the instance keeps it." required:"" placeholder:"FILE"`
	Trust     string `help:"The instance's trust file: verify the enclosed answers by it, and that what was decided by follows from them." placeholder:"FILE"`
	Answers   string `help:"Write the enclosed answers here, as gateway verify takes them." placeholder:"DIR"`
	Committed string `help:"Write the package here as committed, without what is enclosed in it: it names nobody, and is the same whoever's file it is from." placeholder:"FILE"`
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
			return fmt.Errorf("%s: NOT verified: %s %s", a.Name, reason, printable(detail))
		}
		verified[a.Name] = v
		fmt.Fprintf(out, "- %s: verified; %s answered for case %s as of %s\n", a.Name, printable(fmt.Sprint(v.Service)), printable(v.Question.Case), v.Answer.AsOf.UTC().Format(time.RFC3339))
	}
	if err := tseras.CheckAnswers(p, in, verified); err != nil {
		return err
	}
	fmt.Fprintf(out, "What was decided by follows from the %d verified answers: one of each register that the decision rests on, and no other.\n", len(verified))
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

// signatures says how many signed what. The signatures themselves name the members, and stay with the instance: nothing is said of whether they are good.
func signatures(p criteria.Package) string {
	switch {
	case len(p.Signatures) == 0:
		return "Signatures: none."
	case p.Signed == nil:
		return fmt.Sprintf("Signatures: %d, by digest; the package does not say of how many and over what. They are not looked at here.", len(p.Signatures))
	}
	return fmt.Sprintf("Signatures: %d of %d who spoke, over %s, which is the digest of this package with its salt. They are not looked at here.",
		len(p.Signatures), p.Signed.Of, p.Signed.Over)
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
	if err := tseras.CheckSigned(p); err != nil {
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
	if p.About != "" {
		fmt.Fprintf(&out, "An appeal about case: %s\n", p.About)
	}
	fmt.Fprintln(&out)
	for _, x := range r.Reasons {
		fmt.Fprintf(&out, "- %s\n  %s; %s: %s\n", printable(say.Reason(x)), printable(say.Act(x)), printable(say.Label(x)), printable(x.Source))
	}
	fmt.Fprintf(&out, "\nAnswers of registers: %d named, %d enclosed and each the one named.\n%s\n", len(p.Answers), p.Enclosed(), signatures(p))
	fmt.Fprintf(&out, "As committed: SHA-256 %s\n", tseras.Digest256(p.Committed().Bytes()))
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
