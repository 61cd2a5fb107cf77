package issuerdb_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
)

// BenchmarkIssue is the whole way of an excerpt, from asking to holding its bytes, for 64 clients at a time.
func BenchmarkIssue(b *testing.B) {
	w := newWorld(b)
	w.listen()
	d := w.dispatcher()
	d.Workers, d.Lease, d.Poll = 0, 0, 0 // as in production
	w.run(d)
	fin, number := w.person("Quliyeva")
	if _, _, err := draw(w, fin, request(number)); err != nil { // connections, fonts
		b.Fatal(err)
	}
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var clients sync.WaitGroup
	for range 64 {
		clients.Go(func() {
			for left.Add(-1) >= 0 {
				if _, _, err := draw(w, fin, request(number)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "excerpts/s")
}

// BenchmarkSteps is where the time of one excerpt goes, on one processor and without the database.
func BenchmarkSteps(b *testing.B) {
	w := newWorld(b)
	m := w.maker()
	var began time.Time
	spent := map[issuer.Step]time.Duration{}
	m.Trace = func(step issuer.Step, ended bool) {
		if ended {
			spent[step] += time.Since(began)
		}
		began = time.Now()
	}
	job := exampleJob()
	for b.Loop() {
		if _, err := m.Make(b.Context(), job); err != nil {
			b.Fatal(err)
		}
	}
	for _, step := range []issuer.Step{issuer.Attest, issuer.Render, issuer.Lint, issuer.Sign, issuer.Check} {
		b.ReportMetric(float64(spent[step].Microseconds())/float64(b.N), string(step)+"-µs/op")
	}
}

// BenchmarkAsk is step 1 alone.
func BenchmarkAsk(b *testing.B) {
	w := newWorld(b)
	fin, number := w.person("Quliyeva")
	var clients sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	for range 16 {
		clients.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := w.cabinet.Ask(b.Context(), fin, request(number)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "intents/s")
}

func exampleJob() issuer.Job {
	now := issuer.Moment(now())
	fin := tesdiq.FIN("5NQ7K2M")
	return issuer.Job{
		Intent: issuer.Intent{
			ID: 1, Code: "7K2M9QXA4TRCW8HNR", Number: "E-2026-0048213", Kind: "examination", Template: 1, Lang: tesdiq.Az, Subject: fin,
			Recipient: "Nümunə Bank", Purpose: "kredit", ValidUntil: today.AddDays(30), AskedAt: now,
		},
		Attempt: 1, Person: examplePerson, Entry: exampleExamination,
	}
}

var examplePerson = person.Person{
	FIN: "5NQ7K2M", Name: tesdiq.Name{Surname: "Quliyeva", Given: "Nərmin", Father: "Əli"}, Sex: tesdiq.Female,
	Born: tesdiq.NewDate(1988, 4, 12), Document: "AA4071826",
}

var exampleExamination = examination.Examination{
	Number: "M-2026-117204", Subject: "5NQ7K2M", Commission: "7 saylı TSEK", ExaminedOn: today.AddDays(-17), Repeat: true,
	Outcome: examination.Disability, Loss: 65, Cause: "general_illness", From: today.AddDays(-17), Until: today.AddDays(-17).AddYears(2),
	NextFrom: today.AddDays(-17).AddMonths(22),
}
