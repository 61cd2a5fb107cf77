package main

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tesdiq/tesdiq/issuer"
)

// metrics are what an operator watches. No label holds an identifier.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	steps    *prometheus.CounterVec
	tripped  prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tesdiq_http_request_seconds",
			Help: "Time to answer, by route and status.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 10)}, []string{"route", "status"}),
		steps: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tesdiq_issue_steps_total",
			Help: "Steps of issuing that began and that ended. Those of sign that began are the calls of the key: more of them than attempts in the database are an alarm."},
			[]string{"step", "point"}),
		tripped: prometheus.NewCounter(prometheus.CounterOpts{Name: "tesdiq_guessing_tripped_total",
			Help: "How often guesses of codes from all addresses together passed the limit."}),
	}
	m.registry.MustRegister(m.requests, m.steps, m.tripped, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// step counts the steps of issuing.
func (m *metrics) step(s issuer.Step, ended bool) {
	point := "began"
	if ended {
		point = "ended"
	}
	m.steps.WithLabelValues(string(s), point).Inc()
}

// operations registers what a load balancer and a monitor ask. Metrics are for this machine only: a request that came
// through a proxy, or from elsewhere, is told that there is no such page.
func (m *metrics) operations(ready func(context.Context) error) func(chi.Router) {
	return func(r chi.Router) {
		r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
		r.Get("/readyz", func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
			defer cancel()
			if ready(ctx) != nil {
				plain(w, http.StatusServiceUnavailable, "not ready\n")
				return
			}
			plain(w, http.StatusOK, "ready\n")
		})
		handler := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
		r.Get("/metrics", func(w http.ResponseWriter, r *http.Request) {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
				plain(w, http.StatusNotFound, "not found\n")
				return
			}
			handler.ServeHTTP(w, r)
		})
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte(text))
}
