package tserasdb

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

const sqlSeal = `
	SELECT s.organisation_id, o.name, m.district, s.certificate
	FROM institution_seals s
	JOIN medical_institutions m ON m.organisation_id = s.organisation_id
	JOIN organisations o ON o.id = s.organisation_id
	WHERE s.thumbprint = @thumbprint AND s.ended_at IS NULL AND o.closed_at IS NULL`

// Sealer is the open institution whose seal has a thumbprint, the SHA-256 of its certificate, and the certificate.
// casework.ErrMissing when there is none.
func (d Desk) Sealer(ctx context.Context, thumbprint [sha256.Size]byte) (i tseras.Institution, certificate []byte, err error) {
	err = d.Pool.QueryRow(ctx, sqlSeal, pgx.NamedArgs{"thumbprint": thumbprint[:]}).Scan(&i.ID, &i.Name, &i.District, &certificate)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return i, nil, casework.ErrMissing
	case err != nil:
		return i, nil, fmt.Errorf("tserasdb: seal: %w", err)
	}
	return i, certificate, nil
}

const sqlAddSeal = `
	INSERT INTO institution_seals (thumbprint, organisation_id, certificate, added_at)
	SELECT @thumbprint, m.organisation_id, @certificate, @now
	FROM medical_institutions m
	JOIN organisations o ON o.id = m.organisation_id
	WHERE o.voen = @voen AND o.closed_at IS NULL
	RETURNING organisation_id, (to_jsonb(institution_seals) - 'ended_at' - 'certificate')::text`

// AddSeal pins a seal of a medical institution. One that is there is a Conflict, "tseras.seal.exists".
func (o Operator) AddSeal(ctx context.Context, voen tesdiq.VOEN, seal *x509.Certificate) (id int64, err error) {
	thumbprint := sha256.Sum256(seal.Raw)
	err = o.write(ctx, tseras.ListSeal, tseras.ListAdded, sqlAddSeal, pgx.NamedArgs{"thumbprint": thumbprint[:], "certificate": seal.Raw, "voen": voen, "now": o.Now()},
		tesdiq.NewProblem(tesdiq.Conflict, "tseras.seal.exists"), &id)
	return id, err
}

const sqlEndSeal = `
	UPDATE institution_seals s SET ended_at = @now
	FROM organisations o
	WHERE o.id = s.organisation_id AND o.voen = @voen AND s.thumbprint = @thumbprint AND s.ended_at IS NULL
	RETURNING s.organisation_id, (to_jsonb(s) - 'certificate')::text`

// EndSeal ends a seal of an institution, at once: it opens nothing any more, and what it signed before stays.
func (o Operator) EndSeal(ctx context.Context, voen tesdiq.VOEN, thumbprint [sha256.Size]byte) error {
	var id int64
	return o.write(ctx, tseras.ListSeal, tseras.ListEnded, sqlEndSeal, pgx.NamedArgs{"thumbprint": thumbprint[:], "voen": voen, "now": o.Now()}, nil, &id)
}

// ListedSeal is a seal that an institution has or had.
type ListedSeal struct {
	Thumbprint, Certificate []byte
	Added                   time.Time
	Ended                   *time.Time
}

const sqlSealsOf = `
	SELECT s.thumbprint, s.certificate, s.added_at, s.ended_at
	FROM institution_seals s
	JOIN organisations o ON o.id = s.organisation_id
	WHERE o.voen = @voen
	ORDER BY s.added_at, s.thumbprint`

// Seals are all seals of an institution, the oldest first.
func (o Operator) Seals(ctx context.Context, voen tesdiq.VOEN) ([]ListedSeal, error) {
	rows, _ := o.Pool.Query(ctx, sqlSealsOf, pgx.NamedArgs{"voen": voen}) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ListedSeal])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: seals: %w", err)
	}
	return all, nil
}
