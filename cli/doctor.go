package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"stroem/runner/proc"
	"stroem/store"
)

// The verdicts of a check.
const (
	good = "ok"
	odd  = "warn"
	bad  = "fail"
)

const (
	spaceFail = 100 << 20 // bytes free, below which a server soon cannot write
	spaceWarn = 1 << 30
)

// finding is one line of what the doctor says.
type finding struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Text   string `json:"text"`
	Fix    string `json:"fix,omitempty"` // what to do
}

type doctorCmd struct{}

// Help shows how the command is used.
func (doctorCmd) Help() string {
	return "It looks and changes nothing, also beside a running server. It exits 1 if a check fails.\n\n" +
		shown("stroem doctor", "stroem --config /etc/stroem/server-config.yaml doctor")
}

func (doctorCmd) Run(e *env) error {
	cfg, list := checkConfig(e)
	list = append(list, checkFolder(cfg.Data))
	c, found := checkDatabase(e.ctx, cfg.Data)
	list = append(list, found...)
	list = append(list, checkSpace(cfg.Data), checkHolder(cfg.Data))
	list = append(append(list, checkShells()...), checkLanguages()...)
	list = append(list, checkPort(e.ctx, cfg.Listen), checkClock(cfg.Data, c.LastJob, time.Now()))
	failed := false
	for _, f := range list {
		failed = failed || f.Status == bad
	}
	if e.json {
		if err := e.printJSON(list); err != nil {
			return err
		}
	} else {
		e.findings(list)
	}
	if failed {
		return failure{}
	}
	return nil
}

func (e *env) findings(list []finding) {
	p := paint(false)
	if t := e.terminal(); t != nil {
		p = t.paint
	}
	colour := map[string]func(string) string{good: p.green, odd: p.yellow, bad: p.red}
	for _, f := range list {
		e.println(colour[f.Status](pad(f.Status, 4)) + "  " + pad(f.Name, 12) + "  " + clean(f.Text))
		if f.Fix != "" {
			e.println(strings.Repeat(" ", 20) + p.bold(clean(f.Fix)))
		}
	}
}

// checkConfig reads the configuration. Where it cannot be used the defaults
// are, so that the rest can be looked at.
func checkConfig(e *env) (*Config, []finding) {
	cfg, err := loadConfig(e.config, os.Environ())
	f := finding{Name: "config", Status: good, Text: "none: the defaults hold"}
	if err != nil {
		f.Status, f.Text, f.Fix = bad, err.Error(), "mend it: the server does not start with it"
		cfg = &Config{Listen: "127.0.0.1:8080"}
		cfg.Data, _ = defaultData()
	} else if cfg.file != "" {
		f.Text = cfg.file
	}
	if e.data != "" {
		if abs, err := filepath.Abs(e.data); err == nil {
			cfg.Data = abs
		}
	}
	list := []finding{f}
	if err == nil {
		for name, w := range cfg.Workspaces {
			if info, err := os.Stat(w.Path); err != nil || !info.IsDir() {
				list = append(list, finding{"workspace", bad, fmt.Sprintf("%s: %s is no folder", name, w.Path), "make it, or mend workspaces." + name + ".path"})
			}
		}
	}
	return cfg, list
}

// checkFolder looks whether the data folder can be used, and by nobody else.
func checkFolder(dir string) finding {
	f := finding{Name: "data folder", Status: good, Text: dir}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Text = dir + " is not there yet; the first `stroem serve` makes it"
		if at := existing(dir); !writable(at) {
			f.Text = dir + " is not there and cannot be made"
			f.Status, f.Fix = bad, "you may not write "+at+"; choose another data folder with --data"
		}
	case err != nil:
		f.Status, f.Text, f.Fix = bad, err.Error(), "see who may read it, or choose another data folder with --data"
	case !info.IsDir():
		f.Status, f.Text, f.Fix = bad, dir+" is no folder", "choose another data folder with --data"
	case !writable(dir):
		f.Status, f.Text, f.Fix = bad, dir+" cannot be written by you", "run as the user that owns it, or choose another with --data"
	case openToOthers(info):
		f.Status, f.Text = odd, fmt.Sprintf("%s can be read by others (%v)", dir, info.Mode().Perm())
		f.Fix = "chmod 700 " + dir
	}
	return f
}

// existing is the nearest folder above dir that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func checkSpace(dir string) finding {
	at := existing(dir)
	free, err := store.FreeSpace(at)
	f := finding{Name: "disk", Status: good, Text: size(free) + " free at " + at}
	switch {
	case err != nil:
		f.Status, f.Text = odd, "the free space at "+at+" is not known: "+err.Error()
	case free < spaceFail:
		f.Status, f.Fix = bad, "make room: without it nothing is kept, and jobs stand still"
	case free < spaceWarn:
		f.Status, f.Fix = odd, "make room, or keep less with retention.job_days, retention.max_bytes and log.max_bytes"
	}
	return f
}

func size(n uint64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	for _, u := range units {
		if strings.HasSuffix(u.name, "iB") && n < 1024*uint64(u.bytes) {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.bytes), u.name)
		}
	}
	return fmt.Sprintf("%d TiB", n>>40)
}

// checkHolder tells of a server that uses the data folder. To try its lock
// would be to take it, so the process it names is asked for instead.
func checkHolder(dir string) finding {
	f := finding{Name: "in use", Status: good, Text: "by no server"}
	if pid := holder(dir); pid != 0 {
		f.Text = fmt.Sprintf("by the server that is process %d", pid)
	}
	return f
}

// holder is the process that has the data folder, 0 without one.
func holder(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, "stroem.lock"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !alive(pid) {
		return 0
	}
	return pid
}

// checkShells looks for what runs scripts.
func checkShells() (list []finding) {
	path, bash, err := proc.FindShell()
	f := finding{Name: "bash", Status: good, Text: path}
	switch {
	case err != nil:
		f.Status, f.Text, f.Fix = bad, err.Error(), "without it no script runs"
	case !bash:
		f.Status, f.Text, f.Fix = odd, "not there; scripts run with "+path, "install bash, or write scripts for sh"
	}
	list = append(list, f)
	f = finding{Name: "sh", Status: good}
	if f.Text, err = exec.LookPath("sh"); err != nil {
		f.Status, f.Text, f.Fix = odd, "not there; scripts that ask for interpreter: sh fail", "put sh into PATH"
	}
	return append(list, f)
}

// checkPort looks whether the address is free, or a stroem answers there.
func checkPort(ctx context.Context, addr string) finding {
	f := finding{Name: "port", Status: good, Text: addr + " is free"}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err == nil {
		if err := l.Close(); err != nil {
			f.Status, f.Text = odd, err.Error()
		}
		return f
	}
	if healthy(ctx, addr) {
		f.Text = "a stroem server answers at http://" + addr
		return f
	}
	f.Status, f.Text = bad, "cannot listen on "+addr+": "+err.Error()
	f.Fix = "stop what uses the port, or choose another with listen: in " + defaultFile
	return f
}

// healthy reports whether a stroem server answers at addr.
func healthy(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var answer struct {
		Status string `json:"status"`
	}
	c := &client{base: "http://" + addr}
	return c.ask(ctx, http.MethodGet, "/healthz", nil, &answer) == nil && answer.Status == "ok"
}
