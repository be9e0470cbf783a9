package control

import "fmt"

// maxValues bounds how many values a JSON document of a caller holds. One of
// two bytes takes some hundreds of memory once it is read, so that 4 MiB of them
// would take a GiB.
const maxValues = 100_000

// CheckValues refuses a document of too many values before it is read.
func CheckValues(doc []byte) error {
	if values(doc) > maxValues {
		return &Error{Code: Invalid, Msg: fmt.Sprintf("JSON may hold at most %d values here; hand on longer lists as a text", maxValues)}
	}
	return nil
}

// values counts the values of a JSON document, with one more for each list and
// object.
func values(doc []byte) (n int) {
	quoted := false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '[' || c == '{'):
			n++
		}
	}
	return n + 1
}
