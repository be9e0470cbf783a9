package tera

import "fmt"

// What a template may ask for. Whoever writes one can neither keep the server
// busy nor fill its memory: these keep a rendering to about a tenth of a second
// and 64 MiB. Nesting is bounded because a stack that is exhausted ends the
// process. Work is counted, not timed, so that a template which once came through
// always does.
const (
	maxNesting  = 100       // blocks in blocks, and parentheses in parentheses
	maxLinks    = 500       // operators and filters in one tag
	maxNodes    = 50_000    // texts, tags and parts of expressions in a template
	maxSteps    = 500_000   // parts of expressions that a rendering works out
	maxLoops    = 100_000   // turns of all its loops together
	maxCalls    = 50        // macros inside macros
	maxItems    = 100_000   // items of a list that a template makes
	maxText     = 2 << 20   // bytes of a text that a template makes
	maxOutput   = 8 << 20   // bytes of what comes out
	maxMade     = 16 << 20  // bytes of all that it makes on the way
	maxDeep     = 1000      // lists in lists
	maxPattern  = 2000      // size of a regular expression, its repetitions counted out
	maxPlaces   = 2000      // values in one script
	maxInWord   = 500       // values in one word of it, each of which looks at those before it
	maxQuotes   = 40_000    // single quotes in them, each of which is a word of its own to parse
	maxBranches = 64        // ways through a script that are looked at at load
	maxLooked   = 256 << 10 // bytes of script they may come to
)

const fixLess = "do it in a script, where there is no such limit"

// item is what an item of a list or of an object counts for in bytes.
const item = 16

// step counts work; what is not empty when there was too much.
func (r *run) step(n int) (what string) {
	if r.steps += n; r.steps > maxSteps {
		return "the template takes too long"
	}
	return ""
}

// make counts bytes that a template makes.
func (r *run) make(n int) (what string) {
	if n < 0 || n > maxText {
		return fmt.Sprintf("a template cannot make a text or a list of more than %d MiB", maxText>>20)
	}
	if r.made += n; r.made > maxMade {
		return fmt.Sprintf("a template cannot make more than %d MiB on its way", maxMade>>20)
	}
	return ""
}

// measure refuses what is too large to be handed on. A list that holds one list
// twice, and that another, grows with every step of that, but only when it is
// written out.
func (r *run) measure(v any) (what string) {
	p := printer{r: r, left: maxText}
	p.json(v, "", 0)
	return p.what
}
