package mcpsrv

import (
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"

	"stroem/control"
)

// A list shows so many items when no limit is given, and never more.
const (
	listLimit = 20
	maxList   = 100
)

// pageArgs are the arguments of a tool that shows a list in pages.
type pageArgs struct {
	Limit  *int   `json:"limit"`
	Cursor string `json:"cursor"`
}

func pageOptions(noun string) []mcp.ToolOption {
	return []mcp.ToolOption{
		mcp.WithInteger("limit", mcp.Min(1), mcp.Max(maxList), mcp.DefaultNumber(listLimit),
			mcp.Description("How many "+noun+" at most")),
		mcp.WithString("cursor", mcp.Description("The next_cursor of the page before")),
	}
}

// size is how many items the caller wants.
func (p pageArgs) size() (int, error) {
	switch {
	case p.Limit == nil:
		return listLimit, nil
	case *p.Limit < 1 || *p.Limit > maxList:
		return 0, &control.Error{Code: control.Invalid, Msg: fmt.Sprintf("limit is a number from 1 to %d", maxList)}
	}
	return *p.Limit, nil
}

// page is a part of a list: as many items as were asked for and fit into a
// result, and the cursor of what comes behind them, "" at the end.
func page[T any](list []T, limit int, cursor func(T) string) (shown []T, next string) {
	shown = fit(list[:min(limit, len(list))], maxResult-2)
	if len(shown) == 0 || len(shown) == len(list) {
		return shown, ""
	}
	return shown, cursor(shown[len(shown)-1])
}

// goOn says how to see what a list leaves out.
func goOn(shown, total int, noun, next string) []string {
	if next == "" {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d %s are shown; cursor:%q shows the next ones", shown, total, noun, next)}
}
