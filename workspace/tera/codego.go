package tera

// golang reads what begins a comment or a literal of text in Go.
func (c *coder) golang() bool {
	switch ch := c.src[c.at]; {
	case c.sees("//"):
		c.note(2)
	case c.sees("/*"):
		c.block()
	case ch == '"':
		c.literal('"', inText)
	case ch == '`':
		c.literal('`', inRaw)
	case ch == '\'':
		c.literal('\'', inRune)
	default:
		return false
	}
	return true
}
