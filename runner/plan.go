package runner

import (
	"sync"

	"stroem/store"
	"stroem/workspace"
	"stroem/workspace/tera"
)

// maxPlans bounds the plans kept in memory.
const maxPlans = 64

// plan is a task as it was when a job was submitted. It never changes.
type plan struct {
	*workspace.Task
	parsed templates
}

// plans keeps decoded plans, and the templates in them once they were parsed.
type plans struct {
	mu   sync.Mutex
	byID map[int64]*plan
}

func (p *plans) get(tx *store.Tx, id int64) (*plan, error) {
	p.mu.Lock()
	kept := p.byID[id]
	p.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	task, err := tx.Plan(id)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept = p.byID[id]; kept != nil { // another step was faster
		return kept, nil
	}
	if p.byID == nil || len(p.byID) >= maxPlans {
		p.byID = map[int64]*plan{}
	}
	kept = &plan{Task: task}
	p.byID[id] = kept
	return kept, nil
}

// Plan is the task of a job as it was when the job was submitted. It is shared,
// and nobody may change it.
func (r *Runner) Plan(tx *store.Tx, id int64) (*workspace.Task, error) {
	p, err := r.plans.get(tx, id)
	if err != nil {
		return nil, err
	}
	return p.Task, nil
}

// templates keeps the parsed templates of a plan by their text. Its zero value is
// empty, and nil keeps nothing.
type templates struct {
	mu     sync.Mutex
	byText map[string]*tera.Template
}

func (p *templates) parse(text string) (*tera.Template, error) {
	if p == nil {
		return tera.Parse(text)
	}
	p.mu.Lock()
	t := p.byText[text]
	p.mu.Unlock()
	if t != nil {
		return t, nil
	}
	t, err := tera.Parse(text)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byText == nil {
		p.byText = map[string]*tera.Template{}
	}
	p.byText[text] = t
	return t, nil
}
