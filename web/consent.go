package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"stroem/auth"
	"stroem/control"
)

//go:embed consent.html
var consentHTML string

//go:embed consent.css
var consentCSS string

var consentPage = template.Must(template.New("consent").Parse(consentHTML))

// consentPolicy lets the page have its own style, and nothing else: no script,
// no frame around it, and no form but its own.
var consentPolicy = func() string {
	sum := sha256.Sum256([]byte(consentCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}()

// consentView is what the page shows of what is asked.
type consentView struct {
	Style    template.CSS
	Action   string
	Host     string // where the answer goes: names lie
	Here     bool   // which is a program on the person's own machine
	Name     string
	Client   string
	Fields   map[string]string // what is sent back with the answer
	Email    string
	Trouble  string
	Document bool   // the client's id is a host's word for it
	Back     string // the whole address of the answer; "": there is none yet
}

// travelling are the parameters that make up what is asked, and go through the
// page.
var travelling = []string{"response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "scope", "resource"}

// askConsent shows a person who asks for what. Nothing that the browser has
// says who they are, so no other page can answer for them.
func (s *site) askConsent(w http.ResponseWriter, r *http.Request) {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		writeText(w, http.StatusBadRequest, "The address of this page is broken. Nobody was given access.")
		return
	}
	if a := s.asked(w, r, given); a != nil {
		s.showConsent(w, http.StatusOK, a, given, consentView{})
	}
}

// asked checks what is asked, and answers where it cannot be given.
func (s *site) asked(w http.ResponseWriter, r *http.Request, given url.Values) *auth.Ask {
	a, err := s.cfg.Gate.Ask(r.Context(), given)
	var refused *auth.Refusal
	switch {
	case err == nil:
		return a
	case errors.As(err, &refused) && a != nil:
		s.sendRefusal(w, r, a, refused)
	default:
		s.writeTrouble(w, err)
	}
	return nil
}

// takeConsent takes the person's answer.
func (s *site) takeConsent(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.URL.RawQuery != "" {
		writeText(w, http.StatusBadRequest, "The form could not be read. Nobody was given access.")
		return
	}
	given := url.Values{}
	for _, name := range travelling {
		if values, ok := r.PostForm[name]; ok {
			given[name] = values
		}
	}
	a := s.asked(w, r, given)
	if a == nil {
		return
	}
	var to string
	switch r.PostForm.Get("answer") {
	case "allow":
		var err error
		email := r.PostForm.Get("email")
		to, err = s.cfg.Gate.ConsentByPassword(r.Context(), a, email, r.PostForm.Get("password"))
		var told *auth.Error
		switch {
		case errors.As(err, &told) && told.Code == auth.TooMany:
			secs := denial(told).Retry
			w.Header().Set("Retry-After", strconv.Itoa(secs))
			s.showConsent(w, http.StatusTooManyRequests, a, given, consentView{Email: email, Trouble: "Too many tries. Try again in " + strconv.Itoa(secs) + " seconds."})
			return
		case errors.Is(err, auth.ErrSignIn):
			s.showConsent(w, http.StatusForbidden, a, given, consentView{Email: email, Trouble: "The e-mail or the password is wrong."})
			return
		case err != nil:
			s.writeTrouble(w, err)
			return
		}
	case "deny":
		to = s.cfg.Gate.Refused(a, auth.Denied())
	default:
		writeText(w, http.StatusBadRequest, "The form says neither yes nor no. Nobody was given access.")
		return
	}
	s.sendBack(w, r, a, to)
}

// sendRefusal answers the program that what it asks for cannot be given. Anybody
// can make a program known and write a link to here, so the person is not led on
// to a host of its choice unasked (RFC 9700, 4.11.2): they may go there.
func (s *site) sendRefusal(w http.ResponseWriter, r *http.Request, a *auth.Ask, why *auth.Refusal) {
	to := s.cfg.Gate.Refused(a, why)
	host, here := auth.RedirectHost(a.Redirect)
	if here || r.Method == http.MethodPost {
		s.sendBack(w, r, a, to)
		return
	}
	s.writePage(w, http.StatusBadRequest, &consentView{Host: host, Back: to, Trouble: why.Msg})
}

// sendBack sends the person's browser to the program with the answer. A form is
// answered with a page that goes there: browsers hold every redirect after a
// form to form-action, and where the program sends them on is not known here.
func (s *site) sendBack(w http.ResponseWriter, r *http.Request, a *auth.Ask, to string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	w.Header().Set("Refresh", "0;url="+to)
	v := consentView{Back: to}
	v.Host, v.Here = auth.RedirectHost(a.Redirect)
	s.writePage(w, http.StatusOK, &v)
}

func (s *site) showConsent(w http.ResponseWriter, status int, a *auth.Ask, given url.Values, v consentView) {
	v.Action, v.Client, v.Fields = s.consentPath(), a.Client.ID, map[string]string{}
	v.Name = control.CleanLine(a.Client.Name)
	v.Document = strings.HasPrefix(a.Client.ID, "https://")
	v.Host, v.Here = auth.RedirectHost(a.Redirect)
	for _, name := range travelling {
		if values, ok := given[name]; ok {
			v.Fields[name] = values[0]
		}
	}
	s.writePage(w, status, &v)
}

func (s *site) writePage(w http.ResponseWriter, status int, v *consentView) {
	v.Style = template.CSS(consentCSS) //nolint:gosec // a file of ours
	var page bytes.Buffer
	if err := consentPage.Execute(&page, v); err != nil {
		s.writeTrouble(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", consentPolicy)
	// With no-referrer browsers hide the origin of the form, which the guard
	// wants to see. To others nothing is told either way.
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the caller may be gone
}

// consentPath is where the form goes, at the path at which a proxy serves us.
func (s *site) consentPath() string {
	if base := s.base(); base != "" {
		return "/" + base + "/oauth/authorize"
	}
	return "/oauth/authorize"
}

// writeTrouble tells a person in plain text what is wrong.
func (s *site) writeTrouble(w http.ResponseWriter, err error) {
	told := s.told(err)
	maps.Copy(w.Header(), told.header)
	writeText(w, told.status, "Nobody was given access: "+told.Text+".")
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the caller may be gone
}
