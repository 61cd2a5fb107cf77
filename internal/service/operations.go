package service

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
)

// Metrics are what an operator watches. No label holds an identifier. Each part of a process adds its own.
type Metrics struct {
	Registry *prometheus.Registry
	requests *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// NewMetrics makes those that every process has.
func NewMetrics() *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tesdiq_http_request_seconds",
			Help: "Time to answer, by route and status.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 10)}, []string{"route", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tesdiq_http_requests_in_flight", Help: "Requests that are being answered."}),
	}
	m.Registry.MustRegister(m.inFlight, m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Counter adds a counter.
func (m *Metrics) Counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	m.Registry.MustRegister(c)
	return c
}

// watch counts the requests that are under way.
func (m *Metrics) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.inFlight.Inc()
		defer m.inFlight.Dec()
		next.ServeHTTP(w, r)
	})
}

// Observe counts a request that was answered.
func (m *Metrics) Observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Operations registers what a load balancer and a monitor ask. Metrics are for this machine only: a request that came
// through a proxy, or from elsewhere, is told that there is no such page. A proxy on this machine that adds no header of
// its own is known by the name that it was asked for.
func (m *Metrics) Operations(ready func(context.Context) error) func(chi.Router) {
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
		handler := promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{})
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
	if ip := net.ParseIP(peer); ip == nil || !ip.IsLoopback() || asked == "" || !Local(strings.Trim(asked, "[]")) || strings.HasPrefix(asked, "/") {
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
