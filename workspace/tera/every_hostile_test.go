//go:build hostile

package tera_test

const (
	every  = 1
	rounds = 150
)
