package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// OnceKey is the header by which a call that is repeated is known again
// (draft-ietf-httpapi-idempotency-key-header). It is exported for huma, which
// fills in no others.
type OnceKey struct {
	Header string `header:"Idempotency-Key" doc:"A text of yours, in quotes: the same call with the same key gives the first job again, for 24 hours." example:"\"8e03978e-40d5\""`
	Key    string `json:"-"` // the text
}

// Resolve implements huma.Resolver.
func (k *OnceKey) Resolve(ctx huma.Context) []error {
	var given []string
	ctx.EachHeader(func(name, value string) {
		if http.CanonicalHeaderKey(name) == "Idempotency-Key" {
			given = append(given, value)
		}
	})
	if len(given) == 0 {
		return nil
	}
	err := errors.New("it is given more than once")
	if len(given) == 1 {
		k.Key, err = onceKey(given[0])
	}
	if err != nil {
		return []error{&apiError{status: http.StatusBadRequest, Text: "Idempotency-Key: " + err.Error()}}
	}
	return nil
}

// onceKey reads the header: a string as RFC 8941 (3.3.3) has it, or, as many
// clients send it, the text alone.
func onceKey(header string) (string, error) {
	const want = `; send a text of printable ASCII in quotes, such as "8e03978e-40d5"`
	if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", errors.New("it has other characters than printable ASCII" + want)
	}
	text, quoted := strings.CutPrefix(header, `"`)
	if !quoted {
		if header == "" || strings.Contains(header, `"`) {
			return "", errors.New("it is no text" + want)
		}
		return header, nil
	}
	var key strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '"' && i == len(text)-1 && i > 0:
			return key.String(), nil
		case c == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
			c = text[i]
		case c == '"' || c == '\\':
			return "", errors.New("it is no text in quotes" + want)
		}
		key.WriteByte(c)
	}
	return "", errors.New("its quotes do not end" + want)
}
