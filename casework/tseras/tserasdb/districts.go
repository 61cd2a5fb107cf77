package tserasdb

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

const sqlAddDistrict = `
	INSERT INTO organisation_districts (organisation_id, district, added_at)
	SELECT o.id, @district, @now
	FROM organisations o
	JOIN organisation_duties t ON t.organisation_id = o.id AND t.duty = 'rehabilitation' AND t.ended_at IS NULL
	WHERE o.voen = @voen AND o.closed_at IS NULL
	RETURNING organisation_id, (to_jsonb(organisation_districts) - 'ended_at')::text`

// AddDistrict lets a body with the duty of rehabilitation serve a district. One that it serves is a Conflict,
// "tseras.district.exists".
func (o Operator) AddDistrict(ctx context.Context, voen tesdiq.VOEN, district tseras.District) (id int64, err error) {
	if err := district.Validate(); err != nil {
		return 0, err
	}
	err = o.write(ctx, tseras.ListDistrict, tseras.ListAdded, sqlAddDistrict, pgx.NamedArgs{"voen": voen, "district": district, "now": o.Now()},
		tesdiq.NewProblem(tesdiq.Conflict, "tseras.district.exists").In("district"), &id)
	return id, err
}

const sqlEndDistrict = `
	UPDATE organisation_districts d
	SET ended_at = @now
	FROM organisations o
	WHERE o.id = d.organisation_id AND o.voen = @voen AND d.district = @district AND d.ended_at IS NULL
	RETURNING d.organisation_id, to_jsonb(d)::text`

// EndDistrict ends that, at once. Cases that the body has stay with it.
func (o Operator) EndDistrict(ctx context.Context, voen tesdiq.VOEN, district tseras.District) (id int64, err error) {
	err = o.write(ctx, tseras.ListDistrict, tseras.ListEnded, sqlEndDistrict, pgx.NamedArgs{"voen": voen, "district": district, "now": o.Now()}, nil, &id)
	return id, err
}
