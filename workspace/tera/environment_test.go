package tera_test

import (
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// TestVariablesThatNameFiles checks the variables that name a file which decides what
// runs: an agent may give a name in its path.
func TestVariablesThatNameFiles(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"KUBECONFIG={{ x }} kubectl get pods", "export ANSIBLE_CONFIG=conf/{{ x }}.cfg; ./run.sh", "AWS_CONFIG_FILE=\"/etc/aws/{{ x }}\"; export AWS_CONFIG_FILE"} {
		for value, fine := range map[string]bool{"prod-1": true, "../tmp/evil": false, "/tmp/evil": false} {
			tmpl := parse(t, script)
			if _, err := tmpl.With(tera.Options{ForbidRaw: true}).Shell(tera.Vars{"x": value}, tera.Bash); (err == nil) != fine {
				t.Errorf("%s with %s: %v", script, value, err)
			}
			if _, err := tmpl.Shell(tera.Vars{"x": value}, tera.Bash); err != nil {
				t.Errorf("%s with %s: %v", script, value, err)
			}
		}
	}
}

// TestVariablesThatDecide checks which variables name a program or code.
func TestVariablesThatDecide(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`PATH BASH_ENV LD_PRELOAD GIT_SSH_COMMAND GIT_PAGER EDITOR PYTHONPATH PYTHONWARNINGS NODE_OPTIONS CC CXX CGO_CFLAGS GOENV GOTOOLCHAIN
		ZIPOPT AWS_PAGER GH_PAGER PSQL_PAGER PSQLRC SVN_EDITOR HGEDITOR KUBE_EDITOR BORG_RSH BORG_PASSCOMMAND RESTIC_PASSWORD_COMMAND RCLONE_PASSWORD_COMMAND RSYNC_RSH
		RSYNC_CONNECT_PROG DOTNET_STARTUP_HOOKS ERL_AFLAGS ERL_FLAGS CLOUDSDK_PYTHON npm_config_node_options LESSKEYIN_CONTENT SSH_ASKPASS`) {
		if !tera.Decides(name) {
			t.Errorf("%s does not decide", name)
		}
	}
	for _, name := range strings.Fields(`NAME VERSION AWS_REGION KUBECONFIG ANSIBLE_CONFIG PGHOST RESTIC_PASSWORD NODE_ENV GIT_AUTHOR_NAME GOOS PIP_INDEX_URL UV_PYTHON HOME ACCOUNT PASSWORD`) {
		if tera.Decides(name) {
			t.Errorf("%s decides", name)
		}
	}
}
