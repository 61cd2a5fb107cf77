package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// Away says whether an error comes of a database that does not answer at the moment, rather than of what was asked of
// it, or not in time. The same may be asked again later. Whether it was done the first time is not known.
func Away(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		for _, class := range []string{"08", "53", "57P"} { // connection, resources, the server ends or has not begun
			if strings.HasPrefix(refused.Code, class) {
				return true
			}
		}
		return false // it answers, and will say the same again
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || pgconn.SafeToRetry(err) {
		return true
	}
	for _, lost := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded, syscall.EPIPE, syscall.ECONNRESET} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}
