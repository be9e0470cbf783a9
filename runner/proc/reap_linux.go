package proc

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// orphanFor is how long a child of ours is dead before it is taken for one that
// nobody waits for. Our own are waited for as soon as they end.
const orphanFor = 10 * time.Second

// ReapOrphans does what process 1 of a container has to do, if that is what we
// are: what steps leave running is handed to it, and would stay a zombie when it
// ends. It returns when ctx ends.
func ReapOrphans(ctx context.Context) { reapOrphans(ctx, orphanFor) }

func reapOrphans(ctx context.Context, after time.Duration) {
	if os.Getpid() != 1 {
		return
	}
	tick := time.NewTicker(after)
	defer tick.Stop()
	for before := map[int]uint64{}; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		dead := deadChildren()
		for pid, start := range dead {
			if before[pid] == start { // for as long as that, at the least
				_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
				delete(dead, pid)
			}
		}
		before = dead
	}
}

// deadChildren gives our children that wait to be reaped, with their start.
func deadChildren() map[int]uint64 {
	dead := map[int]uint64{}
	pids, _ := listPids()
	for _, pid := range pids {
		if m, gone, ok := statOf(pid); ok && gone && m.ppid == os.Getpid() {
			dead[pid] = m.start
		}
	}
	return dead
}
