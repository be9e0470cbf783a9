package tera

import "strings"

// TwoRows are the commands that have more than one row in the table.
func TwoRows() (names []string) {
	seen := map[string]bool{}
	for _, family := range families {
		for name, row := range family {
			for _, n := range append(strings.Fields(row.also), name) {
				if seen[n] {
					names = append(names, n)
				}
				seen[n] = true
			}
		}
	}
	return names
}
