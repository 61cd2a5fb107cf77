package citizens

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message/outbox"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/web"
)

// sender puts together what sends messages, as the role tesdiq_sender. Without carriers it settles that nothing goes out.
func sender(h service.Host, shell *web.Shell, pools *postgres.Pools, c service.Carriers) (*outbox.Sender, error) {
	rules, err := outbox.ReadBook()
	if err != nil {
		return nil, err
	}
	if c.AtNight {
		rules = rules.WithoutQuiet()
	}
	events := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tesdiq_messages_total",
		Help: "What became of messages that go out, by channel and event."}, []string{"channel", "event"})
	waiting := prometheus.NewGauge(prometheus.GaugeOpts{Name: "tesdiq_messages_waiting", Help: "Messages that could go out and have not."})
	oldest := prometheus.NewGauge(prometheus.GaugeOpts{Name: "tesdiq_messages_oldest_seconds", Help: "For how long the oldest of them could have gone out."})
	h.Metrics.Registry.MustRegister(events, waiting, oldest)
	s := &outbox.Sender{
		Pool: pools.Sender, SMS: c.SMS, Mail: c.Mail, Home: h.PublicURL + "/cabinet/messages", Rules: rules, Now: h.Now, Rand: h.Rand, Log: h.Log,
		Words: func(lang tesdiq.Lang, key string, args map[string]string) (string, bool) {
			return shell.T(lang, key, args), shell.Has(key)
		},
		Count: func(channel tesdiq.Channel, event string) { events.WithLabelValues(string(channel), event).Inc() },
		Watch: func(n int, seconds float64) { waiting.Set(float64(n)); oldest.Set(seconds) },
	}
	if c.SMS != nil {
		c.SMS.Receive = s.Receive
		h.Metrics.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tesdiq_sms_bound", Help: "1 while there is a session with the SMS centre."}, func() float64 {
			if c.SMS.Bound() {
				return 1
			}
			return 0
		}))
	}
	return s, nil
}

func run(s *outbox.Sender) service.Loop {
	return func(ctx context.Context) error { return s.Run(ctx) }
}
