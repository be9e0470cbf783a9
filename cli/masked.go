package cli

import (
	"context"
	"fmt"
	"log/slog"
)

// masked is a log handler that hides secrets in what it passes on.
type masked struct {
	slog.Handler
	hide func(string) string
}

// Handle implements slog.Handler.
func (m masked) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, m.hide(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(m.attr(a))
		return true
	})
	return m.Handler.Handle(ctx, out)
}

// WithAttrs implements slog.Handler.
func (m masked) WithAttrs(attrs []slog.Attr) slog.Handler {
	hidden := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		hidden[i] = m.attr(a)
	}
	return masked{m.Handler.WithAttrs(hidden), m.hide}
}

// WithGroup implements slog.Handler.
func (m masked) WithGroup(name string) slog.Handler {
	return masked{m.Handler.WithGroup(name), m.hide}
}

// attr is the attribute with its text hidden where need be.
func (m masked) attr(a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, m.hide(v.String()))
	case slog.KindAny:
		return slog.String(a.Key, m.hide(fmt.Sprint(v.Any())))
	case slog.KindGroup:
		var inner []any
		for _, g := range v.Group() {
			inner = append(inner, m.attr(g))
		}
		return slog.Group(a.Key, inner...)
	}
	return a
}
