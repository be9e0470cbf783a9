package store

import (
	"strconv"
	"sync"
)

// Topic names something whose changes can be watched.
type Topic string

const (
	// TopicQueue changes when a step becomes ready to run.
	TopicQueue Topic = "queue"
	// TopicTasks changes when a workspace is loaded anew.
	TopicTasks Topic = "tasks"
	// TopicGrowth changes when a job or a piece of a log is added.
	TopicGrowth Topic = "growth"
)

// TopicJob changes with anything of the job of that number: its state, its
// steps, its log.
func TopicJob(seq int64) Topic { return Topic("job:" + strconv.FormatInt(seq, 10)) }

// watchers wakes readers after a commit. A wake-up carries no data: whoever is
// woken reads the store from where it left off, so a slow reader misses
// nothing and holds nobody up.
type watchers struct {
	mu   sync.Mutex
	subs map[Topic]map[chan struct{}]struct{}
}

// Watch returns a channel that receives after each commit that touched the
// topic; wake-ups that were not yet taken are folded into one. stop must be
// called.
func (s *Store) Watch(topic Topic) (wake <-chan struct{}, stop func()) {
	w := &s.watchers
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.subs == nil {
		w.subs = map[Topic]map[chan struct{}]struct{}{}
	}
	if w.subs[topic] == nil {
		w.subs[topic] = map[chan struct{}]struct{}{}
	}
	w.subs[topic][ch] = struct{}{}
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.subs[topic], ch)
		if len(w.subs[topic]) == 0 {
			delete(w.subs, topic)
		}
	}
}

func (w *watchers) wake(topics map[Topic]struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for topic := range topics {
		for ch := range w.subs[topic] {
			select {
			case ch <- struct{}{}:
			default: // a wake-up is already waiting there
			}
		}
	}
}
