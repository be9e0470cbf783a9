//go:build conformance

package mcpsrv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// fixtures adds what the scenarios of the official conformance suite ask a
// server for, so that they go through all that stands before a tool here.
func fixtures(s *server.MCPServer) {
	for _, able := range []server.ServerOption{
		server.WithResourceCapabilities(true, true), server.WithPromptCapabilities(true), server.WithCompletions(), server.WithLogging(), server.WithElicitation(),
	} {
		able(s)
	}
	s.EnableSampling()
	fixedTools(s)
	notifyingTools(s)
	changingTools(s)
	askingTools(s)
	fixedResources(s)
	fixedPrompts(s)
}

const (
	onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
	noSound  = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
)

func fixture(name string, opts ...mcp.ToolOption) mcp.Tool {
	return mcp.NewTool(name, append(opts, reads(), mcp.WithDescription("For the conformance suite"))...)
}

// fixedTools always answer the same.
func fixedTools(s *server.MCPServer) {
	text := func(uri, kind, body string) mcp.Content {
		return mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: uri, MIMEType: kind, Text: body})
	}
	for name, content := range map[string][]mcp.Content{
		"test_simple_text":       {mcp.NewTextContent("This is a simple text response for testing.")},
		"test_image_content":     {mcp.NewImageContent(onePixel, "image/png")},
		"test_audio_content":     {mcp.NewAudioContent(noSound, "audio/wav")},
		"test_embedded_resource": {text("test://embedded-resource", "text/plain", "This is an embedded resource content.")},
		"test_multiple_content_types": {mcp.NewTextContent("Multiple content types test:"), mcp.NewImageContent(onePixel, "image/png"),
			text("test://mixed-content-resource", "application/json", `{"test":"data","value":123}`)},
	} {
		s.AddTool(fixture(name), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: content}, nil
		})
	}
	s.AddTool(fixture("test_error_handling"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultError("This tool intentionally returns an error for testing"), nil
	})
	s.AddTool(fixture("test_missing_capability"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, mcp.MissingRequiredClientCapabilityError{Capability: "sampling"}
	})
	for name, schema := range map[string]string{
		"json_schema_2020_12_tool": `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
			"$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
			"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},"contactMethod":{"type":"string","enum":["phone","email"]},
				"phone":{"type":"string"},"email":{"type":"string"}},
			"allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],
			"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},
			"then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false}`,
		"test_header": `{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}`,
	} {
		s.AddTool(mcp.NewToolWithRawSchema(name, "For the conformance suite", json.RawMessage(schema)),
			func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				return mcp.NewToolResultText("done"), nil
			})
	}
}

// beat is how long the suite wants a tool to work between two notifications.
const beat = 50 * time.Millisecond

// notifyingTools tell of their progress as ours do, and log.
func notifyingTools(s *server.MCPServer) {
	add(s, fixture("test_tool_with_progress"), func(_ context.Context, args struct{ waitArgs }) (out reply[struct{}], err error) {
		for _, done := range []float64{0, 50, 100} {
			args.progress(done, 100, "")
			time.Sleep(beat)
		}
		return out, nil
	})
	log := func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for _, text := range []string{"Tool execution started", "Tool processing data", "Tool execution completed"} {
			if err := s.SendLogMessageToClient(ctx, mcp.NewLoggingMessageNotification(mcp.LoggingLevelInfo, "test", text)); err != nil {
				return nil, err
			}
			time.Sleep(beat)
		}
		return mcp.NewToolResultText("done"), nil
	}
	s.AddTool(fixture("test_tool_with_logging"), log)
	s.AddTool(fixture("test_logging_tool"), log)
}

// changingTools change what there is.
func changingTools(s *server.MCPServer) {
	s.AddTool(fixture("test_trigger_tool_change"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		s.AddTool(fixture("test_passing"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText("done"), nil
		})
		s.DeleteTools("test_passing")
		return mcp.NewToolResultText("done"), nil
	})
	s.AddTool(fixture("test_trigger_prompt_change"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		s.AddPrompt(mcp.NewPrompt("test_passing", mcp.WithPromptDescription("For the conformance suite")), say(mcp.NewTextContent("done")))
		s.DeletePrompts("test_passing")
		return mcp.NewToolResultText("done"), nil
	})
}

// questions are what a tool asks of its client at a time, by key.
type questions = mcp.InputRequests

func form(message, properties string) mcp.InputRequest {
	return mcp.NewElicitationInputRequest(mcp.ElicitationParams{Message: message,
		RequestedSchema: json.RawMessage(`{"type":"object","properties":{` + properties + `}}`)})
}

func sample(prompt string) mcp.InputRequest {
	return mcp.NewSamplingInputRequest(mcp.CreateMessageParams{MaxTokens: 100,
		Messages: []mcp.SamplingMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent(prompt)}}})
}

// askingTools ask their client, one round after the other, and answer then.
func askingTools(s *server.MCPServer) {
	name, roots := form("What is your name?", `"name":{"type":"string"}`), mcp.NewRootsInputRequest()
	confirm := form("Please confirm", `"ok":{"type":"boolean"}`)
	for tool, rounds := range map[string][]questions{
		"test_elicitation":                          {{"user": form("Who are you?", `"username":{"type":"string"},"email":{"type":"string"}`)}},
		"test_elicitation_sep1034_defaults":         {{"form": form("Look at these", defaults)}},
		"test_elicitation_sep1330_enums":            {{"form": form("Choose", enums)}},
		"test_streaming_elicitation":                {{"user_name": name}},
		"test_input_required_result_elicitation":    {{"user_name": name}},
		"test_input_required_result_sampling":       {{"capital_question": sample("What is the capital of France?")}},
		"test_input_required_result_list_roots":     {{"client_roots": roots}},
		"test_input_required_result_request_state":  {{"confirm": confirm}},
		"test_input_required_result_tampered_state": {{"confirm": confirm}},
		"test_input_required_result_capabilities":   {{"user_name": name, "greeting": sample("Generate a greeting")}},
		"test_input_required_result_multiple_inputs": {
			{"user_name": name, "greeting": sample("Generate a greeting"), "client_roots": roots}},
		"test_input_required_result_multi_round": {{"step1": name}, {"step2": form("Your favorite color?", `"color":{"type":"string"}`)}},
	} {
		s.AddTool(fixture(tool), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return ask(ctx, rounds, req.Params.MultiRoundTripParams)
		})
	}
	s.AddTool(fixture("test_sampling", mcp.WithString("prompt")), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return ask(ctx, []questions{{"answer": sample(req.GetString("prompt", ""))}}, req.Params.MultiRoundTripParams)
	})
	s.AddPrompt(mcp.NewPrompt("test_input_required_result_prompt", mcp.WithPromptDescription("For the conformance suite")),
		func(ctx context.Context, req mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			context := form("What context should the prompt use?", `"context":{"type":"string"}`)
			res, err := ask(ctx, []questions{{"user_context": context}}, req.Params.MultiRoundTripParams)
			if err != nil || !res.NeedsInput() {
				return &mcp.GetPromptResult{}, err
			}
			return &mcp.GetPromptResult{Result: res.Result, MultiRoundTripResult: res.MultiRoundTripResult}, nil
		})
}

// ask asks on: the first round, or the one behind that whose answers these are.
// After the last it answers. What goes to and fro as the state is the number
// of the round, and nothing else may come back. Clients of the initialize
// handshake cannot be asked: their answer would need a session to come to.
func ask(ctx context.Context, rounds []questions, given mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
	if !server.IsModernRequest(ctx) {
		return mcp.NewToolResultError("this server keeps no sessions, and can ask you nothing"), nil
	}
	at := 0
	if given.RequestState != "" {
		n, err := strconv.Atoi(given.RequestState)
		if err != nil || n < 0 || n >= len(rounds) {
			return nil, errors.New("the state is not one of this server")
		}
		at = n
	}
	if answered(rounds[at], given.InputResponses) {
		at++
	}
	if at == len(rounds) {
		return mcp.NewToolResultText("state-ok"), nil
	}
	res := server.NewInputRequestBuilder(strconv.Itoa(at)).ToolResult()
	res.InputRequests = questions{}
	for key, q := range rounds[at] {
		if may(ctx, q.Method) {
			res.InputRequests[key] = q
		}
	}
	return res, nil
}

// answered reports whether each question has an answer of its kind.
func answered(asked questions, given mcp.InputResponses) bool {
	for key, q := range asked {
		a, ok := given[key]
		if err := a.DecodeFor(q.Method); !ok || err != nil || a.Elicitation != nil && a.Elicitation.Action == "" {
			return false
		}
	}
	return true
}

// may reports whether the client said that it can be asked so.
func may(ctx context.Context, method mcp.MCPMethod) bool {
	switch can := server.RequestProtocolInfoFromContext(ctx).ClientCapabilities; method {
	case mcp.MethodElicitationCreate:
		return can.Elicitation != nil
	case mcp.MethodSamplingCreateMessage:
		return can.Sampling != nil
	}
	return true
}

const (
	defaults = `"name":{"type":"string","default":"John Doe"},"age":{"type":"integer","default":30},"score":{"type":"number","default":95.5},
		"status":{"type":"string","enum":["active","inactive","pending"],"default":"active"},"verified":{"type":"boolean","default":true}`
	enums = `"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},
		"titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First"},{"const":"value2","title":"Second"}]},
		"legacyEnum":{"type":"string","enum":["opt1","opt2"],"enumNames":["One","Two"]},
		"untitledMulti":{"type":"array","items":{"type":"string","enum":["option1","option2","option3"]}},
		"titledMulti":{"type":"array","items":{"anyOf":[{"const":"value1","title":"First"},{"const":"value2","title":"Second"}]}}`
)

func fixedResources(s *server.MCPServer) {
	text := func(_ context.Context, req mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		id := strings.TrimSuffix(strings.TrimPrefix(req.Params.URI, "test://template/"), "/data")
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: req.Params.URI, MIMEType: "text/plain", Text: "The text of " + id}}, nil
	}
	for _, uri := range []string{"test://static-text", "test://watched-resource"} {
		s.AddResource(mcp.NewResource(uri, uri, mcp.WithResourceDescription("For the conformance suite"), mcp.WithMIMEType("text/plain")), text)
	}
	s.AddResource(mcp.NewResource("test://static-binary", "binary", mcp.WithResourceDescription("For the conformance suite"), mcp.WithMIMEType("image/png")),
		func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{mcp.BlobResourceContents{URI: "test://static-binary", MIMEType: "image/png", Blob: onePixel}}, nil
		})
	s.AddResourceTemplate(mcp.NewResourceTemplate("test://template/{id}/data", "template", mcp.WithTemplateMIMEType("text/plain")),
		server.ResourceTemplateHandlerFunc(text))
}

// say is a prompt of these messages.
func say(all ...mcp.Content) server.PromptHandlerFunc {
	return func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		res := &mcp.GetPromptResult{}
		for _, c := range all {
			res.Messages = append(res.Messages, mcp.NewPromptMessage(mcp.RoleUser, c))
		}
		return res, nil
	}
}

func fixedPrompts(s *server.MCPServer) {
	prompt := func(name string, args ...string) mcp.Prompt {
		opts := []mcp.PromptOption{mcp.WithPromptDescription("For the conformance suite")}
		for _, arg := range args {
			opts = append(opts, mcp.WithArgument(arg, mcp.RequiredArgument()))
		}
		return mcp.NewPrompt(name, opts...)
	}
	s.AddPrompt(prompt("test_simple_prompt"), say(mcp.NewTextContent("This is a simple prompt for testing.")))
	s.AddPrompt(prompt("test_prompt_with_image"), say(mcp.NewImageContent(onePixel, "image/png"), mcp.NewTextContent("Please analyze the image above.")))
	s.AddPrompt(prompt("test_prompt_with_arguments", "arg1", "arg2"), func(ctx context.Context, req mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		given := req.Params.Arguments
		return say(mcp.NewTextContent(fmt.Sprintf("Prompt with arguments: arg1='%s', arg2='%s'", given["arg1"], given["arg2"])))(ctx, req)
	})
	s.AddPrompt(prompt("test_prompt_with_embedded_resource", "resourceUri"), func(ctx context.Context, req mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		embedded := mcp.TextResourceContents{URI: req.Params.Arguments["resourceUri"], MIMEType: "text/plain", Text: "Embedded resource content for testing."}
		return say(mcp.NewEmbeddedResource(embedded), mcp.NewTextContent("Please process the embedded resource above."))(ctx, req)
	})
}
