package agencies

import (
	"encoding/json"
	"io"
	"net"
	"net/http"

	"github.com/tesdiq/tesdiq/gateway"
)

const maxFaults = 1 << 20 // bytes

// Operator is where faults are set while the agencies run: GET and PUT /faults, GET /calls, in JSON. It answers this machine alone, and only who
// asks for it by a name of this machine, so that no page of another place can ask through a browser.
func (s *Server) Operator() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Faults()) })
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Calls()) })
	mux.HandleFunc("PUT /faults", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxFaults))
		if err != nil {
			http.Error(w, "the list did not come whole", http.StatusBadRequest)
			return
		}
		all, err := ParseFaults(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.SetFaults(all)
		w.WriteHeader(http.StatusNoContent)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(from); err != nil || ip == nil || !ip.IsLoopback() || !gateway.Local(host) {
			http.Error(w, "only from this machine", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // whoever asked may be gone; nothing hangs on it
}

// Services is what a gateway must be told to ask these agencies at an address: http://localhost:8090.
func Services(url string) []gateway.Service {
	var all []gateway.Service
	for _, r := range append(gateway.Registers(), gateway.Corrections()...) {
		all = append(all, gateway.Service{Register: r, ID: ServiceOf(r), URL: url})
	}
	return all
}

// WriteServices leaves the list in the folder of an instance, for who asks.
func WriteServices(dir, url string) error {
	data, err := json.MarshalIndent(Services(url), "", " ")
	if err != nil {
		return err
	}
	return write(dir+"/"+ServicesFile, append(data, '\n'), 0o644)
}
