package cli

import "runtime/debug"

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	if e.json {
		return e.printJSON(map[string]string{"version": version()})
	}
	e.println("stroem " + version())
	return nil
}

// version is the module's version, or the commit of a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "dev-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "dev"
}
