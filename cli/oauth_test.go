package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stroem/cli"
)

// Remote agents are given access where they can reach the server, by its address
// as they write it, and not over a network in the clear.
func TestWhereRemoteAgentsSignIn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		base string
		mcp  bool
		want string
	}{
		{"https://stroem.example.org", true, "at https://stroem.example.org"},
		{"https://stroem.example.org/wf/", true, "at https://stroem.example.org/wf"},
		{"HTTPS://Stroem.Example.org:443/WF/", true, "at https://stroem.example.org/WF"},
		{"https://stroem.example.org:/", true, "at https://stroem.example.org"},
		{"https://stroem.example.org:80", true, "at https://stroem.example.org:80"},
		{"http://localhost:80", true, "at http://localhost"},
		{"https://stroem.example.org", false, "off"},
		{"http://localhost:8080", true, "at http://localhost:8080"},
		{"http://127.0.0.1:8080", true, "at http://127.0.0.1:8080"},
		{"http://[::1]:8080", true, "at http://[::1]:8080"},
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
		base, notes, err := cli.OAuthAt(file)
		got := "off"
		switch {
		case err != nil:
			got = err.Error()
		case base != "":
			got = "at " + base
		case len(notes) > 0:
			got += ": " + strings.Join(notes, ", ")
		}
		if !strings.Contains(got, tc.want) || base != "" && got != tc.want || tc.want == "off" && got != tc.want {
			t.Errorf("%q, mcp %t: %s", tc.base, tc.mcp, got)
		}
	}
}
