package tera

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
)

// num is a number of a template: a whole one, or a float.
type num struct {
	isInt bool
	i     int64
	big   uint64 // a whole number beyond int64, when it is not 0
	f     float64
}

// numberOf reads a value as a number.
func numberOf(v any) (n num, ok bool) {
	switch v := v.(type) {
	case int:
		return num{isInt: true, i: int64(v)}, true
	case int64:
		return num{isInt: true, i: v}, true
	case uint64:
		if v <= math.MaxInt64 {
			return num{isInt: true, i: int64(v)}, true
		}
		return num{isInt: true, big: v}, true
	case float64:
		return num{f: v}, !math.IsInf(v, 0) && !math.IsNaN(v)
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return num{isInt: true, i: i}, true
		}
		if u, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return num{isInt: true, big: u}, true
		}
		f, err := strconv.ParseFloat(string(v), 64)
		return num{f: f}, err == nil
	}
	return num{}, false
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, int64, uint64, float64, json.Number:
		return true
	}
	return false
}

func (n num) float() float64 {
	switch {
	case n.big != 0:
		return float64(n.big)
	case n.isInt:
		return float64(n.i)
	}
	return n.f
}

func (n num) bigInt() *big.Int {
	if n.big != 0 {
		return new(big.Int).SetUint64(n.big)
	}
	return big.NewInt(n.i)
}

// whole64 reads a value as a whole number, a float without a fraction too.
func whole64(v any) (int64, bool) {
	n, ok := numberOf(v)
	switch {
	case !ok || n.big != 0:
		return 0, false
	case n.isInt:
		return n.i, true
	}
	if n.f != math.Trunc(n.f) || math.Abs(n.f) >= 1<<53 {
		return 0, false
	}
	return int64(n.f), true
}

// compute works out a op b. Whole numbers stay whole, except in a division.
func compute(op string, a, b num) (v any, what string) {
	if (op == "/" || op == "%") && b.float() == 0 {
		return nil, "a division by zero"
	}
	if a.isInt && b.isInt && op != "/" {
		x, y := a.bigInt(), b.bigInt()
		switch op {
		case "+":
			x.Add(x, y)
		case "-":
			x.Sub(x, y)
		case "*":
			x.Mul(x, y)
		case "%":
			x.Rem(x, y)
		}
		switch {
		case x.IsInt64():
			return x.Int64(), ""
		case x.IsUint64():
			return x.Uint64(), ""
		}
		return nil, "the result is too large for a whole number"
	}
	x, y := a.float(), b.float()
	switch op {
	case "+":
		x += y
	case "-":
		x -= y
	case "*":
		x *= y
	case "/":
		x /= y
	case "%":
		x = math.Mod(x, y)
	}
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil, "the result is too large for a number"
	}
	return x, ""
}

// compare orders two numbers: below, at or above 0.
func (n num) compare(m num) int {
	if n.isInt && m.isInt {
		return n.bigInt().Cmp(m.bigInt())
	}
	switch a, b := n.float(), m.float(); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (b *operation) eval(r *run) (any, *Error) {
	if err := r.spend(b.span, 1); err != nil {
		return nil, err
	}
	if b.op == "and" || b.op == "or" {
		yes, err := r.truth(b.l)
		if err != nil || yes == (b.op == "or") {
			return yes, err
		}
		return r.truth(b.r)
	}
	x, err := b.l.eval(r)
	if err != nil {
		return nil, err
	}
	y, err := b.r.eval(r)
	if err != nil {
		return nil, err
	}
	switch b.op {
	case "==", "!=":
		same, what := r.same(x, y, 0)
		if what != "" {
			return nil, r.fail(b.span, what, fixLess)
		}
		return same == (b.op == "=="), nil
	case "in":
		return b.contains(r, x, y)
	}
	return b.compute(r, x, y)
}

// compute does arithmetic and orders numbers.
func (b *operation) compute(r *run, x, y any) (any, *Error) {
	n, ok := numberOf(x)
	if !ok {
		return nil, b.noNumber(r, b.l, x)
	}
	m, ok := numberOf(y)
	if !ok {
		return nil, b.noNumber(r, b.r, y)
	}
	switch b.op {
	case "<":
		return n.compare(m) < 0, nil
	case "<=":
		return n.compare(m) <= 0, nil
	case ">":
		return n.compare(m) > 0, nil
	case ">=":
		return n.compare(m) >= 0, nil
	}
	v, what := compute(b.op, n, m)
	if what != "" {
		return nil, r.fail(b.span, what+": "+clip(r.t.src[b.at:b.end]), "")
	}
	return v, nil
}

func (b *operation) noNumber(r *run, x expr, v any) *Error {
	fix := "make a number of it: … | int"
	if _, ok := v.(string); ok && b.op == "+" {
		fix = "join texts by ~, or make a number of it: … | int"
	}
	return r.fail(x.where(), b.op+" is for numbers, and "+clip(r.t.src[x.where().at:x.where().end])+" is "+typeName(v), fix)
}

// contains looks for x in y.
func (b *operation) contains(r *run, x, y any) (any, *Error) {
	found, what := r.holds(y, x)
	if what != "" {
		return nil, r.fail(b.r.where(), "in: "+what, "")
	}
	return found, nil
}
