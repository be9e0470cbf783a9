package web_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"stroem/store"
	"stroem/web"
)

// A request waits as long as a busy disk makes it: no time limit for the
// reading of its body, which is over, ends it.
func TestSlowStoreIsWaitedFor(t *testing.T) {
	t.Parallel()
	var st *store.Store
	srv := site(t, func(cfg *web.Config) { st = cfg.Plane.Store })
	busy, held := make(chan struct{}), make(chan error, 1)
	go func() {
		held <- st.Update(context.Background(), func(*store.Tx) error {
			close(busy)
			<-time.After(6 * time.Second) // the limits that libraries set are 5
			return nil
		})
	}()
	<-busy
	if res, body := ask(t, srv, http.MethodPost, "/api/workspaces/w/tasks/waits/execute", "", nil); res.StatusCode != http.StatusOK {
		t.Errorf("execute: %d %s", res.StatusCode, body)
	}
	if res, body := ask(t, srv, http.MethodGet, "/api/jobs", "", nil); res.StatusCode != http.StatusOK {
		t.Errorf("a list on the same connection: %d %s", res.StatusCode, body)
	}
	if err := <-held; err != nil {
		t.Error(err)
	}
}
