package tera

import "regexp"

var (
	anyPercent = regexp.MustCompile(`%`)
	anyBrace   = regexp.MustCompile(`[{}]`)
	// nodePercent is what the functions of node that take formats fill in.
	nodePercent = regexp.MustCompile(`%([sdifjoOc%]|$)`)
	// halfFormat is the beginning of what is filled in, over the quotes of literals
	// that are put together.
	halfFormat = map[*regexp.Regexp]*regexp.Regexp{
		anyPercent: regexp.MustCompile(`%([^a-zA-Z%]*|\([^)]*)$`), nodePercent: regexp.MustCompile(`%[^a-zA-Z%]*$`), anyBrace: regexp.MustCompile(`\{[^{}]*$`),
	}
	goFormat   = regexp.MustCompile(`^[A-Z]\w*f$`)
	goSecond   = regexp.MustCompile(`^(Fprintf|Appendf|Fscanf|Sscanf|InfofContext)$`)
	nodeFormat = regexp.MustCompile(`^(console\.(log|error|warn|info|debug|trace|group)|(util\.)?format)$`)
	logFormat  = regexp.MustCompile(`(?i)^(\w*log|logger|logging)\.(debug|info|warning|warn|error|critical|exception)$`)
)

// format is for values that the program reads as a part of a format, from where
// an operand began up to the value number end: they may hold nothing that is
// filled in, nor finish what a text before them begins.
func (c *coder) format(from operandAt, end int, spoils *regexp.Regexp) {
	for i := from.spot; i < end; i++ {
		sp := &c.spots[i]
		at, known := c.s.places[i].at, sp.spoils == spoils
		sp.spoils = spoils
		switch {
		case known:
			return // all of them are
		case sp.what != "" || sp.kind == inNote:
		case at > from.at && halfFormat[spoils].MatchString(c.src[max(from.at, at-64):at]):
			sp.what, sp.fix = "the value would become a part of what the format fills in", fixFormat
		}
	}
}

const fixFormat = "hand the value over as what is filled in: \"%s\" % {{ … }}"

// formatted is for the values in the format of a function that takes one.
func (c *coder) formatted(b bracket) {
	if b.sign != '(' || b.callee == "" {
		return
	}
	at, most := 0, len(b.elements)
	spoils := anyPercent
	switch {
	case c.lang == Go && goFormat.MatchString(last(b.callee)):
		if goSecond.MatchString(last(b.callee)) {
			at = 1
		}
		most++ // go reads a format with nothing to fill in as well
	case c.lang.ecma() && nodeFormat.MatchString(b.callee):
		spoils = nodePercent
	case c.lang == Python && b.callee == "str.format":
		spoils = anyBrace
	case c.lang == Python && logFormat.MatchString(b.callee):
	default:
		return
	}
	if at+1 >= most {
		return
	}
	end := len(c.spots)
	if at+1 < len(b.elements) {
		end = b.elements[at+1].spot
	}
	c.format(b.elements[at], end, spoils)
}
