package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"stroem/store"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true}, {"*", "a/b", true}, {"", "", true}, {"", "a", false},
		{"deploy/*", "deploy/web", true}, {"deploy/*", "deploy/eu/web", true}, {"deploy/*", "deploy", false}, {"deploy/*", "xdeploy/web", false},
		{"*-deploy", "web-deploy", true}, {"*-deploy", "web-deploy-", false}, {"a*a", "a", false}, {"a*a", "aa", true},
		{"*/api/*", "x/api/v2", true}, {"*/api/*", "x/web/v2", false}, {"**", "x", true}, {"*a*b", "ab-a-b", true},
		{"a?c", "abc", false}, {"a?c", "a?c", true}, {"[ab]", "a", false}, {"[ab]", "[ab]", true}, {"A", "a", false},
		{"a.c", "abc", false}, {`\*`, `\x`, true}, {"%", "a", false}, {"_", "a", false}, {"ø*", "ørn", true},
	} {
		if got := store.Match(c.pattern, c.text); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

// TestScopeMeansTheSameInSQL compares Allows with SQLite's answer for names and
// patterns of the characters that mean something to one or the other.
func TestScopeMeansTheSameInSQL(t *testing.T) {
	t.Parallel()
	st := open(t)
	update(t, st, func(tx *store.Tx) error {
		return tx.Exec(`CREATE TABLE place (workspace TEXT NOT NULL, folder TEXT NOT NULL, name TEXT NOT NULL) STRICT`)
	})
	word := rapid.StringOfN(rapid.SampledFrom([]rune(`ab*?[]^-!/\%_'" øA😀`)), 0, 5, -1)
	places := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Place {
		return store.Place{Workspace: word.Draw(t, "workspace"), Task: word.Draw(t, "task")}
	}), 0, 4)
	rapid.Check(t, func(rt *rapid.T) {
		s := &store.Scope{
			Rest: rapid.Bool().Draw(rt, "rest"), Shown: places.Draw(rt, "shown"), Hidden: places.Draw(rt, "hidden"),
			Workspaces: rapid.SliceOfN(word, 0, 2).Draw(rt, "workspaces"), Tasks: rapid.SliceOfN(word, 0, 2).Draw(rt, "tasks"),
		}
		if rapid.IntRange(0, 9).Draw(rt, "all") == 0 {
			s = nil
		}
		names := rapid.SliceOfN(rapid.SliceOfN(word, 3, 3), 1, 12).Draw(rt, "names")
		var want, got []string
		err := st.Update(t.Context(), func(tx *store.Tx) (err error) {
			if err := tx.Exec(`DELETE FROM place`); err != nil {
				return err
			}
			want = nil
			for _, n := range names {
				if err := tx.Exec(`INSERT INTO place VALUES (?,?,?)`, n[0], n[1], n[2]); err != nil {
					return err
				}
				if s.Allows(n[0], n[1], n[2]) {
					want = append(want, strings.Join(n, "\n"))
				}
				if s.Allows(n[0], n[1], n[2]) && !s.Touches(n[0]) {
					rt.Fatalf("%+v allows %q and does not touch its workspace", s, n)
				}
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
		// Read, so that the writer need not keep a statement for each scope.
		if err := st.View(t.Context(), func(tx *store.Tx) (err error) { got, err = tx.InScope(s); return err }); err != nil {
			rt.Fatal(err)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("%+v: Allows (-) and SQL (+) differ:\n%s", s, diff)
		}
	})
}

func TestScopeTouches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scope store.Scope
		want  bool
	}{
		"the rest is seen":             {store.Scope{Rest: true}, true},
		"some is hidden":               {store.Scope{Rest: true, Hidden: []store.Place{{"w", "deploy/*"}}}, true},
		"all of another is hidden":     {store.Scope{Rest: true, Hidden: []store.Place{{"v", "*"}}}, true},
		"all is hidden":                {store.Scope{Rest: true, Hidden: []store.Place{{"w*", "**"}}}, false},
		"all is hidden, some is shown": {store.Scope{Rest: true, Hidden: []store.Place{{"w", "*"}}, Shown: []store.Place{{"w", "a"}}}, true},
		"no name is hidden":            {store.Scope{Rest: true, Hidden: []store.Place{{"w", ""}}}, true},
		"nothing is seen":              {store.Scope{}, false},
		"a key is for another":         {store.Scope{Rest: true, Workspaces: []string{"v"}}, false},
	} {
		if got := c.scope.Touches("w"); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestScopeOfManyPlaces(t *testing.T) {
	t.Parallel()
	st := open(t)
	update(t, st, func(tx *store.Tx) error {
		if err := tx.Exec(`CREATE TABLE place (workspace TEXT NOT NULL, folder TEXT NOT NULL, name TEXT NOT NULL) STRICT`); err != nil {
			return err
		}
		return tx.Exec(`INSERT INTO place VALUES ('w', 'deploy', 'web')`)
	})
	s := &store.Scope{}
	for range 1500 { // SQLite takes expressions 1,000 deep
		s.Shown = append(s.Shown, store.Place{Workspace: "x*", Task: "*y"})
	}
	s.Shown = append(s.Shown, store.Place{Workspace: "w", Task: "deploy/*"})
	view(t, st, func(tx *store.Tx) error {
		found, err := tx.InScope(s)
		if len(found) != 1 {
			t.Errorf("found %q", found)
		}
		return err
	})
}
