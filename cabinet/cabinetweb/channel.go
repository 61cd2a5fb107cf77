package cabinetweb

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
	"github.com/tesdiq/tesdiq/web"
)

// channelView is the page on which somebody chooses by what messages reach him.
type channelView struct {
	Choices                     []cabinet.Choice // the current one first
	SMS, Mail                   bool             // which can be chosen
	Channel, Phone, Email, Lang string           // as typed
	Options                     []web.Choice
	Langs                       []web.Choice
}

func (h *Web) offers(c tesdiq.Channel) bool {
	return c == tesdiq.CabinetOnly || slices.Contains(h.Channels, c)
}

// channel shows what is chosen and the form to choose anew.
func (h *Web) channel(w http.ResponseWriter, r *http.Request) error {
	v := web.ViewerOf(r.Context())
	return h.renderChannel(w, r, channelView{Channel: "", Lang: string(v.Lang)}, nil)
}

func (h *Web) renderChannel(w http.ResponseWriter, r *http.Request, view channelView, problems tesdiq.Problems) error {
	v := web.ViewerOf(r.Context())
	var err error
	if view.Choices, err = h.Contacts.Choices(r.Context(), v.Person.FIN); err != nil {
		return err
	}
	if view.Channel == "" {
		view.Channel = string(tesdiq.CabinetOnly)
		if len(view.Choices) > 0 && h.offers(view.Choices[0].Channel) {
			view.Channel = string(view.Choices[0].Channel)
		}
	}
	view.SMS, view.Mail = h.offers(tesdiq.SMS), h.offers(tesdiq.Mail)
	if view.SMS {
		view.Options = append(view.Options, web.Choice{Value: string(tesdiq.SMS), Label: h.Shell.T(v.Lang, "cabinet.channel.sms"), Hint: h.Shell.T(v.Lang, "cabinet.channel.sms.hint")})
	}
	if view.Mail {
		view.Options = append(view.Options, web.Choice{Value: string(tesdiq.Mail), Label: h.Shell.T(v.Lang, "cabinet.channel.email"), Hint: h.Shell.T(v.Lang, "cabinet.channel.email.hint")})
	}
	view.Options = append(view.Options, web.Choice{Value: string(tesdiq.CabinetOnly), Label: h.Shell.T(v.Lang, "cabinet.channel.cabinet"), Hint: h.Shell.T(v.Lang, "cabinet.channel.cabinet.hint")})
	for _, lang := range tesdiq.Langs {
		view.Langs = append(view.Langs, web.Choice{Value: string(lang), Label: h.Shell.T(v.Lang, "cabinet.channel.lang."+string(lang))})
	}
	return h.pages.Render(w, r, "channel.html", web.Page{Title: "cabinet.channel.title", Section: "messages", Data: view, Problems: problems})
}

// choose takes the form. A new address gets a code first, and the page on which it is typed.
func (h *Web) choose(w http.ResponseWriter, r *http.Request) error {
	view := channelView{Channel: r.PostFormValue("channel"), Phone: r.PostFormValue("phone"), Email: r.PostFormValue("email"), Lang: r.PostFormValue("lang")}
	var problems tesdiq.Problems
	channel, err := tesdiq.ParseChannel(view.Channel)
	if err == nil && !h.offers(channel) {
		err = tesdiq.Invalid("channel.unknown")
	}
	problems.Add("channel", err)
	lang, err := tesdiq.ParseLang(view.Lang)
	problems.Add("lang", err)
	address := ""
	switch channel {
	case tesdiq.SMS:
		phone, err := tesdiq.ParsePhone(view.Phone)
		problems.Add("phone", err)
		address = string(phone)
	case tesdiq.Mail:
		email, err := tesdiq.ParseEmail(view.Email)
		problems.Add("email", err)
		address = string(email)
	}
	if len(problems) > 0 {
		return h.renderChannel(w, r, view, problems)
	}
	id, err := h.Contacts.Choose(r.Context(), web.ViewerOf(r.Context()).Person.FIN, channel, address, lang, h.Now())
	if err != nil {
		return err
	}
	to := "/cabinet/channel"
	if id != 0 {
		to += "/" + strconv.FormatInt(id, 10)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// codeView is the page on which a code is typed.
type codeView struct {
	cabinet.Contact
	Over, CanAsk bool   // no more guesses; another code may be asked for
	Sent         string // the demonstration's page of what was sent
}

// contactOf is the contact of the request, which is the person's own.
func (h *Web) contactOf(r *http.Request) (cabinet.Contact, error) {
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil {
		return cabinet.Contact{}, tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-contact")
	}
	return h.Contacts.Contact(r.Context(), web.ViewerOf(r.Context()).Person.FIN, id)
}

// code shows where a code was sent, and the form for it.
func (h *Web) code(w http.ResponseWriter, r *http.Request) error {
	c, err := h.contactOf(r)
	if err != nil {
		return err
	}
	if c.Confirmed {
		http.Redirect(w, r, "/cabinet/channel", http.StatusSeeOther)
		return nil
	}
	return h.renderCode(w, r, c, nil)
}

func (h *Web) renderCode(w http.ResponseWriter, r *http.Request, c cabinet.Contact, problems tesdiq.Problems) error {
	over := c.Guesses >= cabinet.MaxGuesses
	view := codeView{Contact: c, Over: over, CanAsk: !over && c.Codes < cabinet.MaxCodes, Sent: h.SentPath}
	return h.pages.Render(w, r, "code.html", web.Page{Title: "cabinet.code.title", Section: "messages", Data: view, Problems: problems})
}

// confirm takes a code.
func (h *Web) confirm(w http.ResponseWriter, r *http.Request) error {
	c, err := h.contactOf(r)
	if err != nil {
		return err
	}
	code := strings.Join(strings.Fields(r.PostFormValue("code")), "")
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" { // a slip is no guess
		return h.renderCode(w, r, c, tesdiq.Problems{tesdiq.Invalid("cabinet.code-malformed").In("code")})
	}
	err = h.Contacts.Confirm(r.Context(), web.ViewerOf(r.Context()).Person.FIN, c.ID, code, h.Now())
	if ps := tesdiq.ProblemsOf(err); err != nil && ps[0].Field == "code" {
		if c, err = h.contactOf(r); err != nil {
			return err
		}
		return h.renderCode(w, r, c, ps)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/cabinet/channel", http.StatusSeeOther)
	return nil
}

// again asks for another code.
func (h *Web) again(w http.ResponseWriter, r *http.Request) error {
	c, err := h.contactOf(r)
	if err != nil {
		return err
	}
	if err := h.Contacts.Again(r.Context(), web.ViewerOf(r.Context()).Person.FIN, c.ID, h.Now()); err != nil {
		return err
	}
	http.Redirect(w, r, "/cabinet/channel/"+strconv.FormatInt(c.ID, 10), http.StatusSeeOther)
	return nil
}
