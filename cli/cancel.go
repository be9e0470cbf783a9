package cli

import "fmt"

type cancelCmd struct {
	Job string `arg:"" help:"Job, by its id or how that begins."`
}

// Help shows how the command is used.
func (cancelCmd) Help() string {
	return "Its steps get TERM, and KILL ten seconds later, with every process they started. A job that has ended already is left alone: exit 1.\n\n" +
		shown("stroem cancel 01936f2a-7c41")
}

func (c *cancelCmd) Run(e *env) error {
	server, id, err := e.ofJob(c.Job)
	if err != nil {
		return err
	}
	var answer struct {
		Status string `json:"status"`
	}
	if err := server.post(e.ctx, api("jobs", id, "cancel"), struct{}{}, &answer); err != nil {
		return err
	}
	if e.json {
		return e.printJSON(answer)
	}
	fmt.Fprintf(e.stdout, "Job %s is cancelled.\n", id)
	return nil
}
