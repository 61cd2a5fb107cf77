// Command tesdiq is the service in one process, its demonstration, and the operator's tool.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/checking"
)

// commands are all that the program does. What changes data is a dry run unless -apply is given.
type commands struct {
	Demo  demoCommand  `cmd:"" help:"Start everything on this machine with invented people."`
	Serve serveCommand `cmd:"" help:"Run the service with your own PostgreSQL, sign-in provider and keys."`

	Migrate migrateCommand `cmd:"" help:"Bring the database's tables and roles up to this version."`

	Registry    registryCommands    `cmd:"" help:"Books of record: append, correct, annul, show."`
	Org         orgCommands         `cmd:"" help:"Organisations that check excerpts, their members and programs."`
	Commission  commissionCommands  `cmd:"" help:"Commissions that assess disability, and their members."`
	Institution institutionCommands `cmd:"" help:"Medical institutions that refer for an assessment."`
	Draws       drawsCommands       `cmd:"" help:"Draws of commissions by lot: recompute them."`
	Revoke      revokeCommand       `cmd:"" help:"Revoke an excerpt."`
	Keys        keysCommands        `cmd:"" help:"Keys and certificates: ceremony, list, rotate, revoke, reissue, publish."`

	Gateway  gatewayCommands `cmd:"" help:"Exchanges with other agencies: check them."`
	Agencies agenciesCommand `cmd:"" help:"Play the agencies that the gateway asks: invented registers that can be slow, wrong and down."`

	Decide decideCommand `cmd:"" help:"Decide again what a decision package says was decided: the same bytes, or a clear no."`

	Simulate simulateCommands `cmd:"" help:"Play a year of a procedure with invented people, and check all that came of it."`

	Bench benchCommand `cmd:"" help:"Measure what this machine carries, beside a baseline: issue, check, verify or decide."`
}

func main() {
	if checking.Child() {
		return
	}
	service.Prepare()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run is main without the process around it. 0 is success, 1 a failure, 2 wrong use.
func run(ctx context.Context, args []string) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("tesdiq"), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Description("Document verification and certificate trust for social protection."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "tesdiq:", err)
		return 2
	}
	command, err := parser.Parse(longFlags(helpWanted(args)))
	if err != nil {
		fmt.Fprintf(os.Stderr, "tesdiq: %s `%s -h` says how to use it\n", plainly(err), asked(err))
		return 2
	}
	err = command.Run()
	if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return 0
	}
	var wrong misuse
	if errors.As(err, &wrong) {
		fmt.Fprintln(os.Stderr, "tesdiq:", err)
		return 2
	}
	var problems tesdiq.Problems
	var problem *tesdiq.Problem
	if errors.As(err, &problems) || errors.As(err, &problem) {
		for _, p := range tesdiq.ProblemsOf(err) {
			if p.Field != "" {
				fmt.Fprintf(os.Stderr, "tesdiq: %s: %s\n", p.Field, printable(operatorWords(p)))
				continue
			}
			fmt.Fprintln(os.Stderr, "tesdiq:", printable(operatorWords(p)))
		}
		return 1
	}
	fmt.Fprintln(os.Stderr, "tesdiq:", printableLines(err.Error()))
	return service.ExitStatus(err)
}

// misuse is an error of whoever typed the command.
type misuse string

func (m misuse) Error() string { return string(m) }

// helpWanted lets help be asked for as people do: with nothing at all, and by "help org add".
func helpWanted(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

var (
	noValue   = regexp.MustCompile(`expected .* value but got "EOL" \(<EOL>\)`)
	flagValue = regexp.MustCompile(`expected .* value but got ("-.*") \(.*$`)
)

// plainly is what the parser says of wrong use, without its own vocabulary.
func plainly(err error) string {
	says := noValue.ReplaceAllString(err.Error(), "a value is missing")
	says = flagValue.ReplaceAllString(says, "$1 looks like a flag, and is no value")
	if !strings.HasSuffix(says, "?") {
		says += ";"
	}
	return says
}

// asked is the command that the parser had understood when it found wrong use.
func asked(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) {
		if node := wrong.Context.Selected(); node != nil {
			return node.FullPath()
		}
	}
	return "tesdiq"
}

var singleDash = regexp.MustCompile(`^-[a-z][a-z-]+(=|$)`)

// longFlags lets long flags be written with one hyphen, as in the documentation: -people 100.
func longFlags(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		if singleDash.MatchString(a) {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}
