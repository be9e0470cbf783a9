package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"stroem/workspace"
)

// Size is a number of bytes, written as 1048576, 64MiB or 1GB.
type Size int64

// units of Size, the longer names first.
var units = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *Size) UnmarshalYAML(n *yaml.Node) error {
	for _, u := range units {
		num, ok := strings.CutSuffix(n.Value, u.name)
		if !ok {
			continue
		}
		if v, err := strconv.ParseInt(strings.TrimSpace(num), 10, 64); err == nil && v > 0 && v <= (1<<62)/u.bytes {
			*s = Size(v * u.bytes)
			return nil
		}
		break
	}
	return fmt.Errorf("line %d: %q is not a size; write bytes, or a number with KiB, MiB or GiB", n.Line, n.Value)
}

// Duration is a span of time as the YAML of tasks writes it.
type Duration time.Duration

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := workspace.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w; write seconds, or a span such as 30s, 5m or 1h30m", n.Line, err)
	}
	*d = Duration(v)
	return nil
}
