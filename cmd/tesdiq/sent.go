package main

import (
	"context"
	"crypto/rand"
	"net"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message/mail"
	"github.com/tesdiq/tesdiq/internal/message/smpp"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/demosent"
)

// demoCarriers are an SMS centre and a mail server of the demonstration's own, on this machine: what is sent goes the whole way, by
// SMPP and SMTP, and ends on a page.
func demoCarriers(h service.Host, shell *web.Shell) (service.Carriers, []service.Loop, web.Routes, error) {
	var none service.Carriers
	sent, err := demosent.New(shell)
	if err != nil {
		return none, nil, nil, err
	}
	word, err := tesdiq.RandomText(rand.Reader, 8)
	if err != nil {
		return none, nil, nil, err
	}
	centreAt, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return none, nil, nil, err
	}
	boxAt, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		centreAt.Close()
		return none, nil, nil, err
	}
	centre := &smpp.Centre{SystemID: "tesdiq", Password: word, Delay: time.Second, Now: h.Now, Taken: func(x smpp.Text) {
		sent.Add(demosent.Item{Channel: tesdiq.SMS, From: x.From, To: x.To, Text: x.Text, Parts: x.Parts, Coding: x.Coding, At: x.At})
	}}
	box := &mail.Postbox{Now: h.Now, Taken: func(x mail.Letter) {
		sent.Add(demosent.Item{Channel: tesdiq.Mail, From: x.From, To: x.To, Subject: x.Subject, Text: x.Text, At: x.At})
	}}
	from, _ := smpp.Sender("142")
	out := service.Carriers{
		SMS: &smpp.Link{
			Config: smpp.Config{SystemID: "tesdiq", Password: word, Now: h.Now}, From: from, Log: h.Log,
			Dial: func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", centreAt.Addr().String())
			},
		},
		Mail:    &mail.Server{Address: boxAt.Addr().String(), From: "no-reply@tesdiq.example", Plain: true, Now: h.Now},
		AtNight: true,
	}
	loops := []service.Loop{
		func(ctx context.Context) error { return centre.Serve(ctx, centreAt) },
		func(ctx context.Context) error { return box.Serve(ctx, boxAt) },
	}
	return out, loops, sent.Routes(shell), nil
}
