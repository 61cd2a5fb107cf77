package gateway

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// MemberID names who asks or answers: instance/class/member/subsystem, as X-Road writes it.
type MemberID string

// ServiceID names what is asked: the member's identifier and a service code, instance/class/member/subsystem/service.
type ServiceID string

// part is one part of an identifier. X-Road allows more (PR-REST, 4.8, advises against colons, semicolons, slashes and percent signs); these need no
// escape in an address, in a header or in a file name, so that no two spellings mean the same.
var part = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

var errIdentifier = errors.New("gateway: not an X-Road identifier")

func parts(s string, want int) error {
	all := strings.Split(s, "/")
	if len(all) != want {
		return fmt.Errorf("%w: %q has %d parts, not %d", errIdentifier, s, len(all), want)
	}
	for _, p := range all {
		if !part.MatchString(p) {
			return fmt.Errorf("%w: %q", errIdentifier, s)
		}
	}
	return nil
}

// ParseMemberID reads instance/class/member/subsystem.
func ParseMemberID(s string) (MemberID, error) { return MemberID(s), parts(s, 4) }

// ParseServiceID reads instance/class/member/subsystem/service.
func ParseServiceID(s string) (ServiceID, error) { return ServiceID(s), parts(s, 5) }

// Member is whose service it is.
func (s ServiceID) Member() MemberID {
	return MemberID(s[:max(strings.LastIndexByte(string(s), '/'), 0)])
}

// Instance is the whole in which members trust each other: the first part.
func (m MemberID) Instance() string {
	instance, _, _ := strings.Cut(string(m), "/")
	return instance
}

// protocol is the version of the message protocol in an address (PR-REST, 4.1), and version that of our services behind it.
const (
	protocol = "/r1/"
	version  = "/v1"
)

// Path is where a service is asked, below its server's address: /r1/{serviceId}/v1.
func (s ServiceID) Path() string { return protocol + string(s) + version }

// ServiceOf reads Path.
func ServiceOf(path string) (ServiceID, error) {
	id := strings.TrimSuffix(strings.TrimPrefix(path, protocol), version)
	if ServiceID(id).Path() != path {
		return "", fmt.Errorf("%w: the address %q", errIdentifier, url.PathEscape(path))
	}
	return ParseServiceID(id)
}
