package gateway

import "time"

// Read is read, for tests that need no line between.
func (t *Trust) Read(q Question, want Expected, x Exchange, proven time.Time) (Answer, error) {
	a, bad := t.read(q, want, x, proven)
	if bad != nil {
		return Answer{}, bad
	}
	return a, nil
}

// RequestOf is the sealed request that a client would send.
func (c *Client) RequestOf(q Question, at time.Time) (Message, error) {
	return c.request(c.services[q.Register], q, at)
}

// SignedOf is what a message's signature is over.
func (m Message) SignedOf() []byte {
	if m.Header(HeaderService) == "" {
		return m.signed(questionHeaders)
	}
	return m.signed(answerHeaders)
}

// HashOf is the X-Road-Request-Hash of the answer to m.
func (m Message) HashOf() string { return m.hash() }
