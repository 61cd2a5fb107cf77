package main

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
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
	lost     prometheus.Counter
	unissued prometheus.Counter
	inFlight prometheus.Gauge
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
	m.lost = prometheus.NewCounter(prometheus.CounterOpts{Name: "tesdiq_file_readers_lost_total",
		Help: "Processes that died or hung over an uploaded file."})
	m.unissued = prometheus.NewCounter(prometheus.CounterOpts{Name: "tesdiq_unissued_files_total",
		Help: "Files that bear our signature and were never issued: the key is stolen or a record is lost. Any is an alarm."})
	m.inFlight = prometheus.NewGauge(prometheus.GaugeOpts{Name: "tesdiq_http_requests_in_flight", Help: "Requests that are being answered."})
	m.registry.MustRegister(m.inFlight, m.requests, m.steps, m.tripped, m.lost, m.unissued, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch counts the requests that are under way.
func (m *metrics) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.inFlight.Inc()
		defer m.inFlight.Dec()
		next.ServeHTTP(w, r)
	})
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
// through a proxy, or from elsewhere, is told that there is no such page. A proxy on this machine that adds no header of
// its own is known by the name that it was asked for.
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
			if !fromHere(r) {
				plain(w, http.StatusNotFound, "not found\n")
				return
			}
			handler.ServeHTTP(w, r)
		})
	}
}

// fromHere says whether a program on this machine asked this very service.
func fromHere(r *http.Request) bool {
	peer, _, _ := net.SplitHostPort(r.RemoteAddr)
	asked := r.Host
	if host, _, err := net.SplitHostPort(asked); err == nil {
		asked = host
	}
	if ip := net.ParseIP(peer); ip == nil || !ip.IsLoopback() || asked == "" || !local(strings.Trim(asked, "[]")) || strings.HasPrefix(asked, "/") {
		return false
	}
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	return true
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte(text))
}
