package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// contentSecurityPolicy allows our own style sheet and pictures, and forms to ourselves and to the given origins. No script.
func contentSecurityPolicy(formAction []string) string {
	return "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action " +
		strings.Join(append([]string{"'self'"}, formAction...), " ") + "; frame-ancestors 'none'; base-uri 'none'"
}

// headers sets what every answer has. A static file, which may be kept, sets its own Cache-Control.
func (s *Shell) headers(h http.Header) {
	h.Set("Content-Security-Policy", s.csp)
	h.Set("Referrer-Policy", "no-referrer") // an address may hold a code
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if s.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

// ClientPrefix is the network a request comes from, for counting: /24 of IPv4, /56 of IPv6.
// X-Forwarded-For is read from its right end only as far as the hops are proxies that the configuration names.
func (s *Shell) ClientPrefix(r *http.Request) string {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	addr := ap.Addr().Unmap()
	if s.isProxy(addr) {
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0; i-- {
			a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break // what follows to the left could be anything
			}
			addr = a.Unmap().WithZone("")
			if !s.isProxy(addr) {
				break
			}
		}
	}
	bits := 56
	if addr.Is4() {
		bits = 24
	}
	p, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return p.String()
}

func (s *Shell) isProxy(a netip.Addr) bool {
	for _, p := range s.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
