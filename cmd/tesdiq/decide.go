package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/web"
)

// decideCommand decides again what a decision package says was decided. It needs no database, and the file names nobody.
type decideCommand struct {
	Package string `help:"A decision package, as the person and the agency have it." required:"" placeholder:"FILE"`
	Lang    string `help:"Language of the reasons." enum:"az,en,ru" default:"en"`
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
	if n := len(p.Answers) + len(p.Signatures); n > 0 {
		fmt.Fprintf(&out, "\nEnclosed, not looked at here: %d signed answers and signatures.\n", n)
	}
	_, err = fmt.Print(out.String())
	return err
}
