package control

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"stroem/auth"
	"stroem/store"
)

// maxKey bounds a caller's key, in bytes.
const maxKey = 200

// once is how the store knows the call again if it has a key; else nil. The
// arguments may hold secrets that could be guessed: they are digested under a
// key that is not in the database.
func (p *Plane) once(who auth.Principal, e *Execution) (*store.Once, error) {
	if e.Key == "" {
		return nil, nil
	}
	if len(e.Key) > maxKey {
		return nil, &Error{Code: Invalid, Msg: fmt.Sprintf("an idempotency_key has at most %d bytes, and this one %d", maxKey, len(e.Key))}
	}
	input := e.Input
	if input == nil {
		input = map[string]any{}
	}
	doc, err := json.Marshal([]any{e.Workspace, e.Task, input})
	if err != nil {
		return nil, fmt.Errorf("encode call: %w", err)
	}
	secret, err := p.Store.Key("idempotency")
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(doc)
	return &store.Once{Caller: who.Caller(), Key: e.Key, Digest: mac.Sum(nil)}, nil
}
