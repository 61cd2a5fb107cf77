package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message/mail"
	"github.com/tesdiq/tesdiq/internal/message/smpp"
)

// SMS is [sms] of the configuration: the SMS centre. Without server no SMS is sent.
type SMS struct {
	Server     string `toml:"server"`
	SystemID   string `toml:"system_id"`
	Password   string `toml:"password_file"`
	SystemType string `toml:"system_type"`
	Sender     string `toml:"sender"`
	TLS        bool   `toml:"tls"`
	Roots      string `toml:"roots"`
	PerSecond  int    `toml:"per_second"`
	Window     int    `toml:"window"`
	HexIDs     bool   `toml:"hex_ids"`
}

// Email is [email] of the configuration: the server that takes e-mails. Without server none is sent.
type Email struct {
	Server   string `toml:"server"`
	From     string `toml:"from"`
	User     string `toml:"user"`
	Password string `toml:"password_file"`
	Roots    string `toml:"roots"`
}

func judgeSMS(c *Config, refuse refusal) {
	s := c.SMS
	if s.Server == "" {
		if s != (SMS{}) {
			refuse("sms.server", "is missing: the SMS centre, for example \"smsc.example:2775\". Without all of [sms] no SMS is sent")
		}
		return
	}
	host, _, err := net.SplitHostPort(s.Server)
	switch {
	case err != nil || host == "":
		refuse("sms.server", "%q is not a host and a port such as \"smsc.example:2775\"", s.Server)
	case !s.TLS && !Local(host) && !inside(host):
		refuse("sms.server", "%q is reached over a public network: messages and the password would be read by others. Set sms.tls = true, or name the private address of a tunnel to the operator", s.Server)
	}
	if s.SystemID == "" || len(s.SystemID) > 15 {
		refuse("sms.system_id", "is missing or longer than 15 letters: the name under which the SMS centre knows this service")
	}
	if len(s.SystemType) > 12 {
		refuse("sms.system_type", "is longer than 12 letters")
	}
	if s.Password == "" {
		refuse("sms.password_file", "is missing: the file with the SMS centre's password")
	} else if why := private(s.Password); why != "" {
		refuse("sms.password_file", "%s", why)
	}
	if _, ok := smpp.Sender(s.Sender); !ok {
		refuse("sms.sender", "%q is not who may send: a short number, +994…, or a name of at most 11 Latin letters", s.Sender)
	}
	if s.PerSecond < 0 || s.PerSecond > 1000 {
		refuse("sms.per_second", "must be from 1 to 1000")
	}
	if s.Window < 0 || s.Window > 100 {
		refuse("sms.window", "must be from 1 to 100")
	}
	if s.Roots != "" && !s.TLS {
		refuse("sms.roots", "is about TLS, and sms.tls is not set")
	}
}

func judgeEmail(c *Config, refuse refusal) {
	e := c.Email
	if e.Server == "" {
		if e != (Email{}) {
			refuse("email.server", "is missing: the server that takes e-mails, for example \"mail.example:587\". Without all of [email] none is sent")
		}
		return
	}
	if host, _, err := net.SplitHostPort(e.Server); err != nil || host == "" {
		refuse("email.server", "%q is not a host and a port such as \"mail.example:587\"", e.Server)
	}
	if from, err := tesdiq.ParseEmail(e.From); err != nil || string(from) != e.From {
		refuse("email.from", "%q is not an e-mail address", e.From)
	}
	switch {
	case (e.User == "") != (e.Password == ""):
		refuse("email.user", "and email.password_file go together")
	case e.Password != "":
		if why := private(e.Password); why != "" {
			refuse("email.password_file", "%s", why)
		}
	}
}

// Carriers are the ways out of the house. Those that the configuration does not name are nil.
type Carriers struct {
	SMS  *smpp.Link
	Mail *mail.Server
	// AtNight: there are no quiet hours, as in the demonstration.
	AtNight bool
}

// Channels are what people may choose besides the cabinet.
func (c Carriers) Channels() (all []tesdiq.Channel) {
	if c.SMS != nil {
		all = append(all, tesdiq.SMS)
	}
	if c.Mail != nil {
		all = append(all, tesdiq.Mail)
	}
	return all
}

// Carriers are those that the configuration names. What receives the SMS centre's receipts is set by who sends.
func (c Config) Carriers(h Host) (out Carriers, err error) {
	if s := c.SMS; s.Server != "" {
		word, err := Secret(s.Password)
		if err != nil {
			return out, err
		}
		dial := new(net.Dialer).DialContext
		if s.TLS {
			roots, err := rootsOf("sms.roots", s.Roots)
			if err != nil {
				return out, err
			}
			dial = (&tls.Dialer{Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}).DialContext
		}
		from, _ := smpp.Sender(s.Sender)
		out.SMS = &smpp.Link{
			Config:    smpp.Config{SystemID: s.SystemID, Password: word, SystemType: s.SystemType, Window: s.Window, Now: h.Now},
			Dial:      func(ctx context.Context) (net.Conn, error) { return dial(ctx, "tcp", s.Server) },
			PerSecond: s.PerSecond, HexIDs: s.HexIDs, From: from, Log: h.Log,
		}
	}
	if e := c.Email; e.Server != "" {
		word := ""
		if e.Password != "" {
			if word, err = Secret(e.Password); err != nil {
				return out, err
			}
		}
		roots, err := rootsOf("email.roots", e.Roots)
		if err != nil {
			return out, err
		}
		host, _, _ := net.SplitHostPort(e.Server)
		out.Mail = &mail.Server{Address: e.Server, From: tesdiq.Email(e.From), User: e.User, Password: word, TLS: &tls.Config{RootCAs: roots}, Now: h.Now,
			Plain: Local(host) && e.User == ""} // a server on this machine passes on what it likes
	}
	return out, nil
}

// rootsOf reads the certificates that end a server's chain; none: the system's.
func rootsOf(setting, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s holds no certificate", setting, file)
	}
	return pool, nil
}
