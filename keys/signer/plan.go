package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"github.com/tesdiq/tesdiq/keys/signer/hsm"
)

// Plan is what a ceremony makes: docs/ceremony.example.toml, with a comment at each setting. It is the ceremony's only input, so
// that those present can review everything beforehand.
type Plan struct {
	Title           string    `toml:"title"`
	Country         string    `toml:"country"`
	Organization    string    `toml:"organization"`
	Address         string    `toml:"address"`
	TimeStampPolicy string    `toml:"time_stamp_policy"`
	Begins          time.Time `toml:"begins"` // zero: at the ceremony
	Present         []Present `toml:"present"`

	Root      PlannedKey `toml:"root"`
	Issuing   PlannedKey `toml:"issuing"`
	Document  PlannedKey `toml:"document"`
	TimeStamp PlannedKey `toml:"time_stamp"`
	Answers   PlannedKey `toml:"answers"`

	policy x509.OID
}

// Present is somebody in the room.
type Present struct {
	Name string `toml:"name"`
	Part string `toml:"part"`
}

// PlannedKey is one key and its certificate.
type PlannedKey struct {
	Name    string `toml:"name"`
	Years   int    `toml:"years"`
	Storage string `toml:"storage"`

	// With StorageModule: hsm.Place.
	Module  string `toml:"module"`
	Token   string `toml:"token"`
	PINFile string `toml:"pin_file"`
}

// Where a key is kept.
const (
	StorageFile   = "file"
	StorageModule = "pkcs11" // in a module, which it never leaves
)

func (k PlannedKey) place() hsm.Place {
	return hsm.Place{Module: k.Module, Token: k.Token, PINFile: k.PINFile}
}

// make makes the key. One that is not to be kept is nowhere but in this program's memory or session.
func (k PlannedKey) make(ctx context.Context, rand io.Reader, r role, keep bool) (crypto.Signer, error) {
	if k.Storage == StorageModule {
		return hsm.Generate(ctx, rand, k.place(), string(r), keep)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand)
}

// checkStorage says what is wrong with where the key is to be kept.
func (k PlannedKey) checkStorage() error {
	switch {
	case k.Storage == StorageModule:
		return k.place().Check()
	case k.Storage != StorageFile:
		return fmt.Errorf("storage: must be %q or %q", StorageFile, StorageModule)
	case k.place() != hsm.Place{}:
		return fmt.Errorf("storage: module, token and pin_file are for %q", StorageModule)
	}
	return nil
}

// Limits of a plan. Names: X.520's upper bounds, RFC 5280 appendix A.1.
const (
	maxPlan     = 64 << 10
	maxName     = 64
	maxYears    = 25
	minPresent  = 2
	maxAhead    = 90 * 24 * time.Hour
	maxBackdate = 24 * time.Hour
)

// ReadPlan reads and judges a plan for a ceremony at now. The error names everything that is wrong with it.
func ReadPlan(data []byte, now time.Time) (Plan, error) {
	var p Plan
	if len(data) > maxPlan {
		return p, fmt.Errorf("signer: plan: more than %d bytes", maxPlan)
	}
	meta, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&p)
	if err != nil {
		return p, fmt.Errorf("signer: plan: %w", err)
	}
	var wrong []string
	refuse := func(setting, why string, args ...any) {
		wrong = append(wrong, "  "+setting+": "+fmt.Sprintf(why, args...))
	}
	for _, k := range meta.Undecoded() {
		refuse(k.String(), "is not a setting")
	}
	if p.Title == "" {
		refuse("title", "is missing")
	}
	if len(p.Country) != 2 || strings.Trim(p.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		refuse("country", "must be two capital letters (ISO 3166)")
	}
	checkName("organization", p.Organization, refuse)
	if strings.Contains(p.Organization, demoName) {
		refuse("organization", "is the demonstration's")
	}
	u, err := url.Parse(p.Address)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		refuse("address", "must be the service's public_url, which begins with https, such as \"https://tesdiq.example\"")
	}
	p.Address = strings.TrimRight(p.Address, "/")
	if p.policy, err = x509.ParseOID(p.TimeStampPolicy); err != nil {
		refuse("time_stamp_policy", "must be an object identifier such as \"1.3.6.1.4.1.32473.1.1\"")
	} else if strings.HasPrefix(p.TimeStampPolicy+".", "2.999.") {
		refuse("time_stamp_policy", "2.999 is the arc for examples, which nothing real may use")
	}
	if !p.Begins.IsZero() && (p.Begins.Before(now.Add(-maxBackdate)) || p.Begins.After(now.Add(maxAhead))) {
		refuse("begins", "must not be more than a day ago nor more than 90 days ahead")
	}
	if len(p.Present) < minPresent {
		refuse("present", "names %d; at least %d must be in the room", len(p.Present), minPresent)
	}
	seen := map[string]bool{}
	for _, who := range p.Present {
		if strings.TrimSpace(who.Name) == "" || strings.TrimSpace(who.Part) == "" {
			refuse("present", "everybody has a name and a part")
		}
		if seen[who.Name] {
			refuse("present", "%q stands there twice", who.Name)
		}
		seen[who.Name] = true
	}
	p.checkKeys(refuse)
	if len(wrong) > 0 {
		return p, fmt.Errorf("signer: the plan cannot be carried out:\n%s", strings.Join(wrong, "\n"))
	}
	return p, nil
}

func (p *Plan) checkKeys(refuse func(setting, why string, args ...any)) {
	names := map[string]bool{}
	for _, k := range []struct {
		setting string
		key     PlannedKey
		within  PlannedKey // must last as long
	}{
		{"root", p.Root, p.Root}, {"issuing", p.Issuing, p.Root}, {"document", p.Document, p.Issuing},
		{"time_stamp", p.TimeStamp, p.Root}, {"answers", p.Answers, p.Issuing},
	} {
		checkName(k.setting+".name", k.key.Name, refuse)
		if names[k.key.Name] {
			refuse(k.setting+".name", "%q is another's name already", k.key.Name)
		}
		names[k.key.Name] = true
		if k.key.Years < 1 || k.key.Years > maxYears {
			refuse(k.setting+".years", "must be from 1 to %d", maxYears)
		}
		if k.key.Years > k.within.Years {
			refuse(k.setting+".years", "must not be more than its authority's %d", k.within.Years)
		}
		if err := k.key.checkStorage(); err != nil {
			setting, why, _ := strings.Cut(err.Error(), ": ")
			refuse(k.setting+"."+setting, "%s", why)
		}
	}
	// Who runs the service has the PIN of its token.
	for _, authority := range []struct {
		setting string
		key     PlannedKey
	}{{"root", p.Root}, {"issuing", p.Issuing}} {
		for _, k := range []PlannedKey{p.Document, p.TimeStamp, p.Answers} {
			if a := authority.key; a.Storage == StorageModule && k.Storage == StorageModule && a.Token == k.Token {
				refuse(authority.setting+".token", "holds a key of the service, too: whoever has the service's PIN could certify signers")
				break
			}
		}
	}
}

func checkName(setting, name string, refuse func(setting, why string, args ...any)) {
	if err := nameFits(name); err != nil {
		refuse(setting, "%v", err)
	}
}

// nameFits says whether a name may stand in a certificate.
func nameFits(name string) error {
	switch {
	case name == "" || strings.TrimSpace(name) != name:
		return errors.New("is missing, or has blanks around it")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("has characters that nobody can read")
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("has more than %d letters", maxName)
	}
	return nil
}
