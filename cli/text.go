package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"stroem/control"
	"stroem/store"
)

// usualWidth is assumed of a terminal that does not tell.
const usualWidth = 80

// paint colours text, or leaves it as it is.
type paint bool

func (p paint) with(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string   { return p.with("1", s) }
func (p paint) faint(s string) string  { return p.with("2", s) }
func (p paint) red(s string) string    { return p.with("31", s) }
func (p paint) green(s string) string  { return p.with("32", s) }
func (p paint) yellow(s string) string { return p.with("33", s) }
func (p paint) cyan(s string) string   { return p.with("36", s) }

// status colours s by the state it belongs to.
func (p paint) status(st store.Status, s string) string {
	switch st {
	case store.Completed:
		return p.green(s)
	case store.Failed:
		return p.red(s)
	case store.Running:
		return p.cyan(s)
	case store.Cancelled, store.Suspended:
		return p.yellow(s)
	}
	return p.faint(s)
}

// terminal is what a command writes to, when that is one.
type terminal struct {
	width, height int
	paint         paint
}

// terminalOf is w's terminal, or nil where w is a file or a pipe.
func terminalOf(w io.Writer) *terminal {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	t := &terminal{paint: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	var err error
	if t.width, t.height, err = term.GetSize(int(f.Fd())); err != nil || t.width <= 0 {
		t.width = usualWidth
	}
	if t.height <= 0 {
		t.height = 24
	}
	return t
}

// width is how many columns s takes.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// cut shortens s to n columns; what was cut shows as an ellipsis.
func cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	return text.Snip(s, n, "…")
}

// pad fills s with spaces to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-width(s))) }

// padLeft puts the spaces before s.
func padLeft(s string, n int) string { return strings.Repeat(" ", max(0, n-width(s))) + s }

// took writes a duration for people.
func took(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%dms", max(0, d.Milliseconds()))
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// ago writes how long before now t was.
func ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return ""
	case d < 2*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd ago", int(d.Hours()/24))
	}
}

// count is "1 task", "2 tasks".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// plainText is text of others on any number of lines.
func plainText(s string) string { return control.Clean(s) }

// oneLine is text of others with its lines put behind one another.
func oneLine(s string) string {
	return clean(strings.Join(strings.Split(strings.TrimSpace(s), "\n"), "; "))
}

// quote writes a word as a shell takes it.
func quote(s string) string {
	if s != "" && harmless(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
