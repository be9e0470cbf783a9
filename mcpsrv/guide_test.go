package mcpsrv_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"stroem/mcpsrv"
)

// The guide shows a call of each tool that there is, with arguments that it
// takes, and the instructions are short.
func TestTheGuideIsTrue(t *testing.T) {
	t.Parallel()
	a := connect(t)
	list, err := a.c.ListTools(t.Context(), mcp.ListToolsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	guide := mcpsrv.Guide()
	calls := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z_]+) (\{.*\})$`).FindAllStringSubmatch(guide, -1) {
		calls[m[1]] = m[2]
	}
	for _, tool := range list.Tools {
		args := calls[tool.Name]
		delete(calls, tool.Name)
		var given map[string]any
		if err := json.Unmarshal([]byte(args), &given); err != nil {
			t.Errorf("%s: no call: %v", tool.Name, err)
			continue
		}
		for name := range given {
			if tool.InputSchema.Properties[name] == nil {
				t.Errorf("%s has no argument %q", tool.Name, name)
			}
		}
		for _, name := range tool.InputSchema.Required {
			if given[name] == nil {
				t.Errorf("%s is shown without %q", tool.Name, name)
			}
		}
		// Whatever is wrong with the call here, it is not its shape.
		if texts, isError := a.call(tool.Name, args); isError && strings.HasPrefix(texts[0], tool.Name+": ") {
			t.Errorf("%s: %q", tool.Name, texts)
		}
	}
	if len(calls) > 0 {
		t.Errorf("calls of tools that there are not: %v", calls)
	}
	lines := strings.Split(guide[strings.Index(guide, "Strøm runs tasks"):], "\n\n")[0]
	if n := strings.Count(lines, "\n") + 1; n > 10 {
		t.Errorf("the instructions have %d lines", n)
	}
}
