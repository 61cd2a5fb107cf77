package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// This file is the other side: how an agency reads a question and seals an answer.

// ReadRequest reads a question from an HTTP request and judges it as the asked agency does: sealed by who asks, now, for this service. The error, if there is
// one, says X-Road's error type.
func (t *Trust) ReadRequest(r *http.Request, now time.Time) (Question, Message, *RequestError) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil || len(body) > MaxBody {
		return Question{}, Message{}, &RequestError{http.StatusRequestEntityTooLarge, "Client.TooLarge"}
	}
	headers, bad := kept(r.Header, questionHeaders)
	if bad != nil {
		return Question{}, Message{}, &RequestError{http.StatusBadRequest, "Client.MissingHeader"}
	}
	m := Message{Start: r.Method + " " + r.URL.EscapedPath(), Headers: headers, Body: body}
	q, _, bad := t.question(Exchange{Request: m, Sent: now.UTC()}, now)
	if bad != nil {
		return q, m, requestErrorOf(bad)
	}
	return q, m, nil
}

// RequestError is why a question is not answered.
type RequestError struct {
	Status int
	Type   string // as X-Road writes it: Client.BadRequest, Server.ServerProxy.AccessDenied
}

func (e *RequestError) Error() string { return "gateway: request: " + e.Type }

func requestErrorOf(bad *failure) *RequestError {
	switch bad.reason {
	case BadSignature, Stranger, OutOfTime, Revoked, Unsigned, Replayed:
		return &RequestError{http.StatusForbidden, "Server.ServerProxy.InvalidSignature"}
	case WrongService:
		return &RequestError{http.StatusNotFound, "Server.ServerProxy.UnknownService"}
	default:
		return &RequestError{http.StatusBadRequest, "Client.BadRequest"}
	}
}

// WriteError answers with an error as X-Road does (PR-REST 4.6): the header marks it as one of the transport, not of the register.
func WriteError(w http.ResponseWriter, e *RequestError, detail string) {
	body, err := json.Marshal(map[string]string{"type": e.Type, "message": http.StatusText(e.Status), "detail": detail})
	if err != nil {
		panic("gateway: " + err.Error()) // three texts
	}
	w.Header().Set("Content-Type", ContentType+"; charset=utf-8")
	w.Header().Set("X-Road-Error", e.Type)
	w.WriteHeader(e.Status)
	_, _ = w.Write(body) // whoever asked may be gone; nothing hangs on it
}

// Body writes what an answer says. records is a slice of the register's type in Facts; an empty one says that the register has nothing.
func Body(q Question, request Message, service ServiceID, asOf time.Time, records any) ([]byte, error) {
	raw := []json.RawMessage{}
	all, err := json.Marshal(records)
	if err == nil {
		err = json.Unmarshal(all, &raw)
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: answer: %w", err)
	}
	if raw == nil {
		raw = []json.RawMessage{}
	}
	sum := sha256.Sum256(request.Body)
	out, err := json.Marshal(answerBody{AsOf: asOf.UTC().Truncate(time.Second), Case: q.Case, Found: len(raw) > 0, ID: q.ID, Person: q.Person,
		Question: hex.EncodeToString(sum[:]), Records: raw, Schema: q.Register.schema(), Service: service})
	if err != nil {
		return nil, fmt.Errorf("gateway: answer: %w", err)
	}
	return out, nil
}

// Reply makes the sealed answer to a request. requestID names this one call.
func (s *Seal) Reply(request Message, service ServiceID, requestID string, body []byte, at time.Time) (Message, error) {
	m := Message{Start: "200", Body: body, Headers: []Header{
		{HeaderClient, request.Header(HeaderClient)}, {HeaderService, string(service)}, {HeaderID, request.Header(HeaderID)},
		{HeaderRequestID, requestID}, {HeaderRequestHash, request.hash()}, {HeaderContentType, ContentType}, {HeaderDigest, digestOf(body)},
	}}
	return m, s.sign(&m, answerHeaders, at)
}

// Write sends a message as an HTTP response.
func (m Message) Write(w http.ResponseWriter) {
	for _, h := range m.Headers {
		w.Header().Set(h.Name, h.Value)
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(m.Body) // whoever asked may be gone; nothing hangs on it
}
