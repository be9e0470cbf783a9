package cli_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"stroem/cli"
)

// What is read piece by piece is what encoding/json reads at once.
func TestLogsAreReadAsTheyCome(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "plain", "a \"quote\", a \\ and\n\t\r\b\f/", "\x01<&>\u2028 生命 😀", strings.Repeat("long\n", 50000)} {
		doc, err := json.Marshal(map[string]string{"logs": text})
		if err != nil {
			t.Fatal(err)
		}
		escaped := strings.ReplaceAll(string(doc), "😀", `\ud83d\ude00`)
		for _, r := range []io.Reader{strings.NewReader(escaped), iotest.OneByteReader(strings.NewReader(" " + escaped + "\n"))} {
			got, err := cli.LogsText(r)
			if err != nil || got != text {
				t.Errorf("%.40q: got %.40q, %v", text, got, err)
			}
		}
		if _, err := cli.LogsText(strings.NewReader(escaped[:len(escaped)-2])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%.40q cut short: %v", text, err)
		}
	}
	for _, doc := range []string{"", "<html>", `{"error":"x"}`, `{"logs":"\x"}`, `{"logs":"","more":1}`} {
		if got, err := cli.LogsText(strings.NewReader(doc)); err == nil {
			t.Errorf("%s: %q and no error", doc, got)
		}
	}
}
