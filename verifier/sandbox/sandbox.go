// Package sandbox reads foreign PDFs in child processes: whatever a file does to its reader, it does to a process that has
// bounded memory and time, no network, no files and nothing else to lose. A child reads many files, one after the other,
// and is replaced when it dies; then the answer for the file is INDETERMINATE, never an error.
//
// The child is a program of ours that calls Serve before it does anything else; Pool starts it.
package sandbox

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// Limits of what passes between the two processes, in bytes.
const (
	maxAnchors = 1 << 20
	maxReport  = 64 << 10
)

// Serve is the child: it confines itself, then reads trust anchors as PEM and files, each with its length before it, and
// answers each file with a report. It returns nil at the end of in.
func Serve(in io.Reader, out io.Writer) error {
	if err := Confine(); err != nil {
		return err
	}
	r, w := bufio.NewReader(in), bufio.NewWriter(out)
	pem, err := readFrame(r, maxAnchors)
	if err != nil {
		return fmt.Errorf("sandbox: anchors: %w", err)
	}
	roots, err := keys.ParseRoots(pem)
	if err != nil {
		return fmt.Errorf("sandbox: anchors: %w", err)
	}
	for {
		pdf, err := readFrame(r, pades.MaxSize)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sandbox: file: %w", err)
		}
		report, err := json.Marshal(pades.Read(pdf, roots))
		if err != nil {
			return fmt.Errorf("sandbox: report: %w", err)
		}
		if err := writeFrame(w, report); err != nil {
			return fmt.Errorf("sandbox: report: %w", err)
		}
		if err := w.Flush(); err != nil {
			return fmt.Errorf("sandbox: report: %w", err)
		}
	}
}

// A frame is eight bytes of length, big-endian, and as many bytes.
func readFrame(r io.Reader, most int) ([]byte, error) {
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint64(length[:])
	if n > uint64(most) {
		return nil, fmt.Errorf("a frame of %d bytes, at most %d were expected", n, most)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return b, nil
}

func writeFrame(w io.Writer, b []byte) error {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(b)))
	if _, err := w.Write(length[:]); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}
