//go:build !linux

package sandbox

import "errors"

// Confine cannot be done here: a service that reads foreign files needs Linux.
func Confine() error { return errors.New("sandbox: this system cannot confine a process; use Linux") }
