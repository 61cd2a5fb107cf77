package verifier

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier/throttle"
)

// Client is an organisation's program.
type Client struct {
	ID           string
	Organisation int64
	Name         string // of the organisation
}

// Asker is the client as one who asks.
func (c Client) Asker(prefix string) Asker {
	// Manager: a program reads all checks of its organisation.
	return Asker{Sort: ByOrganisation, Organisation: c.Organisation, Name: c.Name, Client: c.ID, Manager: true, Prefix: prefix}
}

// Clients are the programs of organisations and the tokens that they were given.
type Clients interface {
	// Secret reads a client that may sign in, and the SHA-256 of its secret; or ErrNoClient.
	Secret(ctx context.Context, id string) (Client, Sum, error)
	// Grant keeps a token, of which only the SHA-256 is known.
	Grant(ctx context.Context, token Sum, client string, expires time.Time) error
	// Token reads the client of a token that has not expired and whose client and organisation are not closed; or ErrNoToken.
	Token(ctx context.Context, token Sum, now time.Time) (Client, time.Time, error)
}

// Problems of signing in with a program.
var (
	ErrNoClient = tesdiq.NewProblem(tesdiq.SignIn, "client.unknown") // or a wrong secret: never told apart
	ErrNoToken  = tesdiq.NewProblem(tesdiq.SignIn, "token.unknown")  // or expired, or withdrawn
)

const (
	// TokenLife is how long a token opens the API.
	TokenLife = time.Hour
	// remembered is how long a token is taken without asking the database. Together with a request's own time it stays
	// under the five seconds in which a closed client must be out.
	remembered = 2 * time.Second
	// rememberedMost bounds the memory for them.
	rememberedMost = 10_000
	tokenLength    = 52 // characters of five random bits each
)

// Door lets programs in. Its exported fields are required.
type Door struct {
	Clients  Clients
	Throttle *throttle.Throttle
	Now      func() time.Time
	Rand     io.Reader

	mu    sync.Mutex
	known map[Sum]knownToken
}

type knownToken struct {
	client Client
	until  time.Time
}

// Enter gives a client that knows its secret a token. ErrNoClient otherwise; wrong secrets count as misses of the
// address prefix, and too many of them are a Problem of kind TooMany.
func (d *Door) Enter(ctx context.Context, id, secret, prefix string) (token string, err error) {
	now := d.Now()
	ticket, err := d.Throttle.Prefix(ctx, prefix, now)
	if err != nil {
		return "", err
	}
	defer ticket.Hit() // unless it was a miss
	c, want, err := Client{}, Sum{}, error(ErrNoClient)
	if named(id) {
		c, want, err = d.Clients.Secret(ctx, id)
	}
	if err != nil && !errors.Is(err, ErrNoClient) {
		return "", fmt.Errorf("verifier: client: %w", err)
	}
	// Compared also when there is no such client, so that both take the same time.
	got := sha256.Sum256([]byte(secret))
	if same := subtle.ConstantTimeCompare(got[:], want[:]) == 1; err != nil || !same {
		ticket.Miss()
		return "", ErrNoClient
	}
	token, err = tesdiq.RandomText(d.Rand, tokenLength)
	if err != nil {
		return "", err
	}
	if err := d.Clients.Grant(ctx, sha256.Sum256([]byte(token)), c.ID, now.Add(TokenLife)); err != nil {
		return "", fmt.Errorf("verifier: grant: %w", err)
	}
	return token, nil
}

// named says whether id can be a client's: the database takes no text with a zero byte or in another encoding.
func named(id string) bool {
	return len(id) <= 64 && strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// Open finds the client of a token, or answers ErrNoToken.
func (d *Door) Open(ctx context.Context, token string) (Client, error) {
	if len(token) != tokenLength {
		return Client{}, ErrNoToken
	}
	sum, now := Sum(sha256.Sum256([]byte(token))), d.Now()
	d.mu.Lock()
	k, ok := d.known[sum]
	d.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.client, nil
	}
	c, expires, err := d.Clients.Token(ctx, sum, now)
	if err != nil {
		return Client{}, fmt.Errorf("verifier: token: %w", err)
	}
	k = knownToken{c, now.Add(remembered)}
	if expires.Before(k.until) {
		k.until = expires
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= rememberedMost {
		d.known = map[Sum]knownToken{}
	}
	d.known[sum] = k
	return c, nil
}
