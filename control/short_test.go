//go:build !campaign

package control_test

const campaign = false
