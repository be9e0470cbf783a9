package auth_test

import (
	"errors"
	"strings"
	"testing"

	"stroem/auth"
)

func TestFirstAdministrator(t *testing.T) {
	t.Parallel()
	s := start(t)
	made, err := s.EnsureAdmin(t.Context(), auth.NewUser{})
	if err != nil || len(made) < 20 {
		t.Fatalf("%q %v", made, err)
	}
	tokens, err := s.SignIn(t.Context(), auth.OwnerEmail, made, home)
	if err != nil || !tokens.User.Admin {
		t.Fatalf("%+v %v", tokens.User, err)
	}
	if again, err := s.EnsureAdmin(t.Context(), auth.NewUser{}); again != "" || err != nil {
		t.Errorf("again: %q %v", again, err)
	}
	for _, e := range s.audit() {
		if strings.Contains(string(e.Detail), made) {
			t.Errorf("the password is in the log: %s", e.Detail)
		}
	}
}

func TestOwnerGetsAPasswordWhenNoAdministratorHasOne(t *testing.T) {
	t.Parallel()
	s := start(t)
	owner, err := s.OwnerAccount(t.Context())
	if err != nil || !owner.Admin || owner.Password != "" {
		t.Fatalf("%+v %v", owner, err)
	}
	if _, err := s.SignIn(t.Context(), auth.OwnerEmail, "", home); !errors.Is(err, auth.ErrSignIn) {
		t.Errorf("without a password: %v", err)
	}
	made, err := s.EnsureAdmin(t.Context(), auth.NewUser{})
	if err != nil {
		t.Fatal(err)
	}
	if tokens, err := s.SignIn(t.Context(), auth.OwnerEmail, made, home); err != nil || tokens.User.ID != owner.ID {
		t.Errorf("%+v %v", tokens.User, err)
	}
}

func TestFirstAdministratorOfTheConfiguration(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.user(auth.NewUser{Email: "ada@example.com"})
	first := auth.NewUser{Email: "Ada@example.com", Password: "another one"}
	if made, err := s.EnsureAdmin(t.Context(), first); made != "" || err != nil {
		t.Fatalf("%q %v", made, err)
	}
	if tokens, err := s.SignIn(t.Context(), "ada@example.com", "another one", home); err != nil || !tokens.User.Admin {
		t.Errorf("%+v %v", tokens.User, err)
	}
}

func TestAccountsAreManagedByAdministrators(t *testing.T) {
	t.Parallel()
	s := start(t)
	root := s.user(auth.NewUser{Email: "root@example.com", Admin: true})
	ada := s.user(auth.NewUser{Email: "ada@example.com"})
	asRoot, asAda := s.as(s.signIn(root.Email).Access), s.as(s.signIn(ada.Email).Access)
	_, err := s.CreateUser(asAda, auth.NewUser{Email: "x@example.com"})
	if err == nil || err.Error() != "Admin access required" {
		t.Error(err)
	}
	code(t, s.SetAdmin(asAda, ada.ID, true), auth.Forbidden)
	code(t, s.SetGroups(asAda, ada.ID, []string{"ops"}), auth.Forbidden)
	code(t, s.SetPassword(asAda, root.ID, "another one"), auth.Forbidden)
	code(t, s.DeleteUser(asAda, root.ID), auth.Forbidden)
	_, err = s.User(asAda, root.ID)
	code(t, err, auth.Forbidden)
	if u, err := s.User(asAda, ada.ID); err != nil || u.Email != ada.Email {
		t.Errorf("one's own account: %+v %v", u, err)
	}

	code(t, s.SetAdmin(asRoot, root.ID, false), auth.Invalid)
	code(t, s.DeleteUser(asRoot, root.ID), auth.Invalid)
	code(t, s.SetAdmin(s.owner(), root.ID, false), auth.Conflict) // the last one
	code(t, s.DeleteUser(s.owner(), root.ID), auth.Conflict)
	code(t, s.SetAdmin(asRoot, "none", true), auth.NotFound)
	code(t, s.SetGroups(asRoot, "none", []string{"a"}), auth.NotFound)
	code(t, s.SetPassword(asRoot, "none", "another one"), auth.NotFound)
	_, err = s.CreateUser(asRoot, auth.NewUser{Email: "ADA@example.com"})
	code(t, err, auth.Conflict)
	if err := errors.Join(s.SetAdmin(asRoot, ada.ID, true), s.SetAdmin(asAda, root.ID, false)); auth.CodeOf(err) != auth.Forbidden {
		t.Errorf("asAda was identified before: %v", err)
	}
	if err := s.SetAdmin(s.as(s.signIn(ada.Email).Access), root.ID, false); err != nil {
		t.Error(err)
	}
	if got, want := s.last(), ada.Email+"||"+home+`|rest|user.admin|{"admin":false,"user":"root@example.com"}|ok`; got != want {
		t.Errorf("audit: %s, want %s", got, want)
	}
}

func TestAccountsThatCannotBe(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, email := range []string{"", "a", "@b", "a@", "a@b@c", "a b@c", "a\n@b", "a@b\x00", `"a"@b`, "<a@b>", "a@-b", strings.Repeat("a", 250) + "@b.cc"} {
		if _, err := s.CreateUser(s.owner(), auth.NewUser{Email: email}); auth.CodeOf(err) != auth.Invalid {
			t.Errorf("e-mail %.20q: %v", email, err)
		}
	}
	for _, group := range []string{"", "a b", "ø", strings.Repeat("a", 65), "a\n"} {
		_, err := s.CreateUser(s.owner(), auth.NewUser{Email: "a@b", Groups: []string{group}})
		code(t, err, auth.Invalid)
	}
	for _, pw := range []string{"1234567", "øøøøøøø", strings.Repeat("a", 1025), "12345678\n"} {
		_, err := s.CreateUser(s.owner(), auth.NewUser{Email: "a@b", Password: pw})
		code(t, err, auth.Invalid)
	}
	_, err := s.CreateUser(s.owner(), auth.NewUser{Email: "a@b", Name: "a\u202eb"})
	code(t, err, auth.Invalid)
	s.user(auth.NewUser{Email: "o'hara+x@b", Name: "Ø 木", Groups: []string{strings.Repeat("a", 64)}, Password: "øøøøøøøø"})
}
