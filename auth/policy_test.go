package auth_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stroem/auth"
	"stroem/store"
)

func person(email string, groups ...string) auth.Principal {
	return auth.Principal{Via: auth.Session, Email: email, Groups: groups, Door: auth.REST}
}

func withKey(p auth.Principal, k store.APIKey) auth.Principal {
	p.Via, p.Door = auth.Key, auth.MCP
	k.Prefix = "strm_0123456"
	p.Key = &k
	return p
}

func TestDecide(t *testing.T) {
	t.Parallel()
	rules := &auth.Policy{Rules: []auth.Rule{
		{Workspace: "*", Tasks: []string{"*"}, Action: auth.View, Groups: []string{"dev"}},
		{Workspace: "prod", Tasks: []string{"deploy/*", "rollback"}, Action: auth.Run, Groups: []string{"ops"}, Users: []string{"Ada@example.com"}},
		{Workspace: "prod", Tasks: []string{"deploy/db"}, Action: auth.Deny, Groups: []string{"ops"}},
		{Workspace: "lab-*", Action: auth.Run, Groups: []string{"dev"}, Approval: true},
		{Workspace: "nobody", Action: auth.Run},
	}}
	open := &auth.Policy{Default: auth.Run, Rules: []auth.Rule{{Workspace: "prod", Action: auth.Deny, Groups: []string{"dev"}},
		{Workspace: "prod", Tasks: []string{"see"}, Action: auth.View, Groups: []string{"dev"}}}}
	admin := auth.Principal{Via: auth.Session, Admin: true, Email: "root@example.com"}
	ada, dev, ops := person("ada@example.com"), person("d@example.com", "dev"), person("o@example.com", "ops", "dev")
	for _, c := range []struct {
		name   string
		policy *auth.Policy
		who    auth.Principal
		task   string // workspace:folder:name
		want   string // permission, rule, approval
	}{
		{"nobody", rules, auth.Principal{}, "prod::x", "deny -1"},
		{"nobody without rules", nil, auth.Principal{}, "prod::x", "deny -1"},
		{"admin", rules, admin, "prod::x", "run -1"},
		{"no rules", nil, dev, "prod::x", "run -1"},
		{"auth off", nil, auth.Anyone(auth.MCP, ""), "prod::x", "run -1"},
		{"the server", rules, auth.Server(), "prod::x", "run -1"},
		{"the folder's owner", rules, auth.Owner(), "prod::x", "run -1"},
		{"default", rules, ada, "prod::x", "deny -1"},
		{"by e-mail in any case", rules, ada, "prod:deploy:web", "run 1"},
		{"by an e-mail that folds to another's", &auth.Policy{Rules: []auth.Rule{{Workspace: "*", Action: auth.Run, Users: []string{"sam@example.com"}}}},
			person("ſam@example.com"), "prod::x", "deny -1"},
		{"folders within", rules, ada, "prod:deploy/eu:web", "run 1"},
		{"name without folder", rules, ada, "prod::rollback", "run 1"},
		{"name in another folder", rules, ada, "prod:x:rollback", "deny -1"},
		{"other workspace", rules, ada, "stage:deploy:web", "deny -1"},
		{"by group", rules, dev, "prod:deploy:web", "view 0"},
		{"highest wins", rules, ops, "prod:deploy:web", "run 1"},
		{"deny takes no grant away", rules, ops, "prod:deploy:db", "run 1"},
		{"workspace pattern, all tasks", rules, dev, "lab-1:a/b:c", "run 3"},
		{"a rule that names nobody", rules, person("", ""), "nobody::x", "deny -1"},
		{"no e-mail is no e-mail", &auth.Policy{Rules: []auth.Rule{{Workspace: "*", Action: auth.Run, Users: []string{""}}}}, person(""), "w::x", "deny -1"},
		{"open default", open, dev, "stage::x", "run -1"},
		{"deny against the default", open, dev, "prod::x", "deny 0"},
		{"less than the default", open, dev, "prod::see", "view 1"},

		{"key", rules, withKey(ada, store.APIKey{}), "prod:deploy:web", "run 1"},
		{"read-only key", rules, withKey(ada, store.APIKey{ReadOnly: true}), "prod:deploy:web", "view 1"},
		{"read-only key widens nothing", rules, withKey(ada, store.APIKey{ReadOnly: true}), "prod::x", "deny -1"},
		{"key of that workspace", rules, withKey(ada, store.APIKey{Workspaces: []string{"stage", "prod"}}), "prod:deploy:web", "run 1"},
		{"key of another", rules, withKey(ada, store.APIKey{Workspaces: []string{"stage"}}), "prod:deploy:web", "deny 1"},
		{"key of these tasks", nil, withKey(admin, store.APIKey{Tasks: []string{"deploy/*"}}), "prod:deploy:web", "run -1"},
		{"key of other tasks", nil, withKey(admin, store.APIKey{Tasks: []string{"deploy/*"}}), "prod::web", "deny -1"},

		{"a person needs no approval", rules, dev, "lab-1::x", "run 3"},
		{"an agent does", rules, withKey(dev, store.APIKey{}), "lab-1::x", "run 3 approval"},
		{"also an administrator's", rules, withKey(admin, store.APIKey{}), "lab-1::x", "run -1 approval"},
		{"also with a session at /mcp", rules, auth.Principal{Via: auth.Session, Admin: true, Door: auth.MCP}, "lab-1::x", "run -1 approval"},
		{"not one who may not run", rules, withKey(dev, store.APIKey{ReadOnly: true}), "lab-1::x", "view 3"},
	} {
		at := strings.Split(c.task, ":")
		d := c.policy.Decide(c.who, at[0], at[1], at[2])
		got := fmt.Sprint(d.Perm, " ", d.Rule)
		if d.Approval {
			got += " approval"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s (%s)", c.name, got, c.want, d.Why)
		}
	}
}

func TestDecideSaysWhy(t *testing.T) {
	t.Parallel()
	p := &auth.Policy{Rules: []auth.Rule{{Workspace: "prod", Tasks: []string{"deploy/*", "x"}, Action: auth.Run, Users: []string{"a@b"}}}}
	for _, c := range []struct {
		who  auth.Principal
		want string
	}{
		{person("a@b"), `rule 1 (workspace "prod", tasks deploy/*, x) gives run`},
		{person("c@b"), `no rule applies; the default is deny`},
		{withKey(person("a@b"), store.APIKey{ReadOnly: true, Workspaces: []string{"prod"}}),
			`rule 1 (workspace "prod", tasks deploy/*, x) gives run; the key strm_0123456 is limited to reading`},
		{withKey(person("a@b"), store.APIKey{Tasks: []string{"y"}, Workspaces: []string{"lab", "w"}}),
			`rule 1 (workspace "prod", tasks deploy/*, x) gives run; the key strm_0123456 is limited to workspaces lab, w`},
		{auth.Anyone(auth.REST, ""), "auth is off"},
		{auth.Owner(), "administrators may run everything"},
	} {
		if got := p.Decide(c.who, "prod", "", "x").Why; got != c.want {
			t.Errorf("%s\nwant\n%s", got, c.want)
		}
	}
}

// TestScopeIsWhatDecideLetsView compares the two ways to ask for all kinds of
// rules and callers.
func TestScopeIsWhatDecideLetsView(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"*", "a", "b", "a/*", "*b", "a*", "a/b"})
	words := rapid.SliceOfN(word, 0, 2)
	name := rapid.SampledFrom([]string{"u1", "u2"})
	perm := rapid.Custom(func(t *rapid.T) auth.Perm { return auth.Perm(rapid.IntRange(0, 2).Draw(t, "perm")) })
	rule := rapid.Custom(func(t *rapid.T) auth.Rule {
		return auth.Rule{Workspace: word.Draw(t, "workspace"), Tasks: words.Draw(t, "tasks"), Action: perm.Draw(t, "action"),
			Users: rapid.SliceOfN(name, 0, 1).Draw(t, "users"), Groups: rapid.SliceOfN(name, 0, 1).Draw(t, "groups")}
	})
	rapid.Check(t, func(t *rapid.T) {
		p := &auth.Policy{Default: perm.Draw(t, "default"), Rules: rapid.SliceOfN(rule, 0, 4).Draw(t, "rules")}
		if rapid.IntRange(0, 9).Draw(t, "none") == 0 {
			p = nil
		}
		who := auth.Principal{Via: auth.Via(rapid.IntRange(0, 5).Draw(t, "via")), Email: name.Draw(t, "email"),
			Groups: rapid.SliceOfN(name, 0, 1).Draw(t, "in"), Admin: rapid.IntRange(0, 5).Draw(t, "admin") == 0}
		if who.Via == auth.Key {
			who = withKey(who, store.APIKey{ReadOnly: rapid.Bool().Draw(t, "read"), Workspaces: words.Draw(t, "k.w"), Tasks: words.Draw(t, "k.t")})
		}
		s := p.Scope(who)
		for _, ws := range []string{"a", "b", "ab", "c"} {
			for _, folder := range []string{"", "a", "c"} {
				for _, task := range []string{"a", "b", "cb"} {
					d := p.Decide(who, ws, folder, task)
					if s.Allows(ws, folder, task) != (d.Perm >= auth.View) {
						t.Fatalf("%s %s %s: %v, and the scope is %+v", ws, folder, task, d, s)
					}
				}
			}
		}
	})
}

func TestRulesThatCannotBe(t *testing.T) {
	t.Parallel()
	err := (&auth.Policy{Rules: []auth.Rule{
		{Workspace: "a", Users: []string{"x@y"}},
		{Tasks: []string{""}, Groups: []string{"a b"}},
		{Workspace: "a"},
	}}).Check()
	if err == nil {
		t.Fatal("taken")
	}
	for i, want := range []string{"rules[1]: says no workspace", "rules[1].tasks: ", "rules[1].groups: ", "rules[2]: names nobody"} {
		if lines := strings.Split(err.Error(), "\n"); len(lines) != 4 || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of %v", i, err)
		}
	}
	var p auth.Perm
	if err := p.UnmarshalText([]byte("run")); err != nil || p != auth.Run {
		t.Error(p, err)
	}
	if err := p.UnmarshalText([]byte("write")); err == nil {
		t.Error("write was taken")
	}
}
