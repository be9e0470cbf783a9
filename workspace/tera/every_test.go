//go:build !hostile

package tera_test

// every says that each place gets every second hostile value; all of them with
// go test -tags hostile.
const (
	every  = 2
	rounds = 5
)
