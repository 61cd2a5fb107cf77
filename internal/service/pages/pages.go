// Package pages is what programs with pages share: the shell, who may act for whom, and what documents are called.
package pages

import (
	"context"
	"fmt"
	"net/url"

	"github.com/alexedwards/scs/v2"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet/cabinetdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/templates/all"
	"github.com/tesdiq/tesdiq/web"
)

// Shell makes the shell of a process that signs people in: its cabinet's role keeps sessions. provider is the address of
// the sign-in provider, and demo says that everybody is invented.
func Shell(h service.Host, pools *postgres.Pools, provider string, demo bool) (*web.Shell, error) {
	return shell(h, cabinetdb.Sessions(pools.Cabinet), nil, cabinetdb.DB{Pool: pools.Cabinet}, provider, demo)
}

// Reception makes the shell of a process that only reads who is signed in, as the role tesdiq_reception.
func Reception(h service.Host, pools *postgres.Pools, provider string) (*web.Shell, error) {
	return shell(h, cabinetdb.Visits(pools.Reception), cabinetdb.SignIns(pools.Reception), cabinetdb.DB{Pool: pools.Reception}, provider, false)
}

func shell(h service.Host, sessions, signIns scs.Store, roles cabinetdb.DB, provider string, demo bool) (*web.Shell, error) {
	public, err := url.Parse(h.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("public address: %w", err)
	}
	return web.New(web.Config{
		Sessions: sessions, SignIns: signIns, Members: Members{roles}, Inbox: roles,
		Log: h.Log, Now: h.Now, Rand: h.Rand, Secure: public.Scheme == "https", Proxies: h.Proxies,
		FormAction: formAction(provider), Demo: demo, Observe: h.Metrics.Observe, Away: postgres.Away,
	})
}

// formAction is the origin of the sign-in provider, to which a form may lead.
func formAction(provider string) []string {
	u, err := url.Parse(provider)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Scheme + "://" + u.Host}
}

// Members tells the shell and the sign-in who may act for whom.
type Members struct{ Roles cabinetdb.DB }

// Membership is somebody's current part in an open organisation; else a Problem of kind NotFound.
func (m Members) Membership(ctx context.Context, fin tesdiq.FIN, organisation int64) (web.Organisation, error) {
	found, err := m.Roles.Membership(ctx, fin, organisation)
	return web.Organisation{ID: found.ID, Name: found.Name, Role: found.Role, Duties: found.Duties}, err
}

// OrganisationByVOEN is the id of the open organisation with a VÖEN whose current member somebody is; else a Problem of
// kind NotFound.
func (m Members) OrganisationByVOEN(ctx context.Context, fin tesdiq.FIN, voen tesdiq.VOEN) (int64, error) {
	found, err := m.Roles.MembershipByVOEN(ctx, fin, voen)
	return found.ID, err
}

// KindTitle is the title of a kind of document, in the language of who reads of it.
func KindTitle(lang tesdiq.Lang, kind string) string {
	if k, ok := all.Lookup(kind); ok {
		return k.Title(lang)
	}
	return kind
}
