package tera

// fileTools look after files, and pack, fetch and send them.
var fileTools = map[string]tool{
	"rm":      {is: quiet | takesOptions},
	"rmdir":   {is: quiet | takesOptions},
	"cp":      {is: quiet | takesOptions, takes: "tS", flags: "--recursive --archive --force --parents --update --verbose --no-clobber"},
	"mv":      {is: quiet | takesOptions, takes: "tS", flags: "--force --update --verbose --no-clobber"},
	"ln":      {is: quiet | takesOptions, takes: "tS", flags: "--symbolic --force --relative --verbose --no-dereference"},
	"mkdir":   {is: quiet | takesOptions, takes: "m", flags: "--parents --verbose"},
	"touch":   {is: quiet | takesOptions, takes: "drt", flags: "--no-create"},
	"chmod":   {is: quiet | takesOptions, flags: "--recursive --verbose"},
	"chown":   {is: quiet | takesOptions, flags: "--recursive --verbose"},
	"chgrp":   {is: quiet | takesOptions, flags: "--recursive --verbose"},
	"ls":      {is: quiet | takesOptions, takes: "ITw", flags: "--all --recursive"},
	"tee":     {is: quiet | takesOptions, flags: "--append"},
	"install": {is: takesOptions | everyday, takes: "gmotS", code: "--strip-program"},
	"patch":   {is: takesOptions | everyday, takes: "ipdDFgrVBYz", rule: patched},
	"stat":    {is: takesOptions | everyday, rule: stated, takes: "ctf"},
	"du":      {is: takesOptions, takes: "BdtX"},
	"df":      {is: takesOptions, takes: "BtxX"},
	"find":    {also: "fd fdfind", is: takesOptions | everyday, rule: found, takes: "*"},
	"rsync":   {is: takesOptions, rule: remote, takes: "eBfMT", flags: rsyncFlags},
	"scp":     {is: takesOptions, rule: copied, code: "-S -o -F -D", takes: "cDFiJloPSX"},
	"sftp":    {is: takesOptions | fed, code: "-S -o -F -D -b", takes: "BbcDFiJloPRSsX"},
	"sshfs":   {code: "-o"},
	"ftp":     {is: fed},
	"lftp":    {is: fed, reads: "-c -e"},
	"rclone":  {is: takesOptions, code: "--password-command --metadata-mapper --sftp-ssh", takes: "ioPvq"},
	"tar":     {also: "bsdtar", is: takesOptions, rule: packed, code: tarCode, takes: "CfbgHKLNTVXIF", flags: tarFlags},
	"zip":     {is: takesOptions, code: "-TT --unzip-command", takes: "bntPsxiZ"},
	"unzip":   {is: takesOptions, takes: "dPxI"},
	"gzip":    {is: takesOptions, takes: "S"},
	"gunzip":  {is: takesOptions, takes: "S"},
	"xz":      {is: takesOptions, takes: "CFSTM"},
	"zstd":    {is: takesOptions, takes: "oDTM"},
	"bzip2":   {is: takesOptions},
	"split":   {is: everyday | takesOptions, code: "--filter", takes: "abClntd"},
	"sort":    {is: quiet | takesOptions, code: "--compress-program", takes: "kotST", flags: "--reverse --unique --numeric-sort --version-sort"},
	"curl":    {is: quiet | takesOptions, rule: sent, takes: "AbcCdDeEFHKmoPQrtTuUwxXyYz", flags: curlFlags},
	"wget":    {is: quiet | takesOptions, code: "-e --execute --use-askpass", takes: "aBDeIiloOPQRtTUwX", flags: wgetFlags},
	"pv":      {is: takesOptions | everyday, takes: "sLiNFBHdWwD"},
}

const (
	tarFlags   = "--create --extract --list --gzip --verbose --append --xz --zstd"
	tarCode    = "-I -F --use-compress-program --info-script --new-volume-script --rsh-command --rmt-command --to-command --checkpoint-action"
	rsyncFlags = "--delete --archive --verbose --recursive --compress --update --dry-run --stats --progress --partial --inplace --checksum --links " +
		"--perms --times --relative --delete-after --delete-before --delete-during --delete-excluded --ignore-existing --existing --size-only " +
		"--human-readable --quiet --whole-file --numeric-ids --sparse --hard-links --acls --xattrs --mkpath --remove-source-files --force " +
		"--itemize-changes --no-perms --no-owner --no-group --copy-links --safe-links --list-only --prune-empty-dirs --backup --append-verify " +
		"--omit-dir-times --no-motd"
	curlFlags = "--silent --show-error --fail --fail-with-body --fail-early --location --insecure --compressed --verbose --get --head --include " +
		"--remote-name --remote-name-all --remote-header-name --globoff --http1.1 --http2 --create-dirs --progress-bar --no-progress-meter " +
		"--retry-all-errors --retry-connrefused --location-trusted --netrc --ssl-reqd --tlsv1.2 --tlsv1.3 --parallel --raw --path-as-is --ipv4 " +
		"--ipv6 --no-buffer --append --anyauth --basic --digest --junk-session-cookies"
	wgetFlags = "--quiet --no-verbose --verbose --continue --no-check-certificate --recursive --mirror --page-requisites --convert-links " +
		"--no-parent --no-clobber --timestamping --content-disposition --show-progress --spider --https-only --no-hsts --force-directories " +
		"--no-directories --no-host-directories --background"
)

// What sed and awk say of a value in their program.
var (
	inSed = numeric(asProgram, `use awk with ENVIRON["NAME"], and pass it by env:`)
	inAwk = again(asProgram, `use ENVIRON["NAME"], and pass it by env:`)
)

// textTools read, cut and change texts.
var textTools = map[string]tool{
	"cat":         {is: quiet | takesOptions},
	"head":        {is: quiet | takesOptions, takes: "nc"},
	"tail":        {is: quiet | takesOptions, takes: "ncs", flags: "--follow --quiet"},
	"uniq":        {is: quiet | takesOptions, takes: "fsw"},
	"wc":          {is: quiet | takesOptions},
	"cut":         {is: quiet | takesOptions, takes: "bcdf"},
	"tr":          {is: quiet | takesOptions},
	"basename":    {is: quiet | takesOptions, takes: "s"},
	"dirname":     {is: quiet | takesOptions},
	"realpath":    {also: "readlink", is: takesOptions},
	"date":        {is: quiet, rule: dated},
	"sleep":       {is: quiet},
	"seq":         {is: quiet},
	"which":       {is: quiet},
	"logger":      {is: quiet, takes: "finPptu"},
	"grep":        {also: "egrep fgrep zgrep", is: quiet | takesOptions, takes: "ABCefmdD", flags: "--quiet --recursive --ignore-case --count --invert-match"},
	"rg":          {is: takesOptions, code: "--pre --hostname-bin", takes: "ABCefgjmMrtTE", flags: "--files --hidden --quiet --no-ignore"},
	"ag":          {also: "ack", is: takesOptions, takes: "ABCGgmp"},
	"diff":        {also: "cmp", is: takesOptions, takes: "CFILUWxX", flags: "--recursive --brief --unified"},
	"less":        {also: "more", is: takesOptions | everyday, takes: "bhjkoOpPtTxyz"},
	"man":         {code: "-P -H --pager --html", is: everyday},
	"sed":         {also: "ssed", is: takesOptions, rule: scripted("efl", true, inSed), takes: "efl", flags: sedFlags, input: programmed},
	"awk":         {also: "gawk mawk nawk original-awk", rule: splitBy(inAwk), input: programmed},
	"jq":          {also: "gojq jaq", is: quiet, rule: filtered("L", ""), reads: "-f --from-file"},
	"yq":          {is: quiet, rule: filtered("opIs", "e eval ea eval-all"), reads: "-s --split-exp --expression --from-file"},
	"m4":          {rule: never(runsTwice, fixEnv), is: everyday | fed},
	"ed":          {rule: never(runsTwice, fixEnv), is: everyday | fed},
	"ex":          {rule: never(runsTwice, fixEnv), is: everyday | fed},
	"vi":          {also: "view gview rview", rule: never(runsTwice, fixEnv), is: everyday, input: has("-s -es -se -")},
	"vim":         {also: "nvim gvim vimdiff gvimdiff rvim", rule: never(runsTwice, fixEnv), is: everyday, input: has("-s -es -Es -")},
	"emacsclient": {reads: "-e --eval"},
	"pandoc":      {code: "-F -L --filter --lua-filter --pdf-engine"},
	"gnuplot":     {code: "-e", is: fed},
	"rename":      {also: "prename file-rename perl-rename", is: takesOptions | everyday, rule: scripted("eE", false, again(asProgram, "rename in a loop: for f in …; do mv -- \"$f\" …; done"))},
	"pee":         {also: "mispipe", rule: again(runsTwice, fixData)},
	"gs":          {reads: "-c", code: "-sOutputFile"},
	"sox":         {rule: plainFiles},
}
