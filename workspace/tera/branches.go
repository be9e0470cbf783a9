package tera

// cover finds ways through a template that see every branch of it: each branch of
// an if, and each loop's body once and not at all. Conditions that are written
// alike are taken alike, for a script may well open something in one if and close
// it in the next.
type cover struct {
	t       *Template
	global  int            // which branch is taken where nothing else is said
	forced  map[int]int    // a choice by its number
	alike   map[string]int // a choice by its condition
	jumps   bool           // whether break and continue are followed
	taken   map[turn]bool  // what this way has seen
	pieces  []segment
	written int
	fine    map[turn]bool // what a way has seen that the shell's parser accepts
}

// turn is one branch of one choice.
type turn struct{ id, branch int }

// way is one way to render a script.
type way struct {
	pieces []segment
	taken  map[turn]bool
}

// walk renders the template with marks for values, by the choices that are set.
func (c *cover) walk() way {
	c.taken, c.pieces, c.alike = map[turn]bool{}, nil, map[string]int{}
	c.stmts(c.t.nodes)
	return way{pieces: c.pieces, taken: c.taken}
}

func (c *cover) stmts(list []stmt) signal {
	for _, n := range list {
		if len(c.pieces) > maxNodes {
			return onward
		}
		how := onward
		switch n := n.(type) {
		case *text:
			c.pieces = append(c.pieces, segment{at: n.at, text: n.s})
			c.written += len(n.s)
		case *output:
			if n.raw { // something that may stand where a word may
				c.pieces = append(c.pieces, segment{at: n.x.where().at, text: "raw", raw: true})
				continue
			}
			c.pieces = append(c.pieces, segment{at: n.x.where().at, out: n})
		case *section:
			c.pieces = append(c.pieces, segment{at: n.out.x.where().at, out: n.out})
		case *choose:
			how = c.stmts(n.branches[c.choose(n.id, n.key, len(n.branches))].body)
		case *each:
			if c.choose(n.id, n.key, 2) == 0 {
				c.stmts(n.body)
			} else {
				how = c.stmts(n.none)
			}
		case *jump:
			if c.jumps {
				return n.how
			}
		}
		if how != onward {
			return how
		}
	}
	return onward
}

// choose takes a branch of n.
func (c *cover) choose(id int, key string, n int) int {
	b, ok := c.forced[id]
	if !ok {
		if b, ok = c.alike[key]; !ok || b >= n {
			b = min(c.global, n-1)
		}
	}
	c.alike[key] = b
	c.taken[turn{id, b}] = true
	return b
}

// branchTo is a branch and those in which it stands.
type branchTo struct {
	turn
	above []turn
}

// turns lists every branch of a template, from the outside in.
func turns(list []stmt, above []turn, out []branchTo) []branchTo {
	for _, n := range list {
		switch n := n.(type) {
		case *choose:
			for i, b := range n.branches {
				t := turn{n.id, i}
				out = append(out, branchTo{t, above})
				out = turns(b.body, append(above[:len(above):len(above)], t), out)
			}
		case *each:
			once, none := turn{n.id, 0}, turn{n.id, 1}
			out = append(out, branchTo{once, above}, branchTo{none, above})
			out = turns(n.body, append(above[:len(above):len(above)], once), out)
			out = turns(n.none, append(above[:len(above):len(above)], none), out)
		}
	}
	return out
}

// ways calls visit with ways through the template until every branch was on one
// that visit accepts, or there were too many. The last argument of visit says
// that a branch is on no other way.
func (t *Template) ways(visit func(w way, last bool) (fine bool)) {
	all := turns(t.nodes, nil, nil)
	c := &cover{t: t, jumps: true, fine: map[turn]bool{}}
	most := 0
	for _, b := range all {
		most = max(most, b.branch)
	}
	n := 0
	try := func(last bool) {
		n++
		w := c.walk()
		if visit(w, last) {
			for b := range w.taken {
				c.fine[b] = true
			}
		}
	}
	for c.global = 0; c.global <= min(most, 8) && c.written < maxLooked; c.global++ {
		try(len(all) == 0)
	}
	c.jumps = false
	for _, b := range all {
		// A first try goes on as the first way did, a second as the second.
		for c.global = range 2 {
			if c.fine[b.turn] || n >= maxBranches || c.written >= maxLooked {
				break
			}
			c.forced = map[int]int{b.id: b.branch}
			for _, a := range b.above {
				c.forced[a.id] = a.branch
			}
			try(c.global == 1)
		}
	}
}
