package store

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Scope is the set of tasks that a caller may see, in a form that can be
// asked of one task and of a whole table with the same answer. Nil is every
// task; the zero Scope is none.
//
// In a pattern * stands for any characters, / among them, and everything else
// for itself. A task's path is folder/name, or its name where it has no folder.
type Scope struct {
	Rest   bool    // whether a task is seen that no place names
	Shown  []Place // seen, whatever Hidden says
	Hidden []Place

	// What narrows all of that: a task must match one of each list that is
	// not empty.
	Workspaces []string
	Tasks      []string
}

// Place is a pattern of workspaces and one of task paths in them.
type Place struct{ Workspace, Task string }

// Path is how patterns name a task.
func Path(folder, task string) string {
	if folder == "" {
		return task
	}
	return folder + "/" + task
}

// Allows reports whether the task is in the scope.
func (s *Scope) Allows(ws, folder, task string) bool {
	if s == nil {
		return true
	}
	path := Path(folder, task)
	here := func(p Place) bool { return Match(p.Workspace, ws) && Match(p.Task, path) }
	return (slices.ContainsFunc(s.Shown, here) || s.Rest && !slices.ContainsFunc(s.Hidden, here)) &&
		MatchAny(s.Workspaces, ws) && MatchAny(s.Tasks, path)
}

// Touches reports whether any task of the workspace can be in the scope.
func (s *Scope) Touches(ws string) bool {
	if s == nil {
		return true
	}
	here := func(p Place) bool { return Match(p.Workspace, ws) }
	whole := func(p Place) bool { return here(p) && p.Task != "" && strings.Trim(p.Task, "*") == "" }
	return (slices.ContainsFunc(s.Shown, here) || s.Rest && !slices.ContainsFunc(s.Hidden, whole)) && MatchAny(s.Workspaces, ws)
}

// sql is the scope as a condition on three columns. It has the meaning of
// Allows for all names that YAML can hold: UTF-8 without NUL.
func (s *Scope) sql(ws, folder, name string) (cond string, args []any) {
	if s == nil {
		return "1", nil
	}
	path := "CASE " + folder + " WHEN '' THEN " + name + " ELSE " + folder + " || '/' || " + name + " END"
	glob := func(column, pattern string) string {
		switch {
		case pattern == "*":
			return "1"
		case !patternOK(pattern):
			return "0"
		case !strings.Contains(pattern, "*"):
			args = append(args, pattern)
			return column + " = ?"
		}
		args = append(args, globEscape.Replace(pattern))
		return column + " GLOB ?"
	}
	places := func(list []Place) string {
		var parts []string
		for _, p := range list {
			parts = append(parts, "("+glob(ws, p.Workspace)+" AND "+glob("("+path+")", p.Task)+")")
		}
		return either(parts)
	}
	cond = places(s.Shown)
	if s.Rest {
		cond = "(" + cond + " OR NOT " + places(s.Hidden) + ")"
	}
	for _, limit := range []struct {
		column   string
		patterns []string
	}{{ws, s.Workspaces}, {"(" + path + ")", s.Tasks}} {
		var parts []string
		for _, p := range limit.patterns {
			parts = append(parts, glob(limit.column, p))
		}
		if len(parts) > 0 {
			cond += " AND " + either(parts)
		}
	}
	return "(" + cond + ")", args
}

// either joins conditions by OR as a balanced tree: SQLite refuses one that is
// a thousand deep.
func either(parts []string) string {
	switch n := len(parts); n {
	case 0:
		return "0"
	case 1:
		return parts[0]
	default:
		return "(" + either(parts[:n/2]) + " OR " + either(parts[n/2:]) + ")"
	}
}

// globEscape leaves GLOB no wildcard but *.
var globEscape = strings.NewReplacer("[", "[[]", "?", "[?]")

// patternOK: what GLOB would not read to its end, or not character by
// character, matches nothing.
func patternOK(pattern string) bool {
	return utf8.ValidString(pattern) && !strings.Contains(pattern, "\x00")
}

// MatchAny reports whether the text matches one of the patterns, or there are
// none.
func MatchAny(patterns []string, text string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return Match(p, text) })
}

// Match reports whether the whole text matches the pattern, in which * stands
// for any characters.
func Match(pattern, text string) bool {
	if pattern == "*" {
		return true
	}
	if !patternOK(pattern) {
		return false
	}
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for {
		part, more, again := strings.Cut(rest, "*")
		if !again {
			return strings.HasSuffix(text, part)
		}
		// The first place where a part fits leaves most to the parts after it.
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text, rest = text[at+len(part):], more
	}
}
