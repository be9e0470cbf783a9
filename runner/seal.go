package runner

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"stroem/workspace"
)

// sealedPrefix begins the stored form of a secret input.
const sealedPrefix = "sealed:"

// seal returns the input with the values of secret fields encrypted (AES-GCM),
// as it is stored.
func (r *Runner) seal(fields workspace.Fields, input map[string]any) (map[string]any, error) {
	return r.secretFields(fields, input, func(v any) (any, error) {
		doc, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		gcm, err := r.gcm()
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, gcm.NonceSize())
		rand.Read(nonce) //nolint:errcheck // it never fails (crypto/rand)
		return sealedPrefix + base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, doc, nil)), nil
	})
}

// unseal is the input as it was before seal.
func (r *Runner) unseal(fields workspace.Fields, input map[string]any) (map[string]any, error) {
	return r.secretFields(fields, input, func(v any) (any, error) {
		text, ok := v.(string)
		digits, sealed := strings.CutPrefix(text, sealedPrefix)
		box, err := base64.StdEncoding.DecodeString(digits)
		if !ok || !sealed || err != nil {
			return nil, errors.New("it is not stored as a secret")
		}
		gcm, err := r.gcm()
		if err != nil {
			return nil, err
		}
		if len(box) < gcm.NonceSize() {
			return nil, errors.New("it is cut short")
		}
		doc, err := gcm.Open(nil, box[:gcm.NonceSize()], box[gcm.NonceSize():], nil)
		if err != nil {
			return nil, errors.New("it was stored under another secret.key")
		}
		return decode(doc)
	})
}

// secretFields returns a copy of the input in which change was made to the
// values of secret fields.
func (r *Runner) secretFields(fields workspace.Fields, input map[string]any, change func(any) (any, error)) (map[string]any, error) {
	out := make(map[string]any, len(input))
	for k, v := range input {
		if f := fields.Find(k); f != nil && f.Secret && v != nil {
			var err error
			if v, err = change(v); err != nil {
				return nil, fmt.Errorf("secret input %q: %w", k, err)
			}
		}
		out[k] = v
	}
	return out, nil
}

func (r *Runner) gcm() (cipher.AEAD, error) {
	if len(r.Key) == 0 {
		return nil, errors.New("there is no key to keep it under")
	}
	block, err := aes.NewCipher(r.Key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
