package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// A person changes their own password, stays signed in, and is signed out
// everywhere else.
func TestChangeOfOnesOwnPassword(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	here, elsewhere, other := h.signIn("run"), h.signIn("run"), h.signIn("view")
	const path, changed = "/api/auth/password", "battery staple"
	change := func(present, password, bearer string) answer {
		return h.ask(http.MethodPost, path, `{"current_password":"`+present+`","new_password":"`+password+`"}`, bearer)
	}
	if a := change("a wrong one", changed, here); a.status != 403 || !strings.Contains(a.body, "not the present password") {
		t.Error(a)
	}
	a := change(passphrase, changed, here)
	var got struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 || !strings.Contains(a.header.Get("Set-Cookie"), "stroem_refresh=strr_") {
		t.Fatalf("%+v %v", a, err)
	}
	for bearer, want := range map[string]int{got.Access: 200, here: 401, elsewhere: 401, other: 200} {
		if a := h.ask(http.MethodGet, "/api/auth/me", "", bearer); a.status != want {
			t.Errorf("want %d: %+v", want, a)
		}
	}
	for password, want := range map[string]int{passphrase: 401, changed: 200} {
		if a := h.ask(http.MethodPost, "/api/auth/login", login(password), ""); a.status != want {
			t.Errorf("sign-in with %q, want %d: %+v", password, want, a)
		}
	}
}
