package mcpsrv

import (
	"context"
	"fmt"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"stroem/control"
	"stroem/store"
)

// maxWait is the longest that a call waits for a job, in seconds: hosts give a
// call up after about a minute.
const maxWait = 50

func waitArg() mcp.ToolOption {
	return mcp.WithInteger("wait_seconds", mcp.Min(0), mcp.Max(maxWait), mcp.DefaultNumber(0),
		mcp.Description("Answer only when the job has ended or waits for a person, or after so many seconds"))
}

// waitArgs are the arguments of a tool that may wait for a job.
type waitArgs struct {
	Wait     int `json:"wait_seconds"`
	progress progress
}

// progress tells the caller of a tool how far it is. It does nothing for those
// who did not ask to be told.
type progress func(done float64, total int, text string)

func (w *waitArgs) report(p progress) { w.progress = p }

// reporter is what a tool's arguments are if the tool tells of its progress.
type reporter interface{ report(progress) }

func (w waitArgs) check() error {
	if w.Wait < 0 || w.Wait > maxWait {
		return &control.Error{Code: control.Invalid, Msg: fmt.Sprintf("wait_seconds is a number from 0 to %d", maxWait)}
	}
	return nil
}

// notifying gives the arguments a way to tell of progress, if they want one
// and the caller does. flush must be called before the tool answers.
func notifying(ctx context.Context, s *server.MCPServer, req *mcp.CallToolRequest, args any) (flush func()) {
	r, ok := args.(reporter)
	if !ok {
		return func() {}
	}
	if req.Params.Meta == nil || req.Params.Meta.ProgressToken == nil {
		r.report(func(float64, int, string) {})
		return func() {}
	}
	sent := false
	r.report(func(done float64, total int, text string) {
		sent = true
		// Nothing depends on its being seen.
		_ = s.SendNotificationToClient(ctx, "notifications/progress", map[string]any{
			"progressToken": req.Params.Meta.ProgressToken, "progress": done, "total": total, "message": text,
		})
	})
	return func() {
		if sent { // mcp-go#969: what is sent just before the answer gets lost
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// await is the job once it has ended or waits for a person, or as it stands
// when the time is up.
func (t tools) await(ctx context.Context, id string, w waitArgs) (control.Job, error) {
	if err := w.check(); err != nil {
		return control.Job{}, err
	}
	told := -1.0
	return t.plane.Await(ctx, id, time.Duration(w.Wait)*time.Second, func(job *control.Job) {
		done, text := stage(job)
		if done > told && !job.Status.Ended() { // progress must grow with each message
			told = done
			w.progress(done, len(job.Steps), text)
		}
	})
}

// stage says how many steps are behind the job, half a step for one that it is
// at, and which that is.
func stage(job *control.Job) (done float64, text string) {
	ended, at := 0, ""
	for i := range job.Steps {
		switch s := &job.Steps[i]; {
		case s.Status.Ended():
			ended++
		case at == "" && (s.Status == store.Running || s.Status == store.Suspended):
			at = fmt.Sprintf(": %s %s", s.Name, s.Status)
		}
	}
	if done = float64(ended); at != "" {
		done += 0.5
	}
	return done, fmt.Sprintf("step %d of %d%s", min(ended+1, len(job.Steps)), len(job.Steps), at)
}

// waited is what a caller is told whose time was up, "" if the job has ended.
func waited(job *control.Job, w waitArgs) string {
	if w.Wait == 0 || job.Status.Ended() || control.Waiting(job) {
		return ""
	}
	return fmt.Sprintf("still %s after %d seconds; get_job_status(job_id:%q, wait_seconds:%d) goes on waiting", job.Status, w.Wait, job.ID, maxWait)
}
