package mcpsrv_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

const talkative = `
tasks:
  both:
    flow:
      s: {type: script, script: 'i=0; while [ $i -lt 500 ]; do echo "line $i"; i=$((i+1)); done; echo over'}
      e: {type: script, script: 'echo oops >&2', depends_on: [s]}
  wide:
    flow:
      s: {type: script, script: 'i=0; while [ $i -lt 300 ]; do printf "%0300d\n" $i; i=$((i+1)); done'}
`

type shownLog struct {
	Lines                 []string
	From, To, Total, Next int64
}

// logs asks for a job's log; more are further arguments.
func (a *agent) logs(id, more string) (shown shownLog, texts []string) {
	a.t.Helper()
	args := fmt.Sprintf(`{"job_id":%q%s}`, id, more)
	res := a.result("get_job_logs", args)
	doc, err := json.Marshal(res.StructuredContent)
	if err != nil || res.IsError || json.Unmarshal(doc, &shown) != nil {
		a.t.Fatalf("get_job_logs %s: %v %v", args, err, res)
	}
	texts, _ = a.call("get_job_logs", args)
	return shown, texts
}

func TestLogLinesAreChosen(t *testing.T) {
	t.Parallel()
	a := connectTo(t, talkative)
	id := a.run("both", `{}`)
	for _, c := range []struct {
		more, first, last string
		lines             int
		note              string
	}{
		{`,"tail":3`, "[s] line 499", "[e] oops", 3, "lines 500–502 of 502; after:0 without tail shows from the first of them on"},
		{`,"after":0,"tail":502`, "[s] line 0", "[e] oops", 502, ""},
		{`,"after":500`, "[s] over", "[e] oops", 2, "lines 501–502 of 502"},
		{`,"stream":"stderr"`, "[e] oops", "[e] oops", 1, ""},
		{`,"grep":"^line 1.$"`, "[s] line 10", "[s] line 19", 10, ""},
		{`,"grep":"line","tail":2`, "[s] line 498", "[s] line 499", 2, "lines 499–500 of 502; after:0"},
		{`,"grep":"line","after":498`, "[s] line 498", "[s] line 499", 2, ""},
	} {
		shown, texts := a.logs(id, c.more)
		if n := len(shown.Lines); n != c.lines || shown.Lines[0] != c.first || shown.Lines[n-1] != c.last {
			t.Errorf("%s: %d lines, %.200q", c.more, n, shown.Lines)
		}
		if texts[0] != strings.Join(shown.Lines, "\n") {
			t.Errorf("%s: text %.100q", c.more, texts[0])
		}
		if note := strings.Join(texts[1:], "|"); !strings.HasPrefix(note, c.note) || c.note == "" && note != "" {
			t.Errorf("%s: note %q", c.more, note)
		}
	}
	if _, texts := a.logs(id, `,"grep":"nowhere"`); texts[0] != "(none of the 502 lines is such a one)" {
		t.Errorf("got %q", texts)
	}
	if _, texts := a.logs(id, `,"after":502`); texts[0] != "(there are 502 lines)" {
		t.Errorf("got %q", texts)
	}
	stamped := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z \[e\] oops$`)
	if shown, _ := a.logs(id, `,"tail":1,"timestamps":true`); !stamped.MatchString(shown.Lines[0]) {
		t.Errorf("got %q", shown.Lines)
	}
	for args, want := range map[string]string{
		`,"grep":"("`:       "is no regular expression",
		`,"stream":"both"`:  `no stream "both"; there are stdout and stderr`,
		`,"tail":0`:         "tail is a number from 1 to 1000",
		`,"after":-1`:       "after is the number of a line, or 0",
		`,"timestamps":"y"`: `argument "timestamps" must be true or false, not string`,
	} {
		if texts, isError := a.call("get_job_logs", fmt.Sprintf(`{"job_id":%q%s}`, id, args)); !isError || !strings.Contains(texts[0], want) {
			t.Errorf("%s: %q", args, texts)
		}
	}
}

// A log that no answer can hold is read to its end by going on, each line once.
func TestALogIsReadInParts(t *testing.T) {
	t.Parallel()
	a := connectTo(t, talkative)
	id := a.run("wide", `{}`)
	shown, texts := a.logs(id, "")
	if len(texts[0]) > 24<<10 || shown.To != 300 || !strings.Contains(texts[1], fmt.Sprintf("lines %d–300 of 300; after:0", shown.From)) {
		t.Errorf("the end: %d bytes, %d–%d, %q", len(texts[0]), shown.From, shown.To, texts[1:])
	}
	read, parts := 0, 0
	for after := int64(0); ; parts++ {
		shown, texts := a.logs(id, fmt.Sprintf(`,"step":"s","after":%d`, after))
		if len(texts[0]) > 24<<10 || shown.From != after+1 {
			t.Fatalf("after %d: %d bytes, %d–%d", after, len(texts[0]), shown.From, shown.To)
		}
		for _, line := range shown.Lines {
			if line != fmt.Sprintf("[s] %0300d", read) {
				t.Fatalf("line %d is %q", read, line)
			}
			read++
		}
		if after = shown.Next; after == 0 {
			break
		}
	}
	if read != 300 || parts != 3 {
		t.Errorf("%d lines in %d further parts", read, parts)
	}
}
