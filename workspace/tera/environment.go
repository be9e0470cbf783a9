package tera

import (
	"slices"
	"strings"
)

// special refuses the variables whose value the shell, the linker or a tool of
// every day runs.
func special(name string) (what, fix string) {
	if !ownVariables[name] && !Decides(name) {
		return "", ""
	}
	return "a value cannot be assigned to " + name + ", which decides what runs", "set it to something fixed"
}

// Decides reports whether a variable of the environment decides what shells, the
// linker, interpreters or tools of every day run.
func Decides(name string) bool {
	return deciders[name] || slices.ContainsFunc(decidersBegin, func(begin string) bool { return strings.HasPrefix(name, begin) }) ||
		slices.ContainsFunc(decidersEnd, func(end string) bool { return strings.HasSuffix(name, end) })
}

// decisive reports whether a variable decides what the script or a program that
// it starts runs, or how; a value may not choose its name.
func decisive(name string) bool {
	what, _ := special(name)
	return what != "" || listed("IFS HOME TMPDIR", name) ||
		slices.ContainsFunc(unchosenBegin, func(begin string) bool { return strings.HasPrefix(name, begin) })
}

// unchosenBegin are how the names begin that belong to the server and to programs.
var unchosenBegin = []string{"STROEM_", "BASH", "GIT_", "SSH_", "PYTHON", "NODE_", "PERL", "RUBY", "JAVA_"}

// ownVariables are the shell's own variables: what it runs, computes or reads as a
// number, or gives a meaning of its own.
var ownVariables = wordsOf("ENV PS0 PS1 PS2 PS3 HISTFILE HISTSIZE HISTFILESIZE HISTCONTROL HISTCMD FCEDIT POSIXLY_CORRECT TMOUT RANDOM SRANDOM SECONDS " +
	"OPTIND OPTARG LINENO EPOCHSECONDS EPOCHREALTIME UID EUID PPID GROUPS DIRSTACK FUNCNAME FUNCNEST REPLY MAPFILE COPROC PIPESTATUS BASHPID " +
	"BASH_ARGV0 BASH_COMPAT BASH_XTRACEFD BASH_SUBSHELL BASH_CMDS BASH_ALIASES COMP_CWORD COMP_POINT COMP_KEY COMP_TYPE COMPREPLY READLINE_LINE " +
	"READLINE_POINT READLINE_MARK GLOBIGNORE EXECIGNORE MAIL MAILPATH MAILCHECK CDPATH")

// Families of variables that name a program or code.
var (
	decidersBegin = []string{"LD_", "DYLD_", "BASH_FUNC_", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"}
	decidersEnd   = []string{"_PAGER", "EDITOR", "_RSH", "_PASSCOMMAND", "_PASSWORD_COMMAND", "_ASKPASS"}
)

// deciders are, family by family, the others.
var deciders = wordsOf(
	// shells
	"PATH BASH_ENV PS4 PROMPT_COMMAND SHELLOPTS BASHOPTS BASH_LOADABLES_PATH SHELL ZDOTDIR",
	// pagers, editors and browsers
	"PAGER MANPAGER VISUAL BROWSER LESSOPEN LESSCLOSE LESSKEYIN_CONTENT VIMINIT EXINIT FZF_DEFAULT_COMMAND",
	// python
	"PYTHONSTARTUP PYTHONHOME PYTHONPATH PYTHONINSPECT PYTHONBREAKPOINT PYTHONUSERBASE PYTHONEXECUTABLE PYTHONWARNINGS CLOUDSDK_PYTHON",
	// javascript
	"NODE_OPTIONS NODE_PATH DENO_DIR BUN_OPTIONS npm_config_script_shell NPM_CONFIG_SCRIPT_SHELL npm_config_node_options NPM_CONFIG_NODE_OPTIONS",
	// perl, ruby, lua, php, R and erlang
	"PERL5OPT PERL5LIB PERL5DB PERL5SHELL RUBYOPT RUBYLIB LUA_INIT LUA_PATH LUA_CPATH",
	"PHPRC PHP_INI_SCAN_DIR R_PROFILE R_PROFILE_USER ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS",
	// java and .NET
	"JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS JAVA_OPTS CLASSPATH MAVEN_OPTS GRADLE_OPTS DOTNET_STARTUP_HOOKS",
	// compilers and make
	"CC CXX CGO_CFLAGS CGO_CPPFLAGS CGO_CXXFLAGS CGO_LDFLAGS MAKEFLAGS GNUMAKEFLAGS MAKEFILES",
	"GOFLAGS GOENV GOROOT GOTOOLDIR GOTOOLCHAIN RUSTC RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER",
	// git and its like
	"GIT_SSH GIT_SSH_COMMAND GIT_EXTERNAL_DIFF GIT_EXEC_PATH GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM",
	"GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_PROXY_COMMAND GIT_TEMPLATE_DIR SVN_SSH",
	// fetching, packing and copying
	"TAR_OPTIONS ZIPOPT RSYNC_CONNECT_PROG WGETRC CURL_HOME PSQLRC",
	// libraries
	"GCONV_PATH OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES AWKLIBPATH",
)

// configures are the variables that name a file which decides what tools run: a person
// may choose one, and an agent no more than a plain name in its path.
var configures = wordsOf("KUBECONFIG AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE ANSIBLE_CONFIG RIPGREP_CONFIG_PATH UV_PYTHON UV_CONFIG_FILE DOCKER_CONFIG " +
	"GNUPGHOME CARGO_HOME RUSTUP_HOME GOPATH HELM_PLUGINS HELM_CONFIG_HOME TF_CLI_CONFIG_FILE NETRC PIP_CONFIG_FILE NPM_CONFIG_USERCONFIG " +
	"npm_config_userconfig CLOUDSDK_CONFIG XDG_CONFIG_HOME RESTIC_REPOSITORY_FILE BORG_CONFIG_DIR")

// wordsOf is the set of the words in the lists.
func wordsOf(lists ...string) map[string]bool {
	set := map[string]bool{}
	for _, list := range lists {
		for word := range strings.FieldsSeq(list) {
			set[word] = true
		}
	}
	return set
}
