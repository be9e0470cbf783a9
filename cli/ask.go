package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"stroem/control"
	"stroem/store"
	"stroem/workspace"
)

// asker asks the person at the terminal what the steps of a job wait for.
type asker struct {
	*env
	plane *control.Plane
	lines chan string // what was typed; closed at the end of it
	asked map[string]bool
}

// askerFor is who answers for a task that is run here. A task that waits for a
// person is not begun where there is nobody to ask.
func askerFor(e *env, plane *control.Plane, task *workspace.Task) (*asker, error) {
	for i := range task.Flow {
		if s := &task.Flow[i]; s.Action.Type == workspace.Approval && !(term.IsTerminal(int(os.Stdin.Fd())) && terminalOf(e.stderr) != nil) {
			return nil, fmt.Errorf("step %q of task %q waits for a person, and there is no terminal to ask on; run it in one, or on a server",
				s.Name, task.Name)
		}
	}
	return &asker{env: e, plane: plane, asked: map[string]bool{}}, nil
}

// follow is the plane's Follow, with a question wherever a step waits.
func (a *asker) follow(ctx context.Context, id string, from int64, emit func(control.Event) error) error {
	return a.plane.Follow(ctx, id, from, func(ev control.Event) error {
		if err := emit(ev); err != nil || ev.Job == nil {
			return err
		}
		for i := range ev.Job.Steps {
			s := &ev.Job.Steps[i]
			if s.Status != store.Suspended || a.asked[s.Name] {
				continue
			}
			a.asked[s.Name] = true
			var err error
			a.undisturbed(func() { err = a.ask(ctx, id, s) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// undisturbed calls do while nothing else is drawn.
func (a *asker) undisturbed(do func()) {
	if a.still != nil {
		a.still(do)
		return
	}
	do()
}

// errLeft is the end of a conversation that the person left.
var errLeft = errors.New("nobody answered")

// ask puts the question until there is an answer that fits, or the job has
// gone on without one. Whoever leaves says no.
func (a *asker) ask(ctx context.Context, id string, s *control.Step) error {
	fmt.Fprintf(a.stderr, "\n%s waits for you:\n\n%s\n\n", clean(s.Name), s.Message)
	for {
		answer, err := a.converse(s)
		switch {
		case a.ctx.Err() != nil: // the job is being cancelled
			return nil
		case errors.Is(err, errLeft):
			answer = control.Answer{Reason: "nobody answered"}
		case err != nil:
			return err
		}
		answer.Job, answer.Step = id, s.Name
		err = a.plane.Approve(ctx, answer)
		if control.CodeOf(err) == control.Internal {
			return err // nil, or nothing that another answer mends
		}
		fmt.Fprintln(a.stderr, control.Clean(err.Error()))
		if control.CodeOf(err) != control.Invalid {
			return nil
		}
	}
}

// converse asks for yes or no, and then for the form or the reason.
func (a *asker) converse(s *control.Step) (answer control.Answer, err error) {
	fields, err := fieldsOf(s.Form)
	if err != nil {
		return answer, err
	}
	for said := ""; said == ""; {
		if said, err = a.line("Approve? [yes/no] "); err != nil {
			return answer, err
		}
		switch strings.ToLower(said) {
		case "y", "yes":
			answer.Approved = true
		case "n", "no":
			answer.Reason, err = a.line("Why? (may be left empty) ")
			return answer, err
		default:
			said = ""
		}
	}
	answer.Input = map[string]any{}
	for i := range fields {
		if err := a.field(fields, &fields[i], answer.Input); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

// field asks for one field of the form until what is typed fits it.
func (a *asker) field(fields workspace.Fields, f *workspace.Field, into map[string]any) error {
	prompt := clean(f.Name)
	if len(f.Options) > 0 {
		prompt += " (" + clean(strings.Join(f.Options, "|")) + ")"
	}
	if f.Default != nil {
		prompt += fmt.Sprintf(" [%s]", clean(fmt.Sprint(f.Default)))
	} else if !f.Required {
		prompt += " (may be left empty)"
	}
	for {
		text, err := a.line(prompt + ": ")
		switch {
		case err != nil:
			return err
		case text == "" && (f.Default != nil || !f.Required):
			return nil
		case text == "":
			continue
		}
		if into[f.Name], err = fields.ParseValue(f.Name, text); err == nil {
			return nil
		}
		fmt.Fprintln(a.stderr, control.Clean(err.Error()))
	}
}

// line is the next line that the person types; errLeft where there is none.
func (a *asker) line(prompt string) (string, error) {
	if a.lines == nil {
		a.lines = make(chan string)
		go func() { // it may wait for a line until the process ends
			defer close(a.lines)
			for s := bufio.NewScanner(os.Stdin); s.Scan(); {
				a.lines <- s.Text()
			}
		}()
	}
	fmt.Fprint(a.stderr, prompt)
	select {
	case text, ok := <-a.lines:
		if !ok {
			return "", errLeft
		}
		return strings.TrimSpace(text), nil
	case <-a.ctx.Done():
		return "", a.ctx.Err()
	}
}
