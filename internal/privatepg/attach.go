package privatepg

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrNotRunning says that nobody runs a server on this folder.
var ErrNotRunning = errors.New("no private PostgreSQL runs on this folder")

// Running finds the server that another process runs on dir, so that an operator's command works beside the
// demonstration. Only URL may be called on the result; it is not ours to stop. ErrNotRunning when there is none.
func Running(dir string) (*Server, error) {
	socket, err := os.ReadFile(filepath.Join(dir, socketName))
	if err != nil {
		return nil, ErrNotRunning
	}
	s := &Server{opts: Options{Dir: dir}, socketDir: strings.TrimSpace(string(socket))}
	c, err := net.DialTimeout("unix", filepath.Join(s.socketDir, socketFile), time.Second)
	if err != nil {
		return nil, ErrNotRunning
	}
	c.Close()
	return s, nil
}
