package organisationdb_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet/cabinetdb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Operator)
}

func open(t *testing.T) (organisationdb.Operator, cabinetdb.DB) {
	t.Helper()
	db := pgtest.Open(t)
	return organisationdb.Operator{Pool: db.Pool(postgres.Operator), Now: time.Now, Rand: rand.Reader},
		cabinetdb.DB{Pool: db.Pool(postgres.Cabinet)}
}

var (
	bank  = organisation.Organisation{VOEN: people.Organisations[0].VOEN, Name: "“Nümunə Bank” ASC", Sort: organisation.Bank}
	aysel = organisation.Member{FIN: people.Who("aysel").FIN, Name: "Aysel Həsənova", Role: organisation.Clerk}
)

func is(t *testing.T, err error, kind tesdiq.Kind, key string) {
	t.Helper()
	if !errors.Is(err, tesdiq.NewProblem(kind, key)) {
		t.Errorf("%v, want %s", err, key)
	}
}

func TestAMemberActsUntilHeEnds(t *testing.T) {
	ctx := t.Context()
	op, r := open(t)
	o, err := op.Add(ctx, bank)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.AddMember(ctx, bank.VOEN, aysel); err != nil {
		t.Fatal(err)
	}
	m, err := r.Membership(ctx, aysel.FIN, o.ID)
	if err != nil || m.Name != bank.Name || m.Role != "clerk" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := r.MembershipByVOEN(ctx, aysel.FIN, bank.VOEN); err != nil {
		t.Error(err)
	}
	_, err = op.AddMember(ctx, bank.VOEN, aysel)
	is(t, err, tesdiq.Conflict, "organisation.member_exists")
	_, err = r.Membership(ctx, people.Who("murad").FIN, o.ID)
	is(t, err, tesdiq.NotFound, "cabinet.no-member")

	if _, err := op.EndMember(ctx, bank.VOEN, aysel.FIN); err != nil {
		t.Fatal(err)
	}
	_, err = r.Membership(ctx, aysel.FIN, o.ID)
	is(t, err, tesdiq.NotFound, "cabinet.no-member")
	// She may come back, in another role.
	manager := aysel
	manager.Role = organisation.Manager
	if _, err := op.AddMember(ctx, bank.VOEN, manager); err != nil {
		t.Fatal(err)
	}
	if all, err := r.Memberships(ctx, aysel.FIN); err != nil || len(all) != 1 || all[0].Role != "manager" {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestAClosedOrganisationStopsAtOnce(t *testing.T) {
	ctx := t.Context()
	op, r := open(t)
	o, err := op.Add(ctx, bank)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.AddMember(ctx, bank.VOEN, aysel); err != nil {
		t.Fatal(err)
	}
	if _, err := op.Close(ctx, bank.VOEN); err != nil {
		t.Fatal(err)
	}
	_, err = r.Membership(ctx, aysel.FIN, o.ID)
	is(t, err, tesdiq.NotFound, "cabinet.no-member")
	_, err = op.AddMember(ctx, bank.VOEN, organisation.Member{FIN: people.Who("murad").FIN, Name: "Murad Tağıyev", Role: organisation.Clerk})
	is(t, err, tesdiq.NotFound, "organisation.unknown")
	_, _, err = op.AddClient(ctx, bank.VOEN, "Kredit sistemi")
	is(t, err, tesdiq.NotFound, "organisation.unknown")
	_, err = op.Close(ctx, bank.VOEN)
	is(t, err, tesdiq.NotFound, "organisation.unknown")
	_, err = op.Add(ctx, bank)
	is(t, err, tesdiq.Conflict, "organisation.exists")
}

func TestASecretIsKeptOnlyAsItsHash(t *testing.T) {
	ctx := t.Context()
	op, _ := open(t)
	if _, err := op.Add(ctx, bank); err != nil {
		t.Fatal(err)
	}
	c, secret, err := op.AddClient(ctx, bank.VOEN, "Kredit sistemi")
	if err != nil {
		t.Fatal(err)
	}
	var stored []byte
	if err := op.Pool.QueryRow(ctx, `SELECT secret_sha256 FROM api_clients WHERE id = $1`, c.ID).Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if string(stored) != string(secret.Hash()) || len(secret) != 32 {
		t.Errorf("stored %x for a secret of %d characters", stored, len(secret))
	}
	if _, err := op.EndClient(ctx, c.ID); err != nil {
		t.Fatal(err)
	}
	_, err = op.EndClient(ctx, c.ID)
	is(t, err, tesdiq.NotFound, "organisation.unknown")
	listed, err := op.List(ctx, "")
	if err != nil || len(listed) != 1 || len(listed[0].Clients) != 1 || listed[0].Clients[0].Ended == nil {
		t.Errorf("%+v, %v", listed, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	ctx := t.Context()
	op, _ := open(t)
	_, err := op.Add(ctx, organisation.Organisation{VOEN: "12", Name: "a\u202eb", Sort: "shop"})
	if err == nil || err.Error() != "voen: voen.malformed; name: text.letter; sort: organisation.sort" {
		t.Error(err)
	}
	_, err = op.AddMember(ctx, bank.VOEN, organisation.Member{FIN: "1", Name: "Aysel", Role: "boss"})
	if err == nil || err.Error() != "fin: fin.malformed; name: organisation.member_name; role: organisation.role" {
		t.Error(err)
	}
}

func TestADutyIsGivenOnceAndEndsAtOnce(t *testing.T) {
	o, cabinet := open(t)
	if _, err := o.Add(t.Context(), bank); err != nil {
		t.Fatal(err)
	}
	if _, err := o.AddMember(t.Context(), bank.VOEN, aysel); err != nil {
		t.Fatal(err)
	}
	duties := func(want ...string) {
		t.Helper()
		m, err := cabinet.MembershipByVOEN(t.Context(), aysel.FIN, bank.VOEN)
		if err != nil || !slices.Equal(m.Duties, want) {
			t.Errorf("%v, %v; want %v", m.Duties, err, want)
		}
	}
	duties()
	for _, d := range []organisation.Duty{organisation.Inspection, organisation.Filing} {
		if c, err := o.AddDuty(t.Context(), bank.VOEN, d); err != nil || c.Duty != d {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	duties("filing", "inspection")
	_, err := o.AddDuty(t.Context(), bank.VOEN, organisation.Filing)
	is(t, err, tesdiq.Conflict, "organisation.duty_exists")
	_, err = o.AddDuty(t.Context(), bank.VOEN, "anything")
	if ps := tesdiq.ProblemsOf(err); len(ps) != 1 || ps[0].Field != "duty" || ps[0].Key != "organisation.duty" {
		t.Errorf("%v", err)
	}
	_, err = o.AddDuty(t.Context(), "1401555071", organisation.Filing)
	is(t, err, tesdiq.NotFound, "organisation.unknown")
	preview := o
	preview.Preview = true
	if _, err := preview.EndDuty(t.Context(), bank.VOEN, organisation.Filing); err != nil {
		t.Error(err)
	}
	duties("filing", "inspection")
	if _, err := o.EndDuty(t.Context(), bank.VOEN, organisation.Filing); err != nil {
		t.Error(err)
	}
	duties("inspection")
	_, err = o.EndDuty(t.Context(), bank.VOEN, organisation.Filing)
	is(t, err, tesdiq.NotFound, "organisation.unknown")
	if all, err := o.List(t.Context(), bank.VOEN); err != nil || len(all[0].Duties) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}
