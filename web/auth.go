package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"stroem/auth"
	"stroem/store"
)

// refreshCookie holds the refresh token of a browser.
const refreshCookie = "stroem_refresh"

// authRoutes registers sign-in, keys and accounts.
func (s *site) authRoutes(api huma.API) {
	withCookie(s, api, "login", "/api/auth/login", "Sign in by password", s.login)
	withCookie(s, api, "refresh-session", "/api/auth/refresh", "Change a refresh token for a new session token", s.refreshSession)
	withCookie(s, api, "logout", "/api/auth/logout", "End the session at once", s.logout)
	withCookie(s, api, "change-password", "/api/auth/password", "Change one's own password; other sessions end, and what programs were given", s.changePassword)
	authRoute(s, api, "me", http.MethodGet, "/api/auth/me", "Who is asking", s.me)
	authRoute(s, api, "create-key", http.MethodPost, "/api/auth/api-keys", "Make an API key; it is shown this once", s.createKey)
	authRoute(s, api, "keys", http.MethodGet, "/api/auth/api-keys", "List one's API keys", s.keys)
	authRoute(s, api, "revoke-key", http.MethodDelete, "/api/auth/api-keys/{prefix}", "Revoke an API key", s.revokeKey)
	authRoute(s, api, "users", http.MethodGet, "/api/users", "List accounts", s.users)
	authRoute(s, api, "create-user", http.MethodPost, "/api/users", "Make an account", s.createUser)
	authRoute(s, api, "user", http.MethodGet, "/api/users/{user}", "An account", s.user)
	authRoute(s, api, "set-admin", http.MethodPut, "/api/users/{user}/admin", "Make an account an administrator's, or no longer so", s.setAdmin)
	authRoute(s, api, "groups-of", http.MethodGet, "/api/users/{user}/groups", "The groups of an account", s.groupsOf)
	authRoute(s, api, "set-groups", http.MethodPut, "/api/users/{user}/groups", "Put an account into groups", s.setGroups)
	authRoute(s, api, "groups", http.MethodGet, "/api/groups", "List the groups that accounts are in", s.groups)
}

// errAuthOff answers what only means something with sign-in.
var errAuthOff = &auth.Error{Code: auth.Invalid, Msg: "Authentication not configured"}

// authRoute is route for what needs a gate.
func authRoute[In, Out any](s *site, api huma.API, id, method, path, summary string, fn func(context.Context, *In) (Out, error)) {
	route(s, api, id, method, path, summary, func(ctx context.Context, in *In) (out Out, err error) {
		if s.cfg.Gate == nil {
			return out, errAuthOff
		}
		return fn(ctx, in)
	})
}

// cookied is an answer that sets the refresh cookie.
type cookied[T any] struct {
	Cookie http.Cookie `header:"Set-Cookie"`
	Body   T
}

func withCookie[In, Out any](s *site, api huma.API, id, path, summary string, fn func(context.Context, *In) (Out, http.Cookie, error)) {
	huma.Register(api, operation(id, http.MethodPost, path, summary), func(ctx context.Context, in *In) (*cookied[Out], error) {
		if s.cfg.Gate == nil {
			return nil, s.fault(errAuthOff)
		}
		out, cookie, err := fn(ctx, in)
		if err != nil {
			return nil, s.fault(err)
		}
		return &cookied[Out]{cookie, out}, nil
	})
}

// cookie keeps the token from scripts and from other sites; without a token it
// takes the cookie away.
func (s *site) cookie(token string) http.Cookie {
	c := http.Cookie{Name: refreshCookie, Value: token, Path: "/api/auth", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: s.cfg.Secure, MaxAge: int((30 * 24 * time.Hour).Seconds())}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

type signedIn struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	ExpiresAt    time.Time `json:"expires_at"`
}

func (s *site) signedIn(t auth.Tokens, err error) (signedIn, http.Cookie, error) {
	return signedIn{t.Access, t.Refresh, t.ExpiresAt}, s.cookie(t.Refresh), err
}

func (s *site) login(ctx context.Context, in *struct {
	Body struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
}) (signedIn, http.Cookie, error) {
	return s.signedIn(s.cfg.Gate.SignIn(ctx, in.Body.Email, in.Body.Password, auth.From(ctx).Addr))
}

func (s *site) changePassword(ctx context.Context, in *struct {
	Body struct {
		Present string `json:"current_password"`
		New     string `json:"new_password"`
	}
}) (signedIn, http.Cookie, error) {
	return s.signedIn(s.cfg.Gate.ChangePassword(ctx, in.Body.Present, in.Body.New))
}

func (s *site) refreshSession(ctx context.Context, in *struct {
	Cookie string `cookie:"stroem_refresh"`
	Body   *struct {
		RefreshToken string `json:"refresh_token,omitempty"`
	}
}) (signedIn, http.Cookie, error) {
	token := in.Cookie
	if in.Body != nil && in.Body.RefreshToken != "" {
		token = in.Body.RefreshToken
	}
	if token == "" {
		return signedIn{}, http.Cookie{}, auth.ErrNoCredential
	}
	return s.signedIn(s.cfg.Gate.Refresh(ctx, token, auth.From(ctx).Addr))
}

// done says that something was done of which there is nothing to show.
type done struct {
	Status string `json:"status"`
}

func (s *site) logout(ctx context.Context, _ *struct{}) (done, http.Cookie, error) {
	err := s.cfg.Gate.SignOut(ctx)
	return done{"ok"}, s.cookie(""), err
}

// me is the caller as Strøm shows one, with what narrows a key.
type me struct {
	UserID    string    `json:"user_id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Admin     bool      `json:"is_admin"`
	Groups    []string  `json:"groups"`
	CreatedAt time.Time `json:"created_at"`
	Key       *key      `json:"key,omitempty" doc:"The API key that asks, if one does."`
}

func (s *site) me(ctx context.Context, _ *struct{}) (me, error) {
	who := auth.From(ctx)
	u, err := s.cfg.Gate.User(ctx, who.UserID)
	out := me{u.ID, u.Name, u.Email, u.Admin, append([]string{}, u.Groups...), u.CreatedAt, nil}
	if who.Key != nil {
		k := keyOf(*who.Key)
		out.Key = &k
	}
	return out, err
}

// key is an API key as Strøm shows one, with what narrows it.
type key struct {
	Prefix     string     `json:"prefix"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ReadOnly   bool       `json:"read_only,omitempty"`
	MCPOnly    bool       `json:"mcp_only,omitempty"`
	Workspaces []string   `json:"workspaces,omitempty"`
	Tasks      []string   `json:"tasks,omitempty"`
}

func keyOf(k store.APIKey) key {
	return key{k.Prefix, k.Name, k.CreatedAt, present(k.ExpiresAt), present(k.LastUsedAt), k.ReadOnly, k.MCPOnly, k.Workspaces, k.Tasks}
}

type newKey struct {
	Key       string     `json:"key" doc:"Shown this once."`
	Name      string     `json:"name"`
	Prefix    string     `json:"prefix"`
	ExpiresAt *time.Time `json:"expires_at"`
}

func (s *site) createKey(ctx context.Context, in *struct {
	Body struct {
		Name          string   `json:"name"`
		ExpiresInDays int      `json:"expires_in_days,omitempty" minimum:"1" maximum:"3650"`
		ReadOnly      bool     `json:"read_only,omitempty"`
		MCPOnly       bool     `json:"mcp_only,omitempty"`
		Workspaces    []string `json:"workspaces,omitempty"`
		Tasks         []string `json:"tasks,omitempty"`
	}
}) (newKey, error) {
	b := in.Body
	want := store.APIKey{User: auth.From(ctx).UserID, Name: b.Name, ReadOnly: b.ReadOnly, MCPOnly: b.MCPOnly, Workspaces: b.Workspaces, Tasks: b.Tasks}
	if b.ExpiresInDays > 0 {
		want.ExpiresAt = s.cfg.Plane.Now().AddDate(0, 0, b.ExpiresInDays)
	}
	plain, k, err := s.cfg.Gate.NewKey(ctx, want)
	return newKey{plain, k.Name, k.Prefix, present(k.ExpiresAt)}, err
}

func (s *site) keys(ctx context.Context, _ *struct{}) ([]key, error) {
	all, err := s.cfg.Gate.Keys(ctx, auth.From(ctx).UserID)
	list := []key{}
	for _, k := range all {
		list = append(list, keyOf(k))
	}
	return list, err
}

func (s *site) revokeKey(ctx context.Context, in *struct {
	Prefix string `path:"prefix"`
}) (done, error) {
	err := s.cfg.Gate.RevokeKey(ctx, in.Prefix)
	return done{"ok"}, err
}
