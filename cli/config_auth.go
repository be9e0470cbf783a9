package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"stroem/auth"
)

// AuthConfig is the auth section. That it is there turns sign-in on.
type AuthConfig struct {
	JWTSecret     string                    `yaml:"jwt_secret"` // made and kept where it is not given
	RefreshSecret string                    `yaml:"refresh_secret"`
	BaseURL       string                    `yaml:"base_url"` // where people and agents reach the server
	Providers     map[string]ProviderConfig `yaml:"providers"`
	InitialUser   *InitialUser              `yaml:"initial_user"`
}

// ProviderConfig is a way to sign in.
type ProviderConfig struct {
	Type        string `yaml:"provider_type"` // internal
	DisplayName string `yaml:"display_name"`
}

// InitialUser is an administrator to be made at the first start.
type InitialUser struct {
	Email    string `yaml:"email"`
	Password string `yaml:"password"`
}

// ACLConfig is the acl section.
type ACLConfig struct {
	Default auth.Perm    `yaml:"default"`
	Rules   []RuleConfig `yaml:"rules"`
}

// RuleConfig is one rule of the acl section.
type RuleConfig struct {
	Workspace string    `yaml:"workspace"`
	Tasks     []string  `yaml:"tasks"`
	Action    auth.Perm `yaml:"action"`
	Groups    []string  `yaml:"groups"`
	Users     []string  `yaml:"users"`
	Approval  bool      `yaml:"approval"` // a job that an agent begins here waits for a person
}

// ApprovalConfig is the approval section.
type ApprovalConfig struct {
	OtherPerson bool `yaml:"other_person"` // nobody answers for a job of their own
}

// policy is the access rules; nil without an acl section.
func (c *Config) policy() *auth.Policy {
	if c.ACL == nil {
		return nil
	}
	p := &auth.Policy{Default: c.ACL.Default}
	for _, r := range c.ACL.Rules {
		p.Rules = append(p.Rules, auth.Rule(r))
	}
	return p
}

// completeAuth checks what decides who may do what. A section that is there
// and empty counts as there: nothing runs open by accident.
func (c *Config) completeAuth(given func(key string) bool) error {
	if given("auth") && c.Auth == nil {
		c.Auth = &AuthConfig{}
	}
	if c.Auth == nil {
		for _, key := range []string{"acl", "approval", "trusted_proxies"} {
			if given(key) {
				return c.fault(key, "means nothing without sign-in; add auth: {} to turn that on")
			}
		}
		return nil
	}
	if given("acl") {
		if c.ACL == nil {
			return c.fault("acl", "is empty; give default: and rules:, or remove it to let everybody who signs in run everything")
		}
		if err := c.policy().Check(); err != nil {
			return c.fault("acl", "%w", err)
		}
	}
	for _, p := range c.TrustedProxies {
		if _, err := proxyRange(p); err != nil {
			return c.fault("trusted_proxies", "%q is neither an address nor a range such as 10.0.0.0/8", p)
		}
	}
	return c.checkAuth()
}

func (c *Config) checkAuth() error {
	a := c.Auth
	for key, secret := range map[string]string{"auth.jwt_secret": a.JWTSecret, "auth.refresh_secret": a.RefreshSecret} {
		if secret != "" && len(secret) < auth.MinSecret {
			return c.fault(key, "must have at least %d characters; remove it to have one made", auth.MinSecret)
		}
	}
	if a.BaseURL != "" {
		u, err := url.Parse(a.BaseURL)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return c.fault("auth.base_url", "%q is not the address of a server; write for example https://stroem.example.org", a.BaseURL)
		}
		a.BaseURL = asCompared(u)
	}
	if c.MCP.Enabled && a.BaseURL != "" && !c.oauth() {
		c.notes = append(c.notes, "auth.base_url: is not https, so remote agents cannot be given access by signing in; they need an API key")
	}
	for name, p := range a.Providers {
		if p.Type != "internal" {
			return c.fault("auth.providers."+name, "provider_type %q cannot be used yet; people sign in by password (internal)", p.Type)
		}
	}
	if u := a.InitialUser; u != nil && (u.Email == "" || u.Password == "") {
		return c.fault("auth.initial_user", "needs email and password")
	}
	return nil
}

// asCompared is a server's address as browsers and agents write it, who compare
// it to the letter with what we say.
func asCompared(u *url.URL) string {
	usual := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	u.Host = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(u.Host), usual), ":")
	return strings.TrimRight(u.String(), "/")
}

// oauth reports whether people may give remote agents access: what these get
// must not go over a network in the clear.
func (c *Config) oauth() bool {
	if c.Auth == nil || !c.MCP.Enabled {
		return false
	}
	u, err := url.Parse(c.Auth.BaseURL)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}

// proxyRange reads an address, or a range of them.
func proxyRange(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, errors.New("neither an address nor a range")
	}
	return a.Prefix(a.BitLen())
}

// proxies are the trusted_proxies, which have been checked.
func (c *Config) proxies() (list []netip.Prefix, err error) {
	for _, text := range c.TrustedProxies {
		p, err := proxyRange(text)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %q: %w", text, err)
		}
		list = append(list, p)
	}
	return list, nil
}
