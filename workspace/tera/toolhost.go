package tera

import "strings"

// hostTools look after a machine, its users and its services, and talk to others.
var hostTools = map[string]tool{
	"kill":       {is: quiet, takes: "snpq"},
	"pkill":      {also: "pgrep killall", is: takesOptions, takes: "dgGPsstuUF"},
	"service":    {also: "rc-service invoke-rc.d", rule: serviced, is: everyday},
	"systemctl":  {is: takesOptions, rule: serviced, takes: systemctlTakes, flags: systemctlFlags},
	"journalctl": {is: takesOptions, takes: "unopStUDMbg", flags: "--no-pager --follow --user --quiet"},
	"useradd":    {also: "usermod adduser chsh", is: takesOptions | quiet, takes: "bcdDefgGkKpRPsuZlL"},
	"userdel":    {also: "groupadd groupdel groupmod passwd chage", is: takesOptions | quiet, takes: "gKpRPndEIMmWwxi"},
	"mount":      {is: takesOptions, takes: "toLUOTN"},
	"umount":     {is: takesOptions, takes: "tON"},
	"ping":       {also: "ping6", is: takesOptions, takes: "cIiWwstQMmpFSl"},
	"dig":        {is: takesOptions, takes: "bcfkpqtxy"},
	"host":       {also: "nslookup", is: takesOptions | everyday, takes: "cNRtWm"},
	"traceroute": {also: "tracepath mtr", is: takesOptions, takes: "fgiImNpqstwz"},
	"nc":         {also: "netcat", code: "-e -c"},
	"ncat":       {code: "-e -c --exec --sh-exec --lua-exec"},
	"nmap":       {code: "--script --script-args-file --datadir"},
	"tcpdump":    {code: "-z", takes: "*"},
	"ip":         {door: &door{words: "exec", operands: 1}},
	"salt":       {also: "salt-call salt-ssh", rule: told("cmd.run cmd.shell cmd.script cmd.run_all", runsTwice), is: everyday},
	"bolt":       {rule: told("command script", runsTwice), is: everyday},
	"heroku":     {rule: told("run run:detached run:inside", runsTwice)},
	"sops":       {rule: told("exec-env exec-file", runsTwice)},
	"consul":     {rule: told("lock exec watch", runsTwice), is: everyday},
	"doppler":    {reads: "--command", door: &door{dashes: "run"}},
	"aws-vault":  {door: &door{words: "exec", operands: 1}},
	"certbot":    {reads: "--pre-hook --post-hook --deploy-hook --renew-hook --manual-auth-hook --manual-cleanup-hook"},
	"acme.sh":    {reads: "--reloadcmd --pre-hook --post-hook --renew-hook"},
	"aria2c":     {code: "--on-download-complete --on-bt-download-complete --on-download-start --on-download-stop --on-download-error --on-download-pause"},
	"pm2":        {rule: told("start", runsTwice)},
	"virsh":      {rule: told("qemu-monitor-command qemu-agent-command", runsTwice)},
	"gh":         {rule: told("alias", runsTwice)},
	"borg":       {code: "--rsh --remote-path", rule: told("--content-from-command --paths-from-command", "runs the command that the value becomes a part of"), takes: "*"},
	"restic":     {is: takesOptions, rule: told("--stdin-from-command", "runs the command that the value becomes a part of"), code: "-o --option --password-command", takes: "ropHhv"},
}

const systemctlTakes = "tpHMnosP"

const systemctlFlags = "--user --quiet --now --no-pager --all --force --no-block"

// boxTools run containers, and look after clusters and clouds.
var boxTools = map[string]tool{
	"docker":         {is: takesOptions, door: boxDoor, code: "--entrypoint", reads: "--health-cmd", takes: "Hcl", flags: boxFlags, subs: boxSubs},
	"podman":         {also: "nerdctl", is: takesOptions, door: boxDoor, code: "--entrypoint", reads: "--health-cmd", takes: "cHnar", flags: boxFlags, subs: boxSubs},
	"docker-compose": {also: "podman-compose", is: takesOptions, door: boxDoor, code: "--entrypoint", takes: "fp", flags: boxFlags, subs: boxSubs},
	"kubectl":        {also: "oc k3s", is: takesOptions, door: kubeDoor, code: "--exec-command --exec-arg", takes: "nfolcLksvp", flags: kubeFlags},
	"crictl":         {also: "lxc incus", door: &door{words: "exec", operands: 1}},
	"vagrant":        {also: "multipass", reads: "-c --command", door: &door{words: "exec", operands: 1}},
	"helm":           {is: takesOptions, code: "--post-renderer", takes: "nfoa", flags: helmFlags},
	"aws":            {rule: sentCommand, reads: "--command --user-data"},
	"az":             {reads: "--scripts --exec-command --cmd"},
	"gcloud":         {reads: "--command --startup-script --metadata"},
	"fly":            {also: "flyctl", reads: "-C --command"},
}

var kubeDoor = &door{words: "exec", dashes: "run debug rsh", operands: 1}

var boxDoor = &door{words: "run exec create", box: true}

// boxSubs are the short options of docker's commands that something follows.
var boxSubs = map[string]string{
	"run": "aceheulmpvw", "create": "aceheulmpvw", "container": "aceheulmpvw", "exec": "euw", "compose": "fptewuv",
	"build": "ftom", "commit": "amc", "save": "o", "load": "i", "images": "f", "image": "f", "inspect": "f", "login": "up",
	"ps": "fn", "logs": "n", "stop": "ts", "restart": "ts", "kill": "s", "up": "t", "down": "t", "network": "do", "volume": "do",
}

const (
	boxFlags = "--detach --interactive --tty --init --privileged --read-only --rm --publish-all --quiet --no-healthcheck --oom-kill-disable " +
		"--sig-proxy --disable-content-trust --help --replace --rmi --tls-verify --http-proxy --env-host --no-hosts --no-hostname --no-deps --build " +
		"--service-ports --use-aliases --quiet-pull --quiet-build --remove-orphans --no-TTY --no-tty --rootfs --unsetenv-all --passwd --all " +
		"--latest --dry-run --compatibility --all-resources --debug --tls --tlsverify --force --volumes --no-cache --follow --timestamps --no-trunc " +
		"--all-tags --force-rm --squash --load --push --wait --pull-never"
	helmFlags = "--install --wait --atomic --debug --create-namespace --dry-run --reuse-values --reset-values --force"
	kubeFlags = "--all --all-namespaces --watch --force --wait --recursive --no-headers --show-labels --ignore-not-found --overwrite --record " +
		"--stdin --tty --rm --quiet --follow --previous --prune --server-side --validate --show-managed-fields --local --list --help"
)

// dataTools are the clients of databases.
var dataTools = map[string]tool{
	"psql":      {rule: queried, is: fed | takesOptions, takes: "cdfFhLopPRTUv"},
	"mysql":     {also: "mariadb", rule: queried, is: fed | takesOptions, takes: "ehuPSD"},
	"mysqlsh":   {reads: "-e --execute -f --file --pym", is: fed},
	"sqlite":    {also: "sqlite3", is: takesOptions | fed, rule: opensDatabase},
	"duckdb":    {is: takesOptions | fed, rule: opensDatabase},
	"mongosh":   {also: "mongo", reads: "--eval", is: fed},
	"mysqldump": {also: "mariadb-dump", is: takesOptions, takes: "huPSBwrT"},
	"pg_dump":   {also: "pg_dumpall pg_restore createdb dropdb pg_isready vacuumdb createuser dropuser", is: takesOptions, takes: "dfFhjLnNpSTtUZlEOeceD"},
}

// plainTools are the programs of every day that read nothing as code behind their -c
// and -e, or that find no command there.
func plainTools() map[string]tool {
	rows := map[string]tool{}
	for _, names := range []string{plainHost, plainText, plainBuild, plainCloud} {
		for _, name := range strings.Fields(names) {
			rows[name] = tool{is: ordinary}
		}
	}
	return rows
}

const (
	plainHost = "ps top htop free uptime id who whoami uname hostname hostnamectl timedatectl lsof ss netstat ifconfig iptables nft ufw " +
		"firewall-cmd lsblk blkid fdisk parted mkfs fsck losetup swapon sync dd sysctl modprobe dmesg last getent loginctl " +
		"supervisorctl logrotate rsyslogd fail2ban-client iperf iperf3 ab wrk hey siege vegeta k6 locust arp arping whois telnet " +
		"ssh-copy-id ssh-keyscan sendmail mail mailx msmtp notify-send wall write tput stty tty cryptsetup zfs zpool lvs"
	plainText = "xxd hexdump od file fold fmt nl paste join comm column expand tac rev shuf base64 base32 md5sum sha1sum sha256sum sha512sum shasum " +
		"cksum b2sum iconv envsubst strings tree truncate mktemp mkfifo mknod shred link unlink gettext uuidgen bc expr factor numfmt printenv cal " +
		"tsort xmllint xsltproc csvtool mlr pdftk pdftotext convert magick identify ffmpeg ffprobe exiv2 wkhtmltopdf qpdf cpio ar lz4 " +
		"compress pigz unxz zcat 7z 7za 7zz dos2unix unix2dos"
	plainBuild = "ld nm objdump strip ranlib javac mvn gradle ant ninja meson autoconf automake protoc " +
		"tsc webpack vite rollup esbuild jest vitest playwright cypress prettier stylelint tox nox flake8 mypy black ruff isort " +
		"bandit pre-commit twine virtualenv pip-compile rustup rubocop eslint composer dotnet nuget msbuild xcodebuild golangci-lint " +
		"staticcheck gofmt goreleaser ctest shellcheck shfmt hadolint actionlint yamllint markdownlint semgrep trivy grype syft snyk cosign glab " +
		"hub git-lfs semantic-release changelog hugo jekyll mkdocs sphinx-build doxygen celery flask stroem age minisign"
	plainCloud = "gsutil bq az-cli eksctl terraform tofu terragrunt packer pulumi vault nomad doctl hcloud linode-cli ibmcloud oci openstack s3cmd " +
		"s5cmd mc minio rados ceph kustomize kubeadm kind minikube k9s stern argocd argo flux istioctl linkerd skaffold tilt buildah skopeo crane " +
		"regctl nginx-ingress haproxy caddy traefik envoy prometheus promtool amtool grafana-cli logcli redis-cli influx clickhouse-client " +
		"mongodump mongorestore mongoexport mongoimport etcdctl kafka-topics rabbitmqctl nats cqlsh sqlcmd bcp dbmate flyway liquibase goose " +
		"migrate alembic duplicity kopia rdiff-backup rsnapshot b2 azcopy sam serverless cdk wrangler vercel netlify firebase kafkacat kcat zk " +
		"newman snowsql airflow snmpget snmpwalk snmpset slackcat"
)
