package cli_test

import "testing"

func mkfifo(t testing.TB, _ string) {
	t.Helper()
	t.Skip("there are no named pipes in folders here")
}
