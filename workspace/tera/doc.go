// Package tera renders the templates of a workspace, and quotes what they write
// into a shell script so that a value is always data and never code.
//
// The language is version 1 of Tera's (https://keats.github.io/tera/docs/):
// expressions, filters, tests and functions, if, for, set, set_global, raw,
// filter, macros called as self::name(…), comments and the whitespace marks.
// It differs in this, on purpose:
//
//   - ${# is text, because shell scripts write the length of a variable so.
//   - include, import, extends, block and super() are refused: a template reads
//     no other file, and macros are defined in the template that calls them.
//   - __tera_context is refused: it would print everything, secrets among it.
//   - Nothing is escaped for HTML unless a filter says so; safe is accepted and
//     changes nothing.
//   - raw, which writes a value into a shell script as it is, stands last in an
//     expression. See [Template.Raws] and [Options.ForbidRaw].
//   - get_env knows only what [Options.Env] lets it know, and nothing without it.
//   - A missing variable is an error, except under default, is defined and is
//     undefined, and in a condition, where it is false. A condition whose filter
//     fails for another reason is an error as well.
//   - A division by zero, an integer that does not fit and an argument that a
//     filter or a function does not know are errors, never NaN and never ignored.
//   - slugify knows the letters of Europe; other scripts are left out of a slug.
//     truncate counts what is seen as one character by marks and joiners alone.
//   - matching reads RE2, so that no pattern can take longer than its text.
//   - Every rendering is bounded, see the constants in limits.go.
//
// Beyond Tera, indent also takes a width, operators and tests may follow a filter
// with the precedence they have elsewhere, self:: calls a macro of the template
// itself from anywhere, and a whole float counts as the integer it is.
//
// In a shell script every text that an expression, a filter section or a macro
// writes is one value: what it holds is quoted for its place, and no part of it
// is read as code, whoever wrote it, unless raw asks for that. In python,
// javascript, typescript and go it is a literal, or a part of one.
//
// # How a shell script is rendered
//
// [Template.Shell] writes the template with a word of letters for each value
// (mark.go), parses that as every shell does that may run it (shell.go), and looks
// from each mark up the syntax tree: at what stands around it (place.go, and
// heredoc.go, fallback.go, arithmetic.go, environment.go for what has rules of its
// own), at the command that it is an argument of (command.go), and at what becomes
// of it when it is printed (printed.go, output.go). What was kept in variables,
// files and functions is followed to where it is read as code (flow.go) or printed
// (retold.go, outputflow.go). Then the value is quoted (quote.go), the script is
// parsed again, and both trees must be the same but for the values (verify.go).
// What the parser and the shells read differently refuses the whole script
// (ambiguous.go). branches.go finds the branches that [Template.CheckShell] looks at.
//
// # Where to look
//
//   - The language: lex.go, parse*.go, node.go, resolve.go, run.go, eval.go, value.go,
//     number.go, compare.go, print.go; the filters and functions in filters.go and
//     *filters.go; limits.go.
//   - Words and arguments as a shell reads them: word.go, argument.go.
//   - Commands: one table, a row for each, in toolshell.go, toolfile.go,
//     toollanguage.go and toolhost.go; its columns in tools.go; rulings.go,
//     builtins.go, interpreter.go and git.go for what does not fit in a row; wrapper.go for
//     commands that run others, inside.go for those that do so elsewhere, stdin.go
//     for those that run what they read, naming.go for commands that the script has
//     given names to, guessed.go for commands of which nothing is known; warn.go.
//   - Where values flow: flow.go is the map, flowfacts.go what must be known first,
//     flowmoves.go what goes where, flowreads.go, flowcommands.go and flownumbers.go
//     what is read as code, flowsays.go what is said of it, guard.go what the script
//     sees to itself, envread.go what it reads of its environment.
//   - Other languages: code.go, codelex.go and a file for each language; codecalls.go,
//     codeprogram.go, codeformat.go and codeoutput.go for what calls do with a value,
//     codeflow.go for the names that one gets into, codestart.go and codefeed.go for the
//     programs that are started, codeevaluate.go for calls that read code;
//     codeliteral.go writes it.
package tera
