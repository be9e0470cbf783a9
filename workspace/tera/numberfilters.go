package tera

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"math/bits"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

func pluralize(a *arguing, in any) any {
	n, ok := numberOf(in)
	if !ok {
		return a.fail("pluralize takes a number, and this is "+typeName(in), "")
	}
	if math.Abs(n.float()) == 1 {
		return a.text(0, "")
	}
	return a.text(1, "s")
}

func round(a *arguing, in any) any {
	n, ok := numberOf(in)
	method, precision := a.text(0, "common"), a.int(1, 0)
	if !ok {
		return a.fail("round takes a number, and this is "+typeName(in), "make one of it: … | float")
	}
	how, known := map[string]func(float64) float64{"common": math.Round, "ceil": math.Ceil, "floor": math.Floor}[method]
	switch {
	case !known:
		return a.fail("round has no method "+clip(method), `write "common", "ceil" or "floor"`)
	case precision < 0 || precision > 15:
		return a.fail("the argument precision of round is from 0 to 15", "")
	case n.isInt:
		return in
	}
	scale := math.Pow10(int(precision))
	if v := how(n.f*scale) / scale; !math.IsInf(v, 0) {
		return v
	}
	return in
}

func absolute(a *arguing, in any) any {
	n, ok := numberOf(in)
	switch {
	case !ok:
		return a.fail("abs takes a number, and this is "+typeName(in), "")
	case !n.isInt:
		return math.Abs(n.f)
	case n.big != 0 || n.i >= 0:
		return in
	case n.i == math.MinInt64:
		return uint64(1) << 63
	}
	return -n.i
}

// fileSize writes a number of bytes in units of 1024.
func fileSize(a *arguing, in any) any {
	n, ok := numberOf(in)
	if !ok || n.float() < 0 || !n.isInt && n.f != math.Trunc(n.f) {
		return a.fail("filesizeformat takes a whole number that is not below 0", "")
	}
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB"}
	if a.bool(0) {
		units = []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB"}
	}
	f, i := n.float(), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	places := 2
	if f == math.Trunc(f) {
		places = 0
	}
	return strconv.FormatFloat(f, 'f', places, 64) + " " + units[i]
}

// toInt is int: what is no whole number becomes one, or the default.
func toInt(a *arguing, in any) any {
	base := a.int(1, 10)
	var otherwise any = int64(0)
	if a.has(0) {
		otherwise = a.given[0]
	}
	if base < 2 || base > 36 {
		return a.fail("the argument base of int is from 2 to 36", "")
	}
	if s, ok := in.(string); ok {
		s = strings.TrimSpace(s)
		prefix := map[int64]string{2: "0b", 8: "0o", 16: "0x"}[base]
		if prefix != "" {
			sign := ""
			if strings.HasPrefix(s, "-") {
				sign, s = "-", s[1:]
			}
			s = sign + strings.TrimPrefix(strings.TrimPrefix(s, prefix), strings.ToUpper(prefix))
		}
		if len(s) > 100 {
			return otherwise
		}
		if n, err := strconv.ParseInt(s, int(base), 64); err == nil {
			return n
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || base != 10 || !strings.Contains(s, ".") {
			return otherwise
		}
		in = f
	}
	n, ok := numberOf(in)
	switch {
	case !ok && isNumber(in):
		return otherwise
	case !ok:
		return a.fail("int takes a text or a number, and this is "+typeName(in), "")
	case n.isInt:
		return in
	case math.Abs(n.f) >= 1<<63:
		return otherwise
	}
	return int64(n.f)
}

func toFloat(a *arguing, in any) any {
	var otherwise any = 0.0
	if a.has(0) {
		otherwise = a.given[0]
	}
	if s, ok := in.(string); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return otherwise
		}
		return f
	}
	n, ok := numberOf(in)
	if !ok {
		return a.fail("float takes a text or a number, and this is "+typeName(in), "")
	}
	return n.float()
}

// anyBelow picks a number below n.
func anyBelow(n uint64) uint64 {
	var raw [8]byte
	_, _ = rand.Read(raw[:]) // never fails: it ends the process first
	hi, _ := bits.Mul64(binary.LittleEndian.Uint64(raw[:]), n)
	return hi
}

// pattern is a regular expression and how large its program is.
type pattern struct {
	re   *regexp.Regexp
	size int
}

// weigh reads a regular expression, unless its repetitions make it too large.
func weigh(s string) (size int, what string) {
	if len(s) > maxPattern {
		return 0, "the regular expression is too long"
	}
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return 0, "the regular expression is wrong: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	if size = sizeOf(tree); size > maxPattern {
		return 0, "the regular expression is too large with all its repetitions"
	}
	return size, ""
}

// sizeOf counts the parts of a regular expression with its repetitions written
// out, as far as the limit.
func sizeOf(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		n += sizeOf(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(1, re.Min, re.Max)
	}
	return min(n, maxPattern+1)
}

func matching(a *arguing, in any) any {
	s, pat := a.string(in), a.text(0, "")
	if a.err != nil {
		return false
	}
	p, ok := a.r.patterns[pat]
	if !ok {
		size, what := weigh(pat)
		if a.cost(1000 * size); what != "" {
			a.fail(what, "mend it; the language is RE2's")
		}
		if a.err != nil {
			return false
		}
		re, err := regexp.Compile(pat)
		if err != nil {
			a.fail("the regular expression is wrong: "+clip(err.Error()), "mend it; the language is RE2's")
			return false
		}
		p = &pattern{re, size}
		if a.r.patterns == nil {
			a.r.patterns = map[string]*pattern{}
		}
		a.r.patterns[pat] = p
	}
	if a.cost(4 * len(s) * p.size); a.err != nil {
		return false
	}
	return p.re.MatchString(s)
}
