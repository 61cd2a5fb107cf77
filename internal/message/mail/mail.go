// Package mail hands e-mails to one server that passes them on (a submission server, RFC 6409): plain text, over TLS.
package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Server is where e-mails are handed in.
type Server struct {
	Address        string // host and port
	From           tesdiq.Email
	User, Password string      // empty: the server asks for none
	TLS            *tls.Config // nil: the system's roots
	// Plain: without TLS. For a server on this machine only.
	Plain bool
	Now   func() time.Time
}

// Mail is one e-mail.
type Mail struct {
	To      tesdiq.Email
	Subject string
	Text    string
	ID      string // the same for the same mail sent again, so that a reader shows it once; letters, digits and hyphens
	At      time.Time
}

var (
	// ErrNotSent: nothing of it was said to the server, or the server has said no more than that it listens.
	ErrNotSent = errors.New("mail: not sent")
	// ErrUnsure: all of it was said, and no answer came.
	ErrUnsure = errors.New("mail: sent, and no answer")
)

// RefusedError is an answer by which the server does not take the mail.
type RefusedError struct{ Code int }

func (e *RefusedError) Error() string { return fmt.Sprintf("mail: refused with %d", e.Code) }

// Temporary says whether it may be taken later (RFC 5321, 4.2.1).
func (e *RefusedError) Temporary() bool { return e.Code/100 == 4 }

const patience = 30 * time.Second // for one mail, from dialling to the last answer

// Send hands in a mail. The error is ErrNotSent, ErrUnsure or a *RefusedError.
func (s *Server) Send(ctx context.Context, m Mail) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host, _, err := net.SplitHostPort(s.Address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(s.Now().Add(patience)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	c, err := smtp.NewClient(&bounded{Conn: conn, left: maxAnswers}, host)
	if err != nil {
		return refusal(err)
	}
	body, err := s.introduce(c, host, m)
	if err != nil {
		return refusal(err)
	}
	if _, err := body.Write(s.bytes(m)); err != nil {
		return refusal(err) // the end was not said, so the server has nothing (RFC 5321, 4.1.1.4)
	}
	if err := body.Close(); err != nil {
		var said *textproto.Error
		if errors.As(err, &said) {
			return &RefusedError{said.Code}
		}
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	_ = c.Quit() // it was taken, whatever the server says now
	return nil
}

// bounded is a connection that reads no more than so many bytes.
type bounded struct {
	net.Conn
	left int
}

// maxAnswers is how many bytes a server may say to one mail, its certificates included.
const maxAnswers = 256 << 10

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("mail: the server says too much")
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// introduce says all that comes before the mail itself.
func (s *Server) introduce(c *smtp.Client, host string, m Mail) (interface {
	Write([]byte) (int, error)
	Close() error
}, error) {
	_, domain, _ := strings.Cut(string(s.From), "@")
	if err := c.Hello(domain); err != nil {
		return nil, err
	}
	if !s.Plain {
		config := s.TLS.Clone()
		if config == nil {
			config = &tls.Config{}
		}
		config.ServerName, config.MinVersion = host, tls.VersionTLS12
		if err := c.StartTLS(config); err != nil {
			return nil, err
		}
	}
	if s.User != "" {
		if err := c.Auth(smtp.PlainAuth("", s.User, s.Password, host)); err != nil {
			return nil, err
		}
	}
	if err := c.Mail(string(s.From)); err != nil {
		return nil, err
	}
	if err := c.Rcpt(string(m.To)); err != nil {
		return nil, err
	}
	return c.Data()
}

func refusal(err error) error {
	var said *textproto.Error
	if errors.As(err, &said) {
		return &RefusedError{said.Code}
	}
	return fmt.Errorf("%w: %w", ErrNotSent, err)
}

// bytes is the mail as RFC 5322 writes it. Text and subject may be in any language; addresses have no letter that could end a
// line (tesdiq.ParseEmail).
func (s *Server) bytes(m Mail) []byte {
	_, domain, _ := strings.Cut(string(s.From), "@")
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"Date", m.At.Format(time.RFC1123Z)},
		{"From", string(s.From)},
		{"To", string(m.To)},
		{"Subject", mime.BEncoding.Encode("utf-8", m.Subject)},
		{"Message-ID", "<" + m.ID + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: no holiday notice answers it
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "base64"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	text := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(m.Text, "\n", "\r\n")))
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	b.WriteString(text + "\r\n")
	return b.Bytes()
}
