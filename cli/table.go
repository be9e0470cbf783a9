package cli

import (
	"slices"
	"strings"

	"stroem/control"
)

// column is a column of a table.
type column struct {
	head  string
	least int // it may be cut down to this; 0: never
	right bool
	// paint colours a cell after it has its width; nil: it stays plain.
	paint func(p paint, cell string) string
}

// gap stands between two columns.
const gap = "  "

// table writes rows under their heads, without columns in which nothing
// stands. On a terminal it fits the width: the widest columns that may be cut
// give way first. Elsewhere nothing is cut.
func (e *env) table(cols []column, rows [][]string) {
	cols, rows = filled(cols, rows)
	widths := make([]int, len(cols))
	for i, c := range cols {
		widths[i] = width(c.head)
	}
	for _, row := range rows {
		for i := range row {
			row[i] = strings.ReplaceAll(control.CleanLine(row[i]), "\t", " ")
			widths[i] = max(widths[i], width(row[i]))
		}
	}
	t := e.terminal()
	p := paint(false)
	if t != nil {
		p = t.paint
		cols, widths, rows = narrowed(cols, widths, rows, t.width)
		fit(cols, widths, t.width)
	}
	heads := make([]string, len(cols))
	for i, c := range cols {
		heads[i] = c.head
	}
	e.println(line(cols, widths, heads, func(_ int, cell string) string { return p.faint(cell) }))
	for _, row := range rows {
		e.println(line(cols, widths, row, func(i int, cell string) string {
			if cols[i].paint == nil {
				return cell
			}
			return cols[i].paint(p, cell)
		}))
	}
}

// filled leaves out the columns in which no row has anything.
func filled(cols []column, rows [][]string) (kept []column, out [][]string) {
	out = make([][]string, len(rows))
	for i, c := range cols {
		if !slices.ContainsFunc(rows, func(row []string) bool { return row[i] != "" }) {
			continue
		}
		kept = append(kept, c)
		for r := range rows {
			out[r] = append(out[r], rows[r][i])
		}
	}
	return kept, out
}

// line is one row, its cells cut and padded to their widths.
func line(cols []column, widths []int, cells []string, painted func(i int, cell string) string) string {
	parts := make([]string, len(cells))
	for i, cell := range cells {
		cell = cut(cell, widths[i])
		switch {
		case cols[i].right:
			cell = padLeft(cell, widths[i])
		case i < len(cells)-1:
			cell = pad(cell, widths[i])
		}
		parts[i] = painted(i, cell)
	}
	return strings.TrimRight(strings.Join(parts, gap), " ")
}

// spared are the columns that a narrow terminal can do without, the first to
// go first.
var spared = []string{"REVISION", "WORKSPACE", "TOOK", "CREATED", "DESCRIPTION"}

// narrowed leaves out spared columns until the rest can be made to fit: rows
// that wrap cannot be read as a table. The first column stays, it names the row.
func narrowed(cols []column, widths []int, rows [][]string, most int) ([]column, []int, [][]string) {
	for _, head := range spared {
		if leastWidth(cols, widths) <= most {
			break
		}
		i := slices.IndexFunc(cols, func(c column) bool { return c.head == head })
		if i <= 0 {
			continue
		}
		cols, widths = slices.Delete(cols, i, i+1), slices.Delete(widths, i, i+1)
		for r := range rows {
			rows[r] = slices.Delete(rows[r], i, i+1)
		}
	}
	return cols, widths, rows
}

// leastWidth is how wide a row is when every cell is cut as far as it may be.
func leastWidth(cols []column, widths []int) int {
	total := len(gap) * (len(cols) - 1)
	for i, c := range cols {
		if c.least > 0 {
			total += min(c.least, widths[i])
		} else {
			total += widths[i]
		}
	}
	return total
}

// fit takes columns away from the widest that may give some, until the row
// fits.
func fit(cols []column, widths []int, most int) {
	total := len(gap) * (len(cols) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > most; total-- {
		widest := -1
		for i, c := range cols {
			if c.least > 0 && widths[i] > c.least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}
