package registrydb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
)

const sqlInsertPersons = `
	INSERT INTO persons (entry_id, fin, surname, given, father, sex, born, document)
	SELECT *
	FROM unnest(@ids::bigint[], @fins::text[], @surnames::text[], @givens::text[], @fathers::text[], @sexes::text[], @born::date[], @documents::text[])`

const sqlInsertExaminations = `
	INSERT INTO examinations (entry_id, commission, examined_on, repeat, outcome, loss, degree, old_group, cause, from_day, until_day, next_from)
	SELECT *
	FROM unnest(@ids::bigint[], @commissions::text[], @examined::date[], @repeats::boolean[], @outcomes::text[], @losses::int[], @degrees::text[],
	            @groups::text[], @causes::text[], @from::date[], @until::date[], @next::date[])`

const sqlInsertContracts = `
	INSERT INTO contracts (entry_id, employer, employer_voen, workplace, position, main, part_time, salary, concluded, from_day, until_day, state, terminated, ground)
	SELECT *
	FROM unnest(@ids::bigint[], @employers::text[], @voens::text[], @workplaces::text[], @positions::text[], @mains::boolean[], @part_times::boolean[],
	            @salaries::bigint[], @concluded::date[], @from::date[], @until::date[], @states::text[], @terminated::date[], @grounds::text[])`

// insertBodies writes what versions whose heads are written say, by one statement for each book.
func insertBodies(ctx context.Context, tx pgx.Tx, vs []registry.Version) error {
	ids := map[registry.Book][]registry.EntryID{}
	var persons []person.Person
	var examinations []examination.Examination
	var contracts []contract.Contract
	for _, v := range vs {
		switch b := v.Body.(type) {
		case person.Person:
			persons = append(persons, b)
		case examination.Examination:
			examinations = append(examinations, b)
		case contract.Contract:
			contracts = append(contracts, b)
		}
		ids[v.Head.Book] = append(ids[v.Head.Book], v.Head.ID)
	}
	for book, args := range map[registry.Book]pgx.NamedArgs{
		registry.Persons: personColumns(persons), registry.Examinations: examinationColumns(examinations), registry.Contracts: contractColumns(contracts),
	} {
		if len(ids[book]) == 0 {
			continue
		}
		args["ids"] = ids[book]
		if _, err := tx.Exec(ctx, sqlInsertBodies[book], args); err != nil {
			return fmt.Errorf("registrydb: bodies of %s: %w", book, err)
		}
	}
	return nil
}

var sqlInsertBodies = map[registry.Book]string{
	registry.Persons: sqlInsertPersons, registry.Examinations: sqlInsertExaminations, registry.Contracts: sqlInsertContracts,
}

func personColumns(all []person.Person) pgx.NamedArgs {
	return pgx.NamedArgs{
		"fins":      column(all, func(p person.Person) string { return string(p.FIN) }),
		"surnames":  column(all, func(p person.Person) string { return p.Name.Surname }),
		"givens":    column(all, func(p person.Person) string { return p.Name.Given }),
		"fathers":   column(all, func(p person.Person) string { return p.Name.Father }),
		"sexes":     column(all, func(p person.Person) string { return string(p.Sex) }),
		"born":      column(all, func(p person.Person) tesdiq.Date { return p.Born }),
		"documents": column(all, func(p person.Person) string { return string(p.Document) }),
	}
}

func examinationColumns(all []examination.Examination) pgx.NamedArgs {
	type x = examination.Examination
	return pgx.NamedArgs{
		"commissions": column(all, func(e x) string { return e.Commission }),
		"examined":    column(all, func(e x) tesdiq.Date { return e.ExaminedOn }),
		"repeats":     column(all, func(e x) bool { return e.Repeat }),
		"outcomes":    column(all, func(e x) string { return string(e.Outcome) }),
		"losses":      column(all, func(e x) int { return int(e.Loss) }),
		"degrees":     column(all, func(e x) string { return string(e.Degree) }),
		"groups":      column(all, func(e x) string { return string(e.Group) }),
		"causes":      column(all, func(e x) string { return string(e.Cause) }),
		"from":        column(all, func(e x) tesdiq.Date { return e.From }),
		"until":       column(all, func(e x) tesdiq.Date { return e.Until }),
		"next":        column(all, func(e x) tesdiq.Date { return e.NextFrom }),
	}
}

func contractColumns(all []contract.Contract) pgx.NamedArgs {
	type k = contract.Contract
	return pgx.NamedArgs{
		"employers":  column(all, func(c k) string { return c.Employer }),
		"voens":      column(all, func(c k) string { return string(c.EmployerVOEN) }),
		"workplaces": column(all, func(c k) string { return c.Workplace }),
		"positions":  column(all, func(c k) string { return c.Position }),
		"mains":      column(all, func(c k) bool { return c.Main }),
		"part_times": column(all, func(c k) bool { return c.PartTime }),
		"salaries":   column(all, func(c k) int64 { return int64(c.Salary) }),
		"concluded":  column(all, func(c k) tesdiq.Date { return c.Concluded }),
		"from":       column(all, func(c k) tesdiq.Date { return c.From }),
		"until":      column(all, func(c k) tesdiq.Date { return c.Until }),
		"states":     column(all, func(c k) string { return string(c.State) }),
		"terminated": column(all, func(c k) tesdiq.Date { return c.Terminated }),
		"grounds":    column(all, func(c k) string { return c.Ground }),
	}
}
