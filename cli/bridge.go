package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	maxMessage = 4 << 20         // bytes of one message, as the server takes them
	lastWords  = 3 * time.Second // for what is under way when the host is gone
)

// bridge carries MCP between a host on stdio and a server over Streamable
// HTTP, message by message, for clients of the initialize handshake and of
// revision 2026-07-28 alike.
type bridge struct {
	url   string // of the endpoint
	token string
	http  *http.Client
	in    io.Reader
	out   io.Writer
	warn  func(string) // tells people, not the host

	advice string // what the host is told where no server answers

	writing sync.Mutex
	mu      sync.Mutex
	version string                        // agreed on by initialize; "" before it, and in the other era
	pending map[string]context.CancelFunc // requests under way, by id
}

// message is what the bridge looks at in a message of JSON-RPC.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		URI       string          `json:"uri"`
		RequestID json.RawMessage `json:"requestId"`
		Meta      map[string]any  `json:"_meta"`
	} `json:"params"`
	Result struct {
		ProtocolVersion string `json:"protocolVersion"`
	} `json:"result"`
}

func (m *message) isRequest() bool { return m.Method != "" && len(m.ID) > 0 && string(m.ID) != "null" }

// The codes of errors that the bridge itself gives (JSON-RPC 2.0, 5.1).
const (
	parseError     = -32700
	invalidRequest = -32600
	unreachedError = -32000
)

// run carries messages until the host closes its end; it waits a moment for
// answers that are under way.
func (b *bridge) run(ctx context.Context) error {
	b.pending = map[string]context.CancelFunc{}
	b.advice = cmp.Or(b.advice, "start one with `stroem serve`")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var under sync.WaitGroup
	lines := bufio.NewReaderSize(b.in, 64<<10)
	for ctx.Err() == nil {
		line, err := readMessage(lines)
		if len(bytes.TrimSpace(line)) > 0 {
			b.take(ctx, line, &under)
		} else if errors.Is(err, errTooLarge) {
			b.fail(nil, invalidRequest, "a message may have at most 4 MiB")
			continue
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				b.warn(err.Error())
			}
			break
		}
	}
	timer := time.AfterFunc(lastWords, stop)
	defer timer.Stop()
	under.Wait()
	return nil
}

var errTooLarge = errors.New("the message is too large")

// readMessage reads a line. One that is too large is skipped.
func readMessage(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxMessage {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.ReadSlice('\n')
			}
			if err == nil {
				err = errTooLarge
			}
			return nil, err
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// take sends a message on its way.
func (b *bridge) take(ctx context.Context, line []byte, under *sync.WaitGroup) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil && !json.Valid(line) {
		b.fail(nil, parseError, "the message is not JSON")
		return
	}
	if m.Method == "notifications/cancelled" {
		b.cancel(m.Params.RequestID)
	}
	ctx, done := context.WithCancel(ctx)
	if m.isRequest() {
		b.mu.Lock()
		b.pending[string(m.ID)] = done
		b.mu.Unlock()
	}
	send := func() {
		defer done()
		b.send(ctx, line, &m)
		b.mu.Lock()
		delete(b.pending, string(m.ID))
		b.mu.Unlock()
	}
	if m.Method == "initialize" { // what follows depends on its answer
		send()
		return
	}
	under.Go(send)
}

// cancel leaves the request, which the server takes as its cancellation.
func (b *bridge) cancel(id json.RawMessage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if done := b.pending[string(id)]; done != nil {
		done()
	}
}

// send posts a message and writes what comes of it. A request that is not
// cancelled gets exactly one answer.
func (b *bridge) send(ctx context.Context, line []byte, m *message) {
	answered, err := b.post(ctx, line, m)
	if ctx.Err() != nil || answered || !m.isRequest() {
		if err != nil && ctx.Err() == nil {
			b.warn(err.Error())
		}
		return
	}
	if err == nil {
		err = errors.New("the server gave no answer")
	}
	b.fail(m.ID, unreachedError, err.Error())
}

func (b *bridge) post(ctx context.Context, line []byte, m *message) (answered bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, bytes.NewReader(line))
	if err != nil {
		return false, err
	}
	b.head(req.Header, m)
	res, err := b.http.Do(req)
	if err != nil {
		return false, fmt.Errorf("no stroem server answers at %s; %s", b.url, b.advice)
	}
	defer res.Body.Close()
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind == "text/event-stream" {
		return b.events(res.Body, m)
	}
	doc, err := io.ReadAll(res.Body)
	if err != nil {
		return false, fmt.Errorf("the connection to %s was lost", b.url)
	}
	switch doc = bytes.TrimSpace(doc); {
	case isMessage(doc):
		return b.relay(doc, m), nil
	case res.StatusCode < 300:
		return false, nil
	}
	return false, refusedBy(res, doc)
}

// head says in headers what the body says: a server of revision 2026-07-28
// asks for that.
func (b *bridge) head(h http.Header, m *message) {
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json, text/event-stream")
	if b.token != "" {
		h.Set("Authorization", "Bearer "+b.token)
	}
	b.mu.Lock()
	version := b.version
	b.mu.Unlock()
	if own, ok := m.Params.Meta["io.modelcontextprotocol/protocolVersion"].(string); ok {
		version = own
		h.Set("Mcp-Method", m.Method)
		if name := m.Params.Name + m.Params.URI; name != "" {
			name, _ = mcp.EncodeHeaderValue(name) // not every text can stand in a header as it is
			h.Set("Mcp-Name", name)
		}
	}
	if version != "" {
		h.Set("MCP-Protocol-Version", version)
	}
}

// events relays a stream of messages.
func (b *bridge) events(body io.Reader, m *message) (answered bool, err error) {
	r := bufio.NewReaderSize(body, 64<<10)
	for {
		event, err := readEvent(r)
		if err != nil {
			if answered { // the stream ends with the answer
				err = nil
			}
			return answered, err
		}
		if doc := []byte(event.data); isMessage(doc) {
			answered = b.relay(doc, m) || answered
		}
	}
}

// isMessage tells JSON-RPC from what else a server or a proxy answers.
func isMessage(doc []byte) bool {
	var m struct {
		Version string `json:"jsonrpc"`
	}
	return json.Unmarshal(doc, &m) == nil && m.Version == "2.0"
}

// relay writes a message of the server, and reports whether it is the answer.
func (b *bridge) relay(doc []byte, to *message) bool {
	var m message
	if err := json.Unmarshal(doc, &m); err == nil && to.Method == "initialize" && m.Result.ProtocolVersion != "" {
		b.mu.Lock()
		b.version = m.Result.ProtocolVersion
		b.mu.Unlock()
	}
	b.write(doc)
	return m.Method == ""
}

// write puts a message on a line of its own.
func (b *bridge) write(doc []byte) {
	var line bytes.Buffer
	if json.Compact(&line, doc) != nil {
		return
	}
	line.WriteByte('\n')
	b.writing.Lock()
	defer b.writing.Unlock()
	if _, err := b.out.Write(line.Bytes()); err != nil {
		b.warn(err.Error())
	}
}

// fail answers in place of the server.
func (b *bridge) fail(id json.RawMessage, code int, text string) {
	if len(id) == 0 {
		id = json.RawMessage("null")
	}
	doc, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": code, "message": text}})
	if err != nil {
		b.warn(err.Error())
		return
	}
	b.write(doc)
}

// refusedBy says in a sentence why a server did not take a message.
func refusedBy(res *http.Response, doc []byte) error {
	var told struct {
		Error string `json:"error"`
	}
	text := strings.TrimSpace(string(doc[:min(len(doc), 500)]))
	if json.Unmarshal(doc, &told) == nil && told.Error != "" {
		text = told.Error
	}
	switch res.StatusCode {
	case http.StatusUnauthorized:
		return fmt.Errorf("the server does not know this client (%s); `stroem apikey create NAME` makes a key, which STROEM_TOKEN holds", text)
	case http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusRequestEntityTooLarge:
		return errors.New(text)
	}
	return fmt.Errorf("the server answered %s: %s", res.Status, text)
}
