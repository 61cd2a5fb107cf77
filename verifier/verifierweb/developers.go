package verifierweb

import (
	"net/http"
	"strings"

	"github.com/tesdiq/tesdiq/web"
)

// developersView fills the requests on the page for engineers.
type developersView struct {
	Address, ClientID, Secret, Code, File string
	Runs                                  bool // the requests run as they stand
	Purposes                              []string
	Verdicts                              []string
	Others                                []Other
}

// developers is the page for a bank's engineer. Its requests run as they stand where an Example is given: a test runs them.
func (h *Web) developers(w http.ResponseWriter, r *http.Request) error {
	v := developersView{Address: strings.TrimSuffix(h.Address, "/"), ClientID: "CLIENT_ID", Secret: "CLIENT_SECRET",
		Code: "7K2M-9QXA-4TRC-W8HN-R", File: "excerpt.pdf", Runs: h.Example.ClientID != "", Others: h.Others}
	for value, place := range map[string]*string{
		h.Example.ClientID: &v.ClientID, h.Example.Secret: &v.Secret, h.Example.Code: &v.Code, h.Example.File: &v.File,
	} {
		if value != "" {
			*place = value
		}
	}
	for _, p := range purposeNames() {
		v.Purposes = append(v.Purposes, p.(string))
	}
	for _, p := range verdictNames() {
		v.Verdicts = append(v.Verdicts, p.(string))
	}
	return h.pages.Render(w, r, "developers.html", web.Page{Title: "verifier.developers.title", Data: v})
}
