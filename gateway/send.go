package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// transport carries requests without proxy, without following anything, and with bounds.
func transport(config *tls.Config) http.RoundTripper {
	dialer := &net.Dialer{Timeout: 3 * time.Second}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: config, TLSHandshakeTimeout: 3 * time.Second, MaxResponseHeaderBytes: 32 << 10, DisableCompression: true,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
}

// request makes the sealed message of a question.
func (c *Client) request(s *service, q Question, at time.Time) (Message, error) {
	body, err := q.body(c.Seal.Member, s.ID)
	if err != nil {
		return Message{}, err
	}
	m := Message{Start: "POST " + s.ID.Path(), Body: body, Headers: []Header{
		{HeaderClient, string(c.Seal.Member)}, {HeaderID, q.ID}, {HeaderIssue, q.Case}, {HeaderContentType, ContentType}, {HeaderDigest, digestOf(body)},
	}}
	return m, c.Seal.sign(&m, questionHeaders, at)
}

// send sends a question once, and judges what comes back.
func (c *Client) send(ctx context.Context, s *service, q Question, number int) (answer Answer, x Exchange, a Attempt, bad *failure) {
	a = Attempt{Question: q.ID, Number: number, Sent: true, Began: c.Now()}
	defer func() { a.Ended = c.Now() }()
	trust := c.trust.Load()
	if a.Began.After(trust.NextUpdate) {
		a.Sent = false
		return answer, x, a, fail(Outdated, "")
	}
	x.Sent = a.Began.UTC()
	var err error
	if x.Request, err = c.request(s, q, x.Sent); err != nil {
		a.Sent = false
		return answer, x, a, fail(Malformed, "it cannot be sealed")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.Attempt))
	defer cancel()
	if x.Response, bad = c.carry(ctx, s, x.Request); bad != nil {
		return answer, x, a, bad
	}
	x.Received = c.Now().UTC()
	answer, bad = trust.read(q, Expected{c.Seal.Member, s.ID, time.Duration(s.MaxAge)}, x, x.Received)
	return answer, x, a, bad
}

// carry brings a request there and what is to be kept of the response back.
func (c *Client) carry(ctx context.Context, s *service, m Message) (Message, *failure) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+s.ID.Path(), bytes.NewReader(m.Body))
	if err != nil {
		return Message{}, fail(Malformed, "address")
	}
	for _, h := range m.Headers {
		r.Header.Set(h.Name, h.Value)
	}
	r.Header.Set("Accept", ContentType)
	r.Header.Set("User-Agent", "") // PR-REST 4.3 filters it
	resp, err := c.HTTP.RoundTrip(r)
	if err != nil {
		return Message{}, fail(carried(ctx, Unreachable), "")
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	switch {
	case len(body) > MaxBody:
		return Message{}, fail(TooLarge, "")
	case err != nil:
		return Message{}, fail(carried(ctx, Truncated), "")
	case resp.StatusCode != http.StatusOK:
		return Message{}, refusal(resp, body)
	}
	headers, bad := kept(resp.Header, answerHeaders)
	if bad != nil {
		return Message{}, bad
	}
	return Message{Start: strconv.Itoa(resp.StatusCode), Headers: headers, Body: body}, nil
}

// carried is why nothing came: the time was over, whoever asked gave up, or otherwise.
func carried(ctx context.Context, otherwise Reason) Reason {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return TimedOut
	}
	return given(ctx, otherwise)
}

var errorCode = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// refusal reads a response that is no answer. What X-Road or the agency says of the reason is for the operator; of it only a code is kept, for
// anything else could be about the person.
func refusal(resp *http.Response, body []byte) *failure {
	code := resp.Header.Get(HeaderError)
	var said struct {
		Type string `json:"type"`
	}
	if code == "" && json.Unmarshal(body, &said) == nil {
		code = said.Type
	}
	if !errorCode.MatchString(code) {
		code = "status " + strconv.Itoa(resp.StatusCode)
	}
	f := &failure{detail: code}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable:
		f.reason = Busy
		if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 && n <= 24*3600 {
			f.after = time.Duration(n) * time.Second
		}
	case resp.StatusCode >= 500:
		f.reason = Failed
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		f.reason = Redirected
	default:
		f.reason = Refused
	}
	return f
}
