// Package workspace is the vocabulary of the YAML: it reads, links and checks.
//
// [Load] turns a folder of YAML into tasks that are closed values: each step
// carries the action it runs, so that whoever holds a [Task] needs the folder
// no more. What is wrong is said as a [Problem] with its place, all of it at
// once. What the language knows but this version cannot do yet is kept as a
// refusal of the tasks it touches: they are listed, and do not run.
//
// Values read from YAML (a step's input, a field's default) are plain Go:
// nil, string, bool, int64, float64, []any and map[string]any. They stay what
// they are through a round trip of JSON, an integer an integer and a float a
// float.
package workspace

import (
	"fmt"
	"slices"
)

// Workspace is a folder of YAML, read, linked and checked.
type Workspace struct {
	// Revision names the content of the YAML and source files used.
	Revision string     `json:"revision"`
	Tasks    []*Task    `json:"tasks,omitempty"`
	Actions  []*Action  `json:"actions,omitempty"`
	Triggers []*Trigger `json:"triggers,omitempty"`
	Secrets  Secrets    `json:"-"`
	// Problems are in the order of their files and lines.
	Problems []Problem `json:"problems,omitempty"`

	parts map[string]*part // by file: what a later Load may lend from
}

// Broken names the files with at least one error, in order. Their tasks are
// not in Tasks; who remembers their last good ones keeps those.
func (w *Workspace) Broken() []string {
	var files []string
	for _, p := range w.Problems {
		if !p.Warning && (len(files) == 0 || files[len(files)-1] != p.File) {
			files = append(files, p.File)
		}
	}
	return files
}

// Sources names the files of the workspace that its actions run. Of no
// workspace there are none.
func (w *Workspace) Sources() []string {
	if w == nil {
		return nil
	}
	var files []string
	for _, a := range w.Actions {
		files = append(files, a.Source)
	}
	for _, t := range w.Tasks {
		for i := range t.Flow {
			files = append(files, t.Flow[i].Action.Source)
		}
	}
	slices.Sort(files)
	return slices.DeleteFunc(slices.Compact(files), func(f string) bool { return f == "" })
}

// Err is one sentence for lists: the first error and how many more there are;
// "" when there is none.
func (w *Workspace) Err() string {
	first, more := "", -1
	for _, p := range w.Problems {
		if p.Warning {
			continue
		}
		if more++; more == 0 {
			first = p.String()
		}
	}
	switch {
	case more < 1:
		return first
	case more == 1:
		return first + " (and 1 more error)"
	}
	return fmt.Sprintf("%s (and %d more errors)", first, more)
}
