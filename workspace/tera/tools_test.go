package tera_test

import (
	"testing"

	"stroem/workspace/tera"
)

// launchers are scripts in which a program of every day would run what a value says,
// with what is said of that.
var launchers = []struct{ script, says string }{
	{`tar -I {{ x }} -cf a f`, "tar would run what the value behind -I says"},
	{`tar -cI "{{ x }}" -f a f`, "tar would run what the value behind -I says"},
	{`tar cIf {{ x }} a f`, "tar cIf may run what the value says"},
	{`tar --use-compress-prog={{ x }} -cf a f`, "tar would run what the value behind --use-compress-program says"},
	{`tar -xf a -F{{ x }}`, "tar would run what the value behind -F says"},
	{`sudo tar --info-script {{ x }} -cf a f`, "tar would run what the value behind --info-script says"},
	{`sort --compress-program={{ x }} f`, "sort would run what the value behind --compress-program says"},
	{`split --filter {{ x }} f`, "split would run what the value behind --filter says"},
	{`man -P {{ x }} ls`, "man would run what the value behind -P says"},
	{`scp -oProxyCommand={{ x }} a b`, "scp would run what the value behind -o says"},
	{`sftp -S {{ x }} h`, "sftp would run what the value behind -S says"},
	{`nc -e {{ x }} h 1`, "nc would run what the value behind -e says"},
	{`ncat --sh-exec {{ x }} h 1`, "ncat would run what the value behind --sh-exec says"},
	{`wget --use-askpass={{ x }} a`, "wget would run what the value behind --use-askpass says"},
	{`zip a.zip f -T -TT {{ x }}`, "zip would run what the value behind -TT says"},
	{`go build -toolexec {{ x }}`, "go would run what the value behind -toolexec says"},
	{`go vet -toolexec={{ x }}`, "go would run what the value behind -toolexec says"},
	{`docker run --entrypoint {{ x }} i`, "docker would run what the value behind --entrypoint says"},
	{`socat - TCP:{{ x }}:80`, "socat would read the value as code a second time"},
	{`crontab {{ x }}`, "crontab would read the value as code a second time"},
	{`git -c {{ x }} log`, "git would run what the value makes of its settings"},
	{`git -c core.pager={{ x }} log`, "git would run what the value makes of its settings"},
	{`git -C a -c "alias.y={{ x }}" y`, "git would run what the value makes of its settings"},
	{`git clone -c {{ x }} a b`, "git would run what the value makes of its settings"},
	{`git clone --config core.fsmonitor={{ x }} a b`, "git would run what the value makes of its settings"},
	{`git config core.pager {{ x }}`, "git would run what the value makes of its settings"},
	{`git config --global alias.y {{ x }}`, "git would run what the value makes of its settings"},
	{`git config {{ x }} y`, "git would run what the value makes of its settings"},
	{`git fetch --upload-pack={{ x }} o`, "git would run what the value behind --upload-pack says"},
	{`git clone -u {{ x }} a b`, "git clone would run what the value behind -u says"},
	{`git rebase -x {{ x }} m`, "git rebase would run what the value behind -x says"},
	{`git bisect run {{ x }}`, "git bisect would run what the value says"},
	{`git submodule foreach "echo {{ x }}"`, "git submodule would run what the value says"},
	{`git grep -O{{ x }} y`, "git grep would run what the value behind -O says"},
	{`git {{ x }} y`, "a value cannot choose what git does"},
	{`git filter-branch --msg-filter {{ x }}`, "git filter-branch would run what the value says"},
	{`npx {{ x }}`, "a value before the command that npx runs could choose what runs"},
	{`npm exec -- {{ x }}`, "a value cannot choose what runs"},
	{`uv run {{ x }}`, "a value cannot choose what runs"},
	{`kubectl -n y exec pod -- {{ x }}`, "a value cannot choose what runs"},
	{`ip netns exec y {{ x }}`, "a value cannot choose what runs"},
	{`bundle exec {{ x }}`, "a value cannot choose what runs"},
	{`linux32 {{ x }}`, "a value before the command that linux32 runs could choose what runs"},
	{`fakeroot {{ x }}`, "a value before the command that fakeroot runs could choose what runs"},
	{`m4 -D{{ x }} f`, "m4 would read the value as code a second time"},
	{`echo {{ x }} | m4`, "m4 at the end of the pipe would run what the value says"},
	{`echo {{ x }} | sqlite3 db`, "sqlite at the end of the pipe would run what the value says"},
	{`echo {{ x }} | sftp h`, "sftp at the end of the pipe would run what the value says"},
	{`echo {{ x }} | make -f -`, "make at the end of the pipe would run what the value says"},
	{`echo {{ x }} | make -f/dev/stdin`, "make at the end of the pipe would run what the value says"},
	{`echo {{ x }} | sed -f - f`, "sed at the end of the pipe would run what the value says"},
	{`echo {{ x }} | awk -f -`, "awk at the end of the pipe would run what the value says"},
	{"make -f - <<E\nall: {{ x }}\nE", "make would run what the value says"},
	{"sqlite3 db <<E\n{{ x }}\nE", "sqlite would run what the value says"},
	{`f() { sh; }; echo {{ x }} | f`, "sh at the end of the pipe would run what the value says"},
	{"g() { f; }; f() { nice bash; }; g <<E\n{{ x }}\nE", "bash would run what the value says"},
	{`echo {{ x }} | $SHELL`, "$SHELL at the end of the pipe would run what the value says"},
	{`echo {{ x }} | "${SHELL:-sh}"`, "$SHELL at the end of the pipe would run what the value says"},
	{`echo {{ x }} | sh -c 'eval "$(cat)"'`, "sh at the end of the pipe would run what the value says"},
	{`echo {{ x }} | bash -c "$(cat)"`, "bash at the end of the pipe would run what the value says"},
	{`GIT_SSH_COMMAND={{ x }} git fetch`, "a value cannot be assigned to GIT_SSH_COMMAND, which decides what runs"},
	{`export PAGER={{ x }}`, "a value cannot be assigned to PAGER, which decides what runs"},
	{`NODE_OPTIONS="{{ x }}" node app.js`, "a value cannot be assigned to NODE_OPTIONS, which decides what runs"},
	{`env PYTHONPATH={{ x }} ./run.sh`, "a value cannot be assigned to PYTHONPATH, which decides what runs"},
	{`PERL5OPT={{ x }}; export PERL5OPT`, "a value cannot be assigned to PERL5OPT, which decides what runs"},
	{`RSYNC_RSH={{ x }} rsync a b`, "a value cannot be assigned to RSYNC_RSH, which decides what runs"},
	{`GIT_CONFIG_VALUE_0={{ x }} git log`, "a value cannot be assigned to GIT_CONFIG_VALUE_0, which decides what runs"},
}

// TestToolsThatRunAnOption checks the places where a program of every day would
// run what a value says: behind an option, as a subcommand, on its input, or in a
// variable of its environment.
func TestToolsThatRunAnOption(t *testing.T) {
	t.Parallel()
	for _, tt := range launchers {
		for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
			tmpl := parse(t, tt.script)
			if errs, _ := tmpl.CheckShell(d); len(errs) == 0 || errs[0].What != tt.says {
				t.Errorf("%v: %s: %v, want %q", d, tt.script, errs, tt.says)
			}
			if text, err := tmpl.Shell(tera.Vars{"x": "a"}, d); err == nil {
				t.Errorf("%v: %s came out as %s", d, tt.script, text)
			}
		}
	}
}

// TestToolsThatRunNothing checks that places close to those stay open.
func TestToolsThatRunNothing(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		`tar -cf {{ x }} f`,
		`tar czf a -C {{ x }} .`,
		`tar cf a -- {{ x }}`,
		`sort -- {{ x }}`,
		`split -l 5 {{ x }}`,
		`man {{ x }}`,
		`scp -i {{ x }} a b`,
		`wget -O {{ x }} a`,
		`docker ps --filter name={{ x }}`,
		`go build -o {{ x }} .`,
		`go run . {{ x }}`,
		`git -c user.name="{{ x }}" -c user.email='{{ x }}' commit -m "{{ x }}"`,
		`git config --global url."https://{{ x }}@github.com/".insteadOf https://github.com/`,
		`git -c http.extraHeader="Authorization: {{ x }}" fetch`,
		`git config --get -- {{ x }}`,
		`git -C {{ x }} log`,
		`git clone -b {{ x }} a b`,
		`git log --format={{ x }}`,
		`git commit --author="{{ x }}" -m y`,
		`git push origin "HEAD:{{ x }}"`,
		`git grep -e {{ x }}`,
		`npm run y -- {{ x }}`,
		`npx prettier {{ x }}`,
		`uv run y.py {{ x }}`,
		`kubectl exec pod -- ls {{ x }}`,
		`kubectl apply -f {{ x }}`,
		`find . -name {{ x }}`,
		`make y <<E` + "\n{{ x }}\nE",
		`echo {{ x }} | "$(command -v tee)" f`,
		`f() { cat; }; echo {{ x }} | f`,
		`echo {{ x }} | sh -c 'cat >f'`,
		`echo {{ x }} | sed -f prog`,
		`exec 3<f; echo {{ x }} >&3`,
		`V={{ x }} ./deploy.sh`,
		`APP_PATH={{ x }}; export APP_PATH`,
	} {
		tmpl := parse(t, script)
		errs, warnings := tmpl.CheckShell(tera.POSIX)
		for _, w := range warnings {
			if w.Kind != tera.Option {
				t.Errorf("%s: %v", script, w)
			}
		}
		if len(errs) > 0 {
			t.Errorf("%s: %v", script, errs)
		}
	}
}

func TestEachCommandHasOneRow(t *testing.T) {
	t.Parallel()
	if names := tera.TwoRows(); len(names) > 0 {
		t.Error(names)
	}
}
