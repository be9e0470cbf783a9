package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stroem/cli"
)

// Remote agents are given access where they can reach the server, and not over
// a network in the clear.
func TestWhereRemoteAgentsSignIn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		base string
		mcp  bool
		want string
	}{
		{"https://stroem.example.org", true, "on"},
		{"https://stroem.example.org/wf/", true, "on"},
		{"https://stroem.example.org", false, "off"},
		{"http://localhost:8080", true, "on"},
		{"http://127.0.0.1:8080", true, "on"},
		{"http://[::1]:8080", true, "on"},
		{"http://stroem.example.org", true, "off: auth.base_url: is not https, so remote agents"},
		{"http://stroem.example.org", false, "off"},
		{"", true, "off"},
		{"https://a:b@stroem.example.org", true, "is not the address of a server"},
		{"https://stroem.example.org/?x=1", true, "is not the address of a server"},
		{"stroem.example.org", true, "is not the address of a server"},
	} {
		file := filepath.Join(t.TempDir(), "c.yaml")
		text := fmt.Sprintf("mcp: {enabled: %t}\nauth: {base_url: %q}\n", tc.mcp, tc.base)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		on, notes, err := cli.OAuthOn(file)
		got := "off"
		switch {
		case err != nil:
			got = err.Error()
		case on:
			got = "on"
		case len(notes) > 0:
			got += ": " + strings.Join(notes, ", ")
		}
		if !strings.Contains(got, tc.want) || len(tc.want) < 4 && got != tc.want {
			t.Errorf("%q, mcp %t: %s", tc.base, tc.mcp, got)
		}
	}
}
