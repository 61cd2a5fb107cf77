package mail

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"io"
	"mime"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"sync"
	"time"
)

// Postbox is a small mail server that passes nothing on. The demonstration has one instead of a real server, on this machine,
// and tests have it to misbehave.
type Postbox struct {
	TLS   *tls.Config // nil: without STARTTLS
	Now   func() time.Time
	Taken func(Letter)
	// Answer may decide what is said to a whole mail; an error cuts the connection without an answer. nil: all are taken.
	Answer func(Letter) (code int, err error)
}

// Letter is a mail as its reader would see it.
type Letter struct {
	From, To, Subject, Text, ID string
	At                          time.Time
}

const (
	maxLetter       = 64 << 10
	postboxPatience = time.Minute
)

// Serve answers clients until ctx is done or the listener is closed.
func (p *Postbox) Serve(ctx context.Context, l net.Listener) error {
	var clients sync.WaitGroup
	defer clients.Wait()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return err
		}
		clients.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			p.talk(conn)
		})
	}
}

// talk is one connection (RFC 5321, as much as our own client says of it).
func (p *Postbox) talk(conn net.Conn) {
	if conn.SetDeadline(p.Now().Add(postboxPatience)) != nil {
		return
	}
	text := textproto.NewConn(conn)
	say := func(line string) bool { return text.PrintfLine("%s", line) == nil }
	letter, secure := Letter{}, false
	say("220 postbox")
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			if p.TLS != nil && !secure {
				say("250-postbox")
				say("250 STARTTLS")
			} else {
				say("250-postbox")
				say("250 AUTH PLAIN")
			}
		case "STARTTLS":
			if p.TLS == nil || secure {
				say("502 no")
				continue
			}
			say("220 go on")
			upgraded := tls.Server(conn, p.TLS)
			conn, text, secure = upgraded, textproto.NewConn(upgraded), true
			say = func(line string) bool { return text.PrintfLine("%s", line) == nil }
		case "AUTH":
			say("235 welcome")
		case "MAIL":
			letter = Letter{From: between(rest)}
			say("250 ok")
		case "RCPT":
			letter.To = between(rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			if !p.data(text, &letter) {
				return
			}
			code := 250
			if p.Answer != nil {
				if code, err = p.Answer(letter); err != nil {
					return
				}
			}
			if code == 250 && p.Taken != nil {
				p.Taken(letter)
			}
			text.PrintfLine("%d said", code)
		case "QUIT":
			say("221 bye")
			return
		case "RSET", "NOOP":
			say("250 ok")
		default:
			say("502 no")
		}
	}
}

func (p *Postbox) data(text *textproto.Conn, letter *Letter) bool {
	m, err := netmail.ReadMessage(bufio.NewReader(io.LimitReader(text.DotReader(), maxLetter)))
	if err != nil {
		return false
	}
	body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	if err != nil {
		return false
	}
	letter.Subject, _ = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	letter.Text, letter.ID, letter.At = strings.ReplaceAll(string(body), "\r\n", "\n"), m.Header.Get("Message-ID"), p.Now()
	return true
}

func between(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
