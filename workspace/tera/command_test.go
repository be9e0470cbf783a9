package tera_test

import (
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// verdict is what becomes of a value among a command's arguments.
type verdict string

const (
	barred   verdict = "refused"  // for everyone
	warned   verdict = "warned"   // a person is warned that it is read as code, an agent refused
	demanded verdict = "demanded" // a text with a blank, a $ or a | is refused, a plain word is not
	option   verdict = "option"   // one that begins with - may be an option, which an agent is refused
	dashless verdict = "dashless" // nobody is warned, but an agent refused one that begins with -
	counted  verdict = "counted"  // all but a number is refused
	numeric  verdict = "numeric"  // a text is an error where it is known to be one, and refused when it comes
	chosen   verdict = "chosen"   // it chooses an option, which only a number may in an agent's job
	fine     verdict = "fine"
)

func judge(t *testing.T, script string) verdict {
	t.Helper()
	tmpl := parse(t, script)
	errs, warnings := tmpl.CheckShell(tera.Bash)
	agent := tmpl.With(tera.Options{ForbidRaw: true})
	says := func(tmpl *tera.Template, value string) string {
		_, err := tmpl.Shell(tera.Vars{"x": value}, tera.Bash)
		if err == nil {
			return ""
		}
		return err.Error()
	}
	switch {
	case len(errs) > 0 && says(tmpl, "a") != "":
		return barred
	case len(errs) > 0:
		return "refused only where it is checked"
	case len(warnings) > 0 && warnings[0].Kind == tera.Again:
		if says(tmpl, "a b") == "" && strings.Contains(says(agent, "a"), "does not allow it") {
			return warned
		}
	case len(warnings) > 0 && warnings[0].Kind == tera.Number:
		if says(tmpl, "a") != "" && says(agent, "10")+says(agent, "0") == "" {
			return numeric
		}
	case strings.Contains(says(tmpl, "a"), "whole number"), strings.Contains(says(tmpl, "a"), "is no number"):
		if len(warnings) == 0 && says(agent, "10") == "" {
			return counted
		}
	case len(warnings) > 0 && strings.Contains(warnings[0].What, "chooses an option"):
		if says(tmpl, "a") == "" && strings.Contains(says(agent, "a"), "chooses an option") && says(agent, "9") == "" {
			return chosen
		}
	case says(agent, "a") != "":
		return verdict("an agent is refused: " + says(agent, "a"))
	case says(tmpl, "|$( a") != "":
		if len(warnings) == 0 && says(tmpl, "1.2-a") == "" {
			return demanded
		}
	case len(warnings) > 0:
		if says(tmpl, "-x") == "" && strings.Contains(says(agent, "-x"), "as an option") {
			return option
		}
	case strings.Contains(says(agent, "-x"), "as an option"):
		if says(tmpl, "-x") == "" && says(agent, "-5") == "" {
			return dashless
		}
	case says(agent, "-x") == "" && says(agent, "a b") == "":
		return fine
	}
	return "neither"
}

// TestCommands checks what becomes of a value among the arguments of commands.
func TestCommands(t *testing.T) {
	t.Parallel()
	for want, scripts := range map[verdict]string{barred: refusing, warned: rereading, demanded: demanding, counted: counting, numeric: numbered, option: optional, chosen: choosing, dashless: unknownPrograms, fine: harmless} {
		for script := range strings.Lines(scripts) {
			if script = strings.TrimSpace(script); script == "" || strings.HasPrefix(script, "# ") {
				continue
			}
			if got := judge(t, strings.ReplaceAll(script, "⏎", "\n")); got != want {
				t.Errorf("%s: %s, want %s", script, got, want)
			}
		}
	}
}

const refusing = `
# what runs in a container
docker exec c {{ x }}
docker exec -it -u root c script -c {{ x }}
docker exec c vim -c {{ x }}
docker compose -f a.yml exec app {{ x }}
docker compose run --rm app make test SHELL={{ x }}
docker-compose exec -T app make SHELL={{ x }}
docker container exec c make SHELL={{ x }}
docker run --entrypoint {{ x }} image
docker run $OPTIONS image make SHELL={{ x }}
podman exec --latest make SHELL={{ x }}
kubectl exec p -- {{ x }}
kubectl exec p -- make SHELL={{ x }}
crictl exec -it p make SHELL={{ x }}
lxc exec c -- make SHELL={{ x }}
oc exec p -c app -- make SHELL={{ x }}
# options behind which a command comes
gtar -I {{ x }} -cf a f
gsort --compress-program={{ x }} f
gsplit --filter={{ x }} f
genv {{ x }}
genv -S {{ x }}
gnice {{ x }}
gnohup {{ x }}
gstdbuf -oL {{ x }}
gvim -c {{ x }}
view -c {{ x }}
helm upgrade --post-renderer {{ x }} a b
go vet -vettool={{ x }}
gcc -wrapper {{ x }}
cmake -E {{ x }}
java {{ x }}
deno run {{ x }}
hg --config alias.x={{ x }} log
restic -o sftp.command={{ x }} backup
rclone --password-command {{ x }} ls
sshfs -o ssh_command={{ x }} h: d
apt-get -o {{ x }} install a
npm config set script-shell {{ x }}
npm config set {{ x }} a
newshell --eval={{ x }}
start-stop-daemon -S -a {{ x }}
git filter-repo --message-callback {{ x }}
python -m {{ x }}
python3 -m {{ x }}
find . -maxdepth 0 -exec{{ y }} {{ x }} ";"
run() { "$@"; }; run let {{ x }}
run() { echo "$*"; "$1" "${@:2}"; }; run let {{ x }}
run() { "$@" || exit; }; run declare {{ x }}
run() { "$@" | cat; }; run env {{ x }}
run() { command "$@"; }; run timeout 5 {{ x }}
run() { r2 "$@"; }; r2() { "$@"; }; run exec {{ x }}
set -- env {{ x }}; "$@"
set -- timeout 5 {{ x }}; "$@"
python3 -m cProfile {{ x }}
python3 -m runpy {{ x }}
make -C {{ x }}
make SHELL={{ x }}
make .SHELLFLAGS={{ x }}
make -f {{ x }}
# what is read on the input
echo {{ x }} | mariadb d
echo {{ x }} | duckdb d
echo {{ x }} | mongosh
echo {{ x }} | irb
echo {{ x }} | jshell
echo {{ x }} | lldb
echo {{ x }} | deno
echo {{ x }} | bun
echo {{ x }} | deno run -
echo {{ x }} | bun run -
echo {{ x }} | rails console
echo {{ x }} | python3 manage.py shell
echo {{ x }} | make --file=-
echo {{ x }} | vim -es f
echo {{ x }} | su - postgres
echo {{ x }} | su app
echo {{ x }} | sudo -i
echo {{ x }} | sudo -u app -s
echo {{ x }} | sudo su
echo {{ x }} | chroot /m
echo {{ x }} | setarch x86_64
echo {{ x }} | unshare -n
echo {{ x }} | script /dev/null
echo {{ x }} | fakeroot
echo {{ x }} | nix-shell
echo {{ x }} | ssh host
echo {{ x }} | ssh -p 22 -o A=b host
echo {{ x }} | parallel
echo {{ x }} | xargs nice
echo {{ x }} | xargs timeout 5
echo {{ x }} | xargs xargs
su - postgres <<E⏎{{ x }}⏎E
`

const rereading = `
# what runs in a container
docker run --entrypoint sh image -c {{ x }}
docker run --rm --entrypoint=/bin/sh image -c "ls {{ x }}"
docker run --rm --entrypoint python3 image -c {{ x }}
docker run image {{ x }}
docker run image -c {{ x }}
docker run --health-cmd "curl {{ x }}" image
docker exec c fish -c {{ x }}
docker exec -e A=b c R -e {{ x }}
docker exec c expect -c {{ x }}
nerdctl exec c sh -c {{ x }}
kubectl exec p -- fish -c {{ x }}
kubectl exec -it p -c app -- sh -c {{ x }}
awk -f p.awk {{ x }}
awk {{ x }} f
# a program that nothing is known of
"$SHELL" -lc {{ x }}
"$SHELL" -ec {{ x }}
"$(which bash)" -lc {{ x }}
"$(command -v python3)" -Ic {{ x }}
"$NODE" -pe {{ x }}
"$NODE" --print {{ x }}
"$NODE" -p {{ x }}
"${PHP_BIN}" -r {{ x }}
r() { "$@"; }; r sh -c {{ x }}
r() { echo "$*"; sudo "$@"; }; r eval {{ x }}
"$PERL" -ne {{ x }} f
"$TOOL" --run {{ x }}
"$TOOL" --command {{ x }}
newshell -c {{ x }}
newshell -c "ls {{ x }}"
newshell -lc {{ x }}
newshell --evaluate={{ x }}
newshell --exec-start {{ x }}
newshell --on-change-cmd "ls {{ x }}"
newshell --script {{ x }}
newshell -e{{ x }}
/bin/b?sh -c {{ x }}
# a command that is put together
{eval,} {{ x }}
ev{al,} {{ x }}
{bash,-c} {{ x }}
bash {-c,} {{ x }}
$'eval' {{ x }}
$'\x65val' {{ x }}
case $y in a) c=eval ;; *) c=ls ;; esac; "$c" {{ x }}
"/bin/$z/ssh" host {{ x }}
ev$()al {{ x }}
ev${z}al {{ x }}
eval${Z} {{ x }}
"${E:-eval}" {{ x }}
E=eval; "$E" {{ x }}
E=eval; $E echo {{ x }}
set -- eval; "$@" {{ x }}
a=(bash -c); "${a[@]}" {{ x }}
cmd=(ssh host); "${cmd[@]}" ls {{ x }}
S="ssh host"; $S ls {{ x }}
S=ssh; "$S" host ls {{ x }}
$(command -v ssh) host ls {{ x }}
"$DIR/ssh" host ls {{ x }}
for c in ls eval; do "$c" {{ x }}; done
./run --command {{ x }}
./manage.py shell -c {{ x }}
vagrant ssh -c {{ x }}
# interpreters
rails runner {{ x }}
rails r {{ x }}
bundle exec rails runner {{ x }}
mix run -e {{ x }}
iex -e {{ x }}
clojure -e {{ x }}
bb -e {{ x }}
ghc -e {{ x }}
kotlin -e {{ x }}
swift -e {{ x }}
raku -e {{ x }}
jruby -e {{ x }}
py -c {{ x }}
pythonw -c {{ x }}
python3.13t -c {{ x }}
python3-dbg -c {{ x }}
bash-static -c {{ x }}
osh -c {{ x }}
cmd.exe /c {{ x }}
mysqlsh -e {{ x }}
mysqlsh --py -e {{ x }}
lldb -o {{ x }}
php artisan tinker --execute={{ x }}
drush ev {{ x }}
npm explore p -- ls {{ x }}
python3 -m unittest {{ x }}
python3 -m pydoc {{ x }}
psql -d d -f {{ x }}
zsh -c 'ls "$1"' _ {{ x }}
ssh host ls {{ x }}
ssh -p 22 host "ls {{ x }}"
ssh -o{{ x }} host
echo {{ x }} | xargs -I{} ssh h 'ls {}'
echo {{ x }} | sort | xargs ssh h ls
y={{ x }}; echo "$y" | xargs -I{} su app -c "ls {}"
y={{ x }}; env A=$y ls
y={{ x }}; sudo A=$y ls
y={{ x }}; awk -F $y '{print $1}' f
ssh -{{ x }} host
ssh -oProxyCommand={{ x }} host
run() { "$@"; }; run . {{ x }}
ssh -o "ProxyCommand={{ x }}" host
find . -exec sh -c 'ls' {{ x }} \;
emacsclient -e {{ x }}
lftp -c "open {{ x }}"
bpftrace -e {{ x }}
python3 -m timeit {{ x }}
python3 -m timeit -s {{ x }} 1
python3 -m pdb -c {{ x }} f.py
python3 manage.py shell -c {{ x }}
yq -i ".image.tag = \"{{ x }}\"" f.yaml
yq e ".a = \"{{ x }}\"" f
yq -o json ".a = \"{{ x }}\"" f
jq --new {{ x }} f
gojq ".a = {{ x }}"
jaq {{ x }} f
# another machine's shell
pdsh -w h {{ x }}
clush -w h {{ x }}
heroku run "ls {{ x }}"
az vm run-command invoke --scripts "echo {{ x }}"
aws ssm send-command --parameters "commands=[{{ x }}]"
aws ecs execute-command --command {{ x }}
salt '*' cmd.run {{ x }}
bolt command run {{ x }} -t h
# a shell by other doors
start-stop-daemon -S -a /bin/sh -- -c {{ x }}
capsh -- -c {{ x }}
nix-shell --run {{ x }}
nix develop -c {{ x }}
sops exec-env f "ls {{ x }}"
doppler run --command="{{ x }}"
watchexec "ls {{ x }}"
nodemon -x {{ x }}
concurrently "ls {{ x }}"
just --command {{ x }}
just deploy {{ x }}
consul lock k "ls {{ x }}"
fzf --preview "cat {{ x }}"
rpm -E {{ x }}
rpmbuild --define "v {{ x }}"
`

const demanding = `
go build -ldflags "-X main.v={{ x }}" .
go build -ldflags="-X main.v={{ x }}" .
go test -gcflags {{ x }} ./...
scp "host:{{ x }}" .
rsync -a a host:/srv/{{ x }}
ansible-playbook -e "version={{ x }}" site.yml
ansible-playbook --extra-vars version={{ x }} site.yml
perl f.pl {{ x }}
perl -n f.pl {{ x }}
make {{ x }}
make -s {{ x }}
make test V={{ x }}
make deploy-{{ x }}
docker exec c make V={{ x }}
sudo -u {{ x }} ls
sudo -n -u {{ x }} -g {{ x }} ls
doas -u {{ x }} ls
ssh {{ x }} uptime
ssh -p 22 -i {{ x }} host uptime
ssh "deploy@{{ x }}" 'uptime'
service {{ x }} restart
systemctl restart {{ x }}
psql -Ao {{ x }} d
psql -Aqo{{ x }} d
run() { "$@"; }; run service {{ x }} start
systemctl enable --now {{ x }}
make -j4 {{ x }}
make -j"$(nproc)" {{ x }}
V={{ x }} make
V={{ x }}; export V; make
export V={{ x }}; sudo make all
set -a; V={{ x }}; make
V={{ x }} nice make all
V={{ x }} env A=1 make
`

const counting = `
timeout {{ x }} make all
timeout {{ x }}m make all
timeout -k {{ x }} 10 ls
sudo nice -n {{ x }} ls
xargs -P {{ x }} ls
xargs -n {{ x }} ls
`
