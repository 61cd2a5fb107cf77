package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
	"github.com/tesdiq/tesdiq/internal/service"
)

// database is where the components' pools lead, and how to end what was started for it.
type database struct {
	url       string                   // of a component's role; the user in it is not used
	passwords map[postgres.Role]string // empty where the server asks for none
	stop      func() error
}

// pools opens every component's pool.
func (d database) pools(ctx context.Context) (*postgres.Pools, error) {
	return postgres.OpenAll(ctx, d.url, d.passwords)
}

const demoDatabase = "tesdiq"

// demoDatabaseIn opens the demonstration's database: DATABASE_URL if it is set, else a private PostgreSQL under data.
// It migrates, so the database's user must be allowed to make roles.
func demoDatabaseIn(ctx context.Context, data string) (database, error) {
	if admin := os.Getenv("DATABASE_URL"); admin != "" {
		if foreign, err := postgres.Foreign(ctx, admin, string(people.Cast[0].FIN)); err != nil {
			return database{}, err
		} else if foreign {
			return database{}, errors.New("DATABASE_URL leads to a database with entries that are not the demonstration's: give it one of its own, or unset DATABASE_URL")
		}
		folder := filepath.Join(data, "passwords")
		_, never := os.Stat(folder)
		passwords, err := demoPasswords(folder)
		if err != nil {
			return database{}, err
		}
		taken, err := postgres.HasRoles(ctx, admin)
		if err != nil {
			return database{}, err
		}
		if taken && never != nil {
			// Roles belong to the whole server, not to the database.
			fmt.Fprintln(os.Stderr, "Careful: this PostgreSQL server already had Tesdiq's roles, and they get new passwords now. If another installation uses the server, `tesdiq migrate -config FILE` gives its passwords back.")
		}
		if err := postgres.Migrate(ctx, admin); err != nil {
			return database{}, err
		}
		if err := postgres.SetPasswords(ctx, admin, rand.Reader, passwords); err != nil {
			return database{}, err
		}
		return database{url: admin, passwords: passwords, stop: func() error { return nil }}, nil
	}
	server, err := privatepg.Start(ctx, privatepg.Options{Dir: filepath.Join(data, "postgres")})
	if err != nil {
		return database{}, err
	}
	d := database{url: server.URL(privatepg.Superuser, demoDatabase), stop: server.Stop}
	err = postgres.EnsureDatabase(ctx, server.URL(privatepg.Superuser, "postgres"), demoDatabase)
	if err == nil {
		err = postgres.Migrate(ctx, d.url)
	}
	if err != nil {
		return database{}, errors.Join(err, server.Stop())
	}
	return d, nil
}

// demoPasswords reads the roles' passwords from a folder, and draws those that are not there yet.
func demoPasswords(dir string) (map[postgres.Role]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, role := range postgres.Roles() {
		file := filepath.Join(dir, string(role))
		if _, err := os.Stat(file); err == nil {
			continue
		}
		word, err := tesdiq.RandomText(rand.Reader, 32)
		if err != nil {
			return nil, err
		}
		if err := writeWhole(file, []byte(word+"\n")); err != nil {
			return nil, err
		}
	}
	return service.Passwords(dir, postgres.Roles()...)
}

// where tells an operator's command which installation it works on.
type where struct {
	Config string `help:"Configuration of the service (docs/tesdiq.example.toml)." placeholder:"FILE"`
	Data   string `help:"Folder of a demonstration, where there is no configuration; ${default}." default:"var/demo" placeholder:"DIR"`
}

// open opens the installation's database: by its configuration, else the demonstration's, running or not.
func (w where) open(ctx context.Context) (database, error) {
	return w.openFor(ctx, service.Operator.Roles())
}

// openFor opens it for other roles than the operator's.
func (w where) openFor(ctx context.Context, roles []postgres.Role) (database, error) {
	if w.Config != "" {
		return configured(w.Config, roles)
	}
	if _, err := os.Stat(w.Data); err != nil {
		return database{}, fmt.Errorf("there is no demonstration in %s: name its folder with -data, or the service's configuration with -config", w.Data)
	}
	if admin := os.Getenv("DATABASE_URL"); admin != "" {
		// Not demoDatabaseIn: it would migrate whatever database that is, and change its roles' passwords under a service.
		passwords, err := service.Passwords(filepath.Join(w.Data, "passwords"), roles...)
		if err != nil {
			return database{}, fmt.Errorf("DATABASE_URL is set, but the demonstration in %s was not started with it: unset it, or name the service's configuration with -config: %w", w.Data, err)
		}
		return database{url: admin, passwords: passwords, stop: func() error { return nil }}, nil
	}
	if server, err := privatepg.Running(filepath.Join(w.Data, "postgres")); err == nil {
		return database{url: server.URL(privatepg.Superuser, demoDatabase), stop: func() error { return nil }}, nil
	}
	return demoDatabaseIn(ctx, w.Data)
}

// configured is the database that a configuration names, with the passwords of some roles.
func configured(file string, roles []postgres.Role) (database, error) {
	c, err := service.ReadConfig(file, service.Operator)
	if err != nil {
		return database{}, err
	}
	passwords, err := service.Passwords(c.Database.Passwords, roles...)
	if err != nil {
		return database{}, err
	}
	return database{url: c.Database.URL, passwords: passwords, stop: func() error { return nil }}, nil
}

// migrateCommand brings the database up to date as an administrator, who is not in the configuration.
type migrateCommand struct {
	Config string `help:"Configuration of the service; its roles get the passwords that it names." placeholder:"FILE"`
}

// Run migrates the database of DATABASE_URL.
func (m migrateCommand) Run(ctx context.Context) error {
	admin := os.Getenv("DATABASE_URL")
	if admin == "" {
		return errors.New("set DATABASE_URL to the database's address with a user that may make roles; it is needed only for this command")
	}
	if err := postgres.Migrate(ctx, admin); err != nil {
		return err
	}
	if m.Config != "" {
		d, err := configured(m.Config, postgres.Roles())
		if err != nil {
			return err
		}
		if err := postgres.SetPasswords(ctx, admin, rand.Reader, d.passwords); err != nil {
			return err
		}
	}
	fmt.Println("The database is at this version.")
	return nil
}
