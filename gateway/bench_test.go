package gateway_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/gateway"
)

// BenchmarkAsk64 asks 64 questions in parallel, and beside it, in the same run, posts 64 bodies of the same size with bare net/http to a handler that answers
// with as much: what seals, schemas and checks cost. Both sides run on this machine, so ours pays for two seals and two checks of each question.
func BenchmarkAsk64(b *testing.B) {
	const parallel = 64
	w := build(b, func(s *gateway.Service) {
		s.Parallel, s.Deadline, s.Attempt = parallel, gateway.Millis(time.Minute), gateway.Millis(time.Minute)
	})
	w.config.Deadline = time.Minute
	c := w.client(b)
	sample := ask(b, c, question(b, gateway.Dialysis, "elcin"))[0].Answer.Exchange
	bare := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = rw.Write(sample.Response.Body)
	}))
	defer bare.Close()
	carry := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel}}
	var ours, theirs time.Duration
	rounds := 0
	for b.Loop() {
		questions := make([]gateway.Question, parallel)
		for i := range questions {
			questions[i] = question(b, gateway.Dialysis, "elcin")
		}
		began := time.Now()
		for _, o := range ask(b, c, questions...) {
			if o.Answer == nil {
				b.Fatalf("%+v", o.No)
			}
		}
		ours += time.Since(began)
		began = time.Now()
		var wait sync.WaitGroup
		for range parallel {
			wait.Go(func() {
				resp, err := carry.Post(bare.URL, gateway.ContentType, bytes.NewReader(sample.Request.Body))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			})
		}
		wait.Wait()
		theirs += time.Since(began)
		rounds++
	}
	n := float64(rounds * parallel)
	b.ReportMetric(n/ours.Seconds(), "asked/s")
	b.ReportMetric(n/theirs.Seconds(), "bare/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
}

// BenchmarkVerify checks one captured exchange without network.
func BenchmarkVerify(b *testing.B) {
	w := build(b, nil)
	e := w.evidence(b, gateway.Dialysis, "elcin", 1000)
	for b.Loop() {
		if _, err := w.Keys.Trust.Verify(e); err != nil {
			b.Fatal(err)
		}
	}
}
