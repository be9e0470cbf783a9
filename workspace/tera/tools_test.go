package tera_test

import (
	"testing"

	"stroem/workspace/tera"
)

// launchers are scripts in which a program of every day would run what a value says.
var launchers = []string{
	`tar -I {{ x }} -cf a f`,
	`tar -cI "{{ x }}" -f a f`,
	`tar cIf {{ x }} a f`,
	`tar --use-compress-prog={{ x }} -cf a f`,
	`tar -xf a -F{{ x }}`,
	`sudo tar --info-script {{ x }} -cf a f`,
	`sort --compress-program={{ x }} f`,
	`split --filter {{ x }} f`,
	`man -P {{ x }} ls`,
	`scp -oProxyCommand={{ x }} a b`,
	`sftp -S {{ x }} h`,
	`nc -e {{ x }} h 1`,
	`ncat --sh-exec {{ x }} h 1`,
	`wget --use-askpass={{ x }} a`,
	`zip a.zip f -T -TT {{ x }}`,
	`go build -toolexec {{ x }}`,
	`go vet -toolexec={{ x }}`,
	`docker run --entrypoint {{ x }} i`,
	`java -jar {{ x }}`,
	`socat - TCP:{{ x }}:80`,
	`crontab {{ x }}`,
	`git -c {{ x }} log`,
	`git -c core.pager={{ x }} log`,
	`git -C a -c "alias.y={{ x }}" y`,
	`git clone -c {{ x }} a b`,
	`git clone --config core.fsmonitor={{ x }} a b`,
	`git config core.pager {{ x }}`,
	`git config --global alias.y {{ x }}`,
	`git config {{ x }} y`,
	`git fetch --upload-pack={{ x }} o`,
	`git clone -u {{ x }} a b`,
	`git rebase -x {{ x }} m`,
	`git bisect run {{ x }}`,
	`git submodule foreach "echo {{ x }}"`,
	`git grep -O{{ x }} y`,
	`git {{ x }} y`,
	`git filter-branch --msg-filter {{ x }}`,
	`npx {{ x }}`,
	`npm exec -- {{ x }}`,
	`uv run {{ x }}`,
	`kubectl -n y exec pod -- {{ x }}`,
	`ip netns exec y {{ x }}`,
	`bundle exec {{ x }}`,
	`linux32 {{ x }}`,
	`fakeroot {{ x }}`,
	`m4 -D{{ x }} f`,
	`echo {{ x }} | m4`,
	`echo {{ x }} | sqlite3 db`,
	`echo {{ x }} | sftp h`,
	`echo {{ x }} | make -f -`,
	`echo {{ x }} | make -f/dev/stdin`,
	`echo {{ x }} | sed -f - f`,
	`echo {{ x }} | awk -f -`,
	"make -f - <<E\nall: {{ x }}\nE",
	"sqlite3 db <<E\n{{ x }}\nE",
	`f() { sh; }; echo {{ x }} | f`,
	"g() { f; }; f() { nice bash; }; g <<E\n{{ x }}\nE",
	`echo {{ x }} | $SHELL`,
	`echo {{ x }} | "${SHELL:-sh}"`,
	`echo {{ x }} | sh -c 'eval "$(cat)"'`,
	`echo {{ x }} | bash -c "$(cat)"`,
	`GIT_SSH_COMMAND={{ x }} git fetch`,
	`export PAGER={{ x }}`,
	`NODE_OPTIONS="{{ x }}" node app.js`,
	`env PYTHONPATH={{ x }} ./run.sh`,
	`PERL5OPT={{ x }}; export PERL5OPT`,
	`RSYNC_RSH={{ x }} rsync a b`,
	`GIT_CONFIG_VALUE_0={{ x }} git log`,
}

// TestToolsThatRunAnOption checks the places where a program of every day would
// run what a value says: behind an option, as a subcommand, on its input, or in a
// variable of its environment.
func TestToolsThatRunAnOption(t *testing.T) {
	t.Parallel()
	for _, script := range launchers {
		for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
			tmpl := parse(t, script)
			if errs, _ := tmpl.CheckShell(d); len(errs) == 0 {
				t.Errorf("%v: %s is accepted", d, script)
			}
			if text, err := tmpl.Shell(tera.Vars{"x": "a"}, d); err == nil {
				t.Errorf("%v: %s came out as %s", d, script, text)
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
