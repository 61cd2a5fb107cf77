package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// Service is a register of an agency as it is asked. What a configuration does not name is not asked.
type Service struct {
	Register Register  `json:"register"`
	ID       ServiceID `json:"id"`
	URL      string    `json:"url"` // of the agency's server, scheme and host: https, or http on this machine

	Parallel int    `json:"parallel"` // questions under way at a time; 0: 8
	Attempt  Millis `json:"attempt"`  // how long one attempt may take; 0: 3 s
	Deadline Millis `json:"deadline"` // how long a question may take with all its attempts; 0: 10 s
	Attempts int    `json:"attempts"` // in one Ask; 0: 3
	Pause    Millis `json:"pause"`    // before the second attempt; it doubles, and is drawn from half to whole; 0: 200 ms
	MaxAge   Millis `json:"max_age"`  // how old the register's state may be; 0: 36 h
	Trip     int    `json:"trip"`     // failures in a row after which the service is left alone; 0: 5
	Rest     Millis `json:"rest"`     // for how long, before one question tries again; 0: 30 s
}

// Millis is a duration, written in milliseconds.
type Millis time.Duration

// MarshalJSON writes milliseconds.
func (m Millis) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(m).Milliseconds()) }

// UnmarshalJSON reads milliseconds, up to a year.
func (m *Millis) UnmarshalJSON(b []byte) error {
	var n int64
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	if n < 0 || n > 366*24*3600*1000 {
		return errors.New("milliseconds out of range")
	}
	*m = Millis(time.Duration(n) * time.Millisecond)
	return nil
}

func or[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// filled is the service with what it leaves open. ASSUMPTION: no agency has published its limits; an interactive answer of X-Road takes under a second.
func (s Service) filled() Service {
	s.Parallel, s.Attempts, s.Trip = or(s.Parallel, 8), or(s.Attempts, 3), or(s.Trip, 5)
	s.Attempt, s.Deadline = or(s.Attempt, Millis(3*time.Second)), or(s.Deadline, Millis(10*time.Second))
	s.Pause, s.MaxAge, s.Rest = or(s.Pause, Millis(200*time.Millisecond)), or(s.MaxAge, Millis(36*time.Hour)), or(s.Rest, Millis(30*time.Second))
	return s
}

func (s Service) check(t *Trust) error {
	if s.Register.Purpose() == "" {
		return fmt.Errorf("gateway: service %s: no register %q", s.ID, s.Register)
	}
	if _, err := ParseServiceID(string(s.ID)); err != nil {
		return err
	}
	if s.ID.Member().Instance() != t.Instance {
		return fmt.Errorf("gateway: service %s: not of the instance %s", s.ID, t.Instance)
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !Local(u.Hostname())) {
		return fmt.Errorf("gateway: service %s: %q is no https origin, nor http on this machine", s.ID, s.URL)
	}
	if s.Parallel < 0 || s.Parallel > 1000 || s.Attempts < 0 || s.Attempts > 10 || s.Trip < 0 {
		return fmt.Errorf("gateway: service %s: parallel, attempts or trip out of range", s.ID)
	}
	return nil
}

// Local says whether a host is this machine.
func Local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ParseServices reads a list of services: JSON, with no member that is not known.
func ParseServices(data []byte) ([]Service, error) {
	var all []Service
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("gateway: services: %w", err)
	}
	if err := once(data); err != nil {
		return nil, fmt.Errorf("gateway: services: %w", err)
	}
	return all, nil
}
