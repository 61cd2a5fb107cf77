// Package checking puts together what answers whoever checks an excerpt: pages, interface, and the processes that read
// foreign files. It cannot sign, and knows an excerpt only by what the role tesdiq_verifier may read.
package checking

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"os"
	"runtime"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/pages"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/keysdb"
	"github.com/tesdiq/tesdiq/keys/keysweb"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/sandbox"
	"github.com/tesdiq/tesdiq/verifier/statement"
	"github.com/tesdiq/tesdiq/verifier/throttle"
	"github.com/tesdiq/tesdiq/verifier/verifierdb"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
	"github.com/tesdiq/tesdiq/web"
)

// ReadFiles is the word by which the program starts itself to read foreign files, and nothing else.
const ReadFiles = "read-files"

// Child reads files if the program was started for that, and says whether it was.
func Child() bool {
	if len(os.Args) != 2 || os.Args[1] != ReadFiles {
		return false
	}
	if sandbox.Serve(os.Stdin, os.Stdout) != nil {
		os.Exit(1) // who started it sees that it ended
	}
	return true
}

// Checking is that part of a process. It must be closed.
type Checking struct {
	Routes []web.Routes

	readers *sandbox.Pool
}

// New puts the part together, as the role tesdiq_verifier. It starts the process that reads foreign files. signers are those
// whose statements are checked without network; nil: that is not offered. example is for the page for engineers, and may be empty; others are what
// that page leads to besides.
func New(ctx context.Context, h service.Host, shell *web.Shell, pools *postgres.Pools, roots *keys.Roots, signers *statement.Signers, example verifierweb.Example, others ...verifierweb.Other) (*Checking, error) {
	tripped := h.Metrics.Counter("tesdiq_guessing_tripped_total", "How often guesses of codes from all addresses together passed the limit.")
	lost := h.Metrics.Counter("tesdiq_file_readers_lost_total", "Processes that died or hung over an uploaded file.")
	unissued := h.Metrics.Counter("tesdiq_unissued_files_total",
		"Files that bear our signature and were never issued: the key is stolen or a record is lost. Any is an alarm.")

	readers, err := sandbox.NewPool(ctx, sandbox.Config{
		Command: []string{"/proc/self/exe", ReadFiles}, Roots: roots, Children: runtime.GOMAXPROCS(0), Log: h.Log, Lost: lost.Inc,
	})
	if err != nil {
		return nil, err
	}
	guard := throttle.New(throttle.Default, func(misses int) {
		tripped.Inc()
		h.Log.Warn("codes are being guessed", "misses", misses)
	})
	var certificates []*x509.Certificate
	var pem []byte
	if signers != nil {
		certificates, pem = signers.Certificates(), signers.PEM()
	}
	db := &verifierdb.DB{Pool: pools.Verifier}
	checks, err := verifierweb.New(verifierweb.Config{
		Shell: shell,
		Verifier: &verifier.Verifier{
			Excerpts: db, Checks: db, Reader: readers, Throttle: guard, Now: h.Now, Rand: h.Rand,
			Alarm: func(ctx context.Context, sum verifier.Sum) {
				unissued.Inc()
				h.Log.ErrorContext(ctx, "ALARM: a file bears our signature and was never issued", "sha256", hex.EncodeToString(sum[:]))
			},
		},
		Door: &verifier.Door{Clients: db, Throttle: guard, Now: h.Now, Rand: h.Rand},
		Made: db, KindTitle: pages.KindTitle, Address: h.PublicURL, Example: example, Now: h.Now,
		Signers: certificates, Others: others, Schema: statement.SchemaJSON,
	})
	if err != nil {
		readers.Close()
		return nil, err
	}
	trust := &keysweb.Web{Shell: shell, Shelf: &keysdb.Shelf{Pool: pools.Verifier, Now: h.Now}, Now: h.Now}
	if err := trust.Prepare(); err != nil {
		readers.Close()
		return nil, err
	}
	return &Checking{[]web.Routes{shell.Public, checks.Routes, trust.Routes, keysweb.Pinned(shell, roots, pem)}, readers}, nil
}

// Close ends the processes that read foreign files.
func (c *Checking) Close() { c.readers.Close() }
