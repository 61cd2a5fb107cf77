package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/service"
)

// agenciesCommand plays the agencies that the gateway asks.
type agenciesCommand struct {
	Addr       string `help:"Where the agencies answer; ${default}." default:"localhost:8090" placeholder:"HOST:PORT"`
	Operator   string `help:"Where faults are set while they run, on this machine only: GET and PUT /faults, GET /calls; ${default}." default:"localhost:8091" placeholder:"HOST:PORT"`
	Data       string `help:"Folder for keys and trust file, and for what was invented; kept between runs; ${default}." default:"var/agencies" placeholder:"DIR"`
	Faults     string `help:"What goes wrong from the beginning: JSON." placeholder:"FILE"`
	TimeStamps string `help:"Roots of the authority whose time stamps are believed, PEM, for the trust file." placeholder:"FILE"`
	People     int    `help:"How many people to invent, as for the demonstration; ${default}." default:"10000" placeholder:"N"`
	Seed       uint64 `help:"Which people are invented." default:"1" hidden:""`
}

// Run answers until it is told to stop.
func (a agenciesCommand) Run(ctx context.Context) error {
	if host, _, err := net.SplitHostPort(a.Operator); err != nil || !service.Local(host) {
		return misuse("-operator " + a.Operator + ": an address of this machine alone, for example localhost:8091")
	}
	if host, _, err := net.SplitHostPort(a.Addr); err != nil {
		return misuse("-addr " + a.Addr + ": a host and a port, for example localhost:8090")
	} else if !service.Local(host) {
		fmt.Fprintln(os.Stderr, "Careful: others than this machine can reach "+a.Addr+". Everything there is invented.")
	}
	if a.People < 0 || a.People > 1_000_000 {
		return misuse("-people: a number from 0 to 1000000")
	}
	var roots []byte
	if a.TimeStamps != "" {
		var err error
		if roots, err = os.ReadFile(a.TimeStamps); err != nil {
			return err
		}
	}
	s, err := openAgencies(a.Data, roots, a.Seed, a.People, time.Now)
	if err != nil {
		return err
	}
	if a.Faults != "" {
		data, err := os.ReadFile(a.Faults)
		if err != nil {
			return err
		}
		faults, err := agencies.ParseFaults(data)
		if err != nil {
			return err
		}
		s.SetFaults(faults)
	}
	public, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return err
	}
	defer public.Close()
	operator, err := net.Listen("tcp", a.Operator)
	if err != nil {
		return err
	}
	defer operator.Close()
	url := "http://" + public.Addr().String()
	if err := agencies.WriteServices(a.Data, url); err != nil {
		return err
	}
	fmt.Printf("The agencies answer at %s; faults: http://%s/faults. For a gateway: %s, %s and %s.\n", url, operator.Addr(),
		filepath.Join(a.Data, agencies.ServicesFile), filepath.Join(a.Data, agencies.TrustFile), filepath.Join(a.Data, "asker"))
	return serveAgencies(ctx, s, public, operator)
}

// agenciesWorld is what must stay the same at the next start, or the people would be others: world.json.
type agenciesWorld struct {
	Seed   uint64      `json:"seed"`
	People int         `json:"people"`
	Day    tesdiq.Date `json:"day"`
}

// openAgencies makes or loads keys and people of a folder.
func openAgencies(dir string, timeStamps []byte, seed uint64, n int, clock func() time.Time) (*agencies.Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, noFolder(err)
	}
	world := agenciesWorld{seed, n, tesdiq.DateOf(clock())}
	path := filepath.Join(dir, "world.json")
	switch data, err := os.ReadFile(path); {
	case err == nil:
		if err := json.Unmarshal(data, &world); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	case errors.Is(err, os.ErrNotExist):
		data, err := json.Marshal(world)
		if err != nil {
			return nil, err
		}
		if err := writeWhole(path, append(data, '\n')); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	keys, err := agencies.Open(dir, timeStamps, clock(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return &agencies.Server{World: agencies.NewWorld(world.Seed, world.People, world.Day), Keys: keys, Now: clock, Rand: rand.Reader}, nil
}

// serveAgencies answers at both addresses until the context ends or one of them fails.
func serveAgencies(ctx context.Context, s *agencies.Server, public, operator net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	for _, x := range []struct {
		l net.Listener
		h http.Handler
	}{{public, s}, {operator, s.Operator()}} {
		server := &http.Server{Handler: x.h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
		go func() { ended <- server.Serve(x.l) }()
		go func() {
			<-ctx.Done()
			_ = server.Close() // whatever is under way may be cut: nothing here is kept
		}()
	}
	err := <-ended
	cancel()
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
