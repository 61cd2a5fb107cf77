package gateway

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// Names of headers, PR-REST 4.3, in lower case as they are signed and kept. HeaderSignature is a header of our own, which X-Road passes on as it is.
const (
	HeaderClient      = "x-road-client"
	HeaderService     = "x-road-service"
	HeaderID          = "x-road-id"
	HeaderIssue       = "x-road-issue"
	HeaderRequestID   = "x-road-request-id"
	HeaderRequestHash = "x-road-request-hash"
	HeaderError       = "x-road-error"
	HeaderContentType = "content-type"
	HeaderDigest      = "digest"
	HeaderSignature   = "x-jws-signature"
)

// ContentType of every body.
const ContentType = "application/json"

// What is signed, in this order: no more and no less is accepted. The address of a question is in its body.
var (
	questionHeaders = []string{HeaderClient, HeaderID, HeaderIssue, HeaderContentType, HeaderDigest}
	answerHeaders   = []string{HeaderClient, HeaderService, HeaderID, HeaderRequestID, HeaderRequestHash, HeaderContentType, HeaderDigest}
)

// Header is a line of a message, its name in lower case.
type Header struct{ Name, Value string }

// Message is a request or a response as it is kept: what is signed, the signature, and nothing else.
type Message struct {
	Start   string // "POST /r1/…/v1", or "200"
	Headers []Header
	Body    []byte
}

// Header gives a header's value, "" if it is not there.
func (m Message) Header(name string) string {
	for _, h := range m.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

// signed is what a signature is over: the headers as "name: value", each on a line (JAdES, ETSI TS 119 182-1, 5.2.8.3.2, which takes the form
// from draft-cavage-http-signatures-10, 2.3). The body is in it by its digest.
func (m Message) signed(names []string) []byte {
	var b bytes.Buffer
	for i, n := range names {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(n + ": " + m.Header(n))
	}
	return b.Bytes()
}

// digestOf is the header Digest, RFC 3230, as JAdES asks for it.
func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "SHA-256=" + base64.StdEncoding.EncodeToString(sum[:])
}

// hash is X-Road-Request-Hash of the answer to a request, PR-REST 4.3: base64 of SHA512(SHA512(headers)+SHA512(body)). What "headers" are
// it leaves open; X-Road's own code takes the verb, the address and "name:value" for each header, each ended by CR LF, and so do we.
func (m Message) hash() string {
	method, path, _ := strings.Cut(m.Start, " ")
	var head bytes.Buffer
	head.WriteString(method + "\r\n" + path + "\r\n")
	for _, h := range m.Headers {
		head.WriteString(h.Name + ":" + h.Value + "\r\n")
	}
	a, b := sha512.Sum512(head.Bytes()), sha512.Sum512(m.Body)
	sum := sha512.Sum512(append(a[:], b[:]...))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// kept takes from HTTP's headers those of names and the signature, each of which must stand there once, and in ASCII without controls.
func kept(h http.Header, names []string) ([]Header, *failure) {
	var all []Header
	for _, n := range append(slices.Clone(names), HeaderSignature) {
		values := h.Values(n)
		if len(values) == 0 && n == HeaderSignature {
			return nil, fail(Unsigned, "")
		}
		if len(values) != 1 || len(values[0]) > maxHeader || strings.ContainsFunc(values[0], func(r rune) bool { return r < 0x20 || r > 0x7e }) ||
			strings.TrimSpace(values[0]) != values[0] {
			return nil, fail(Garbage, "header "+n)
		}
		all = append(all, Header{n, values[0]})
	}
	return all, nil
}

const maxHeader = 2 << 10 // bytes of one header's value; a signature takes about 500

// well says whether a message has exactly the headers that it must, in their order.
func (m Message) well(names []string) bool {
	return slices.EqualFunc(m.Headers, append(slices.Clone(names), HeaderSignature), func(h Header, name string) bool { return h.Name == name })
}
