package cli

type rerunCmd struct {
	Job        string `arg:"" help:"Job, by its id or how that begins."`
	FromFailed bool   `help:"Keep what completed, and run only what failed, was skipped or cancelled."`
	Wait       bool   `help:"Show the run until it has ended, and exit with its outcome."`
}

// Help shows how the command is used.
func (rerunCmd) Help() string {
	return "It is a new job with the steps and the input of the first, whatever its task says by now. A job that has not ended is not run again: exit 1.\n\n" +
		shown("stroem rerun 01936f2a-7c41", "stroem rerun 01936f2a-7c41 --from-failed --wait")
}

func (c *rerunCmd) Run(e *env) error {
	server, err := e.client()
	if err != nil {
		return err
	}
	id, err := server.jobID(e.ctx, c.Job)
	if err != nil {
		return err
	}
	var begun startedJob
	if err := server.post(e.ctx, api("jobs", id, "rerun"), map[string]bool{"from_failed": c.FromFailed}, &begun); err != nil {
		return err
	}
	return begun.show(e, server, c.Wait)
}
