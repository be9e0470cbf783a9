package cli

import (
	"fmt"
	"strings"

	"stroem/control"
	"stroem/workspace"
)

// inputFlags say what input a task is started with.
type inputFlags struct {
	Input     []string `short:"i" placeholder:"NAME=VALUE" sep:"none" help:"One input, read in the type that the task declares. May be given again."`
	InputJSON string   `name:"input-json" placeholder:"JSON" help:"The whole input as a JSON object; -i goes over it."`
}

// read is the input, the values of -i in the types of fields.
func (in *inputFlags) read(fields workspace.Fields) (map[string]any, error) {
	input, err := control.ParseInput([]byte(in.InputJSON))
	if err != nil {
		return nil, usage("--input-json: %v", err)
	}
	if input == nil {
		input = map[string]any{}
	}
	for _, kv := range in.Input {
		name, text, ok := strings.Cut(kv, "=")
		if !ok || name == "" {
			return nil, usage("-i %s: write a name and a value, like -i name=value", kv)
		}
		if input[name], err = fields.ParseValue(name, text); err != nil {
			return nil, err
		}
	}
	return input, nil
}

// example is how the inputs that must be given are written on a command line.
func example(fields workspace.Fields) string {
	var b strings.Builder
	for _, f := range fields {
		if f.Required && f.Default == nil {
			fmt.Fprintf(&b, " -i %s=…", quote(f.Name))
		}
	}
	return b.String()
}
