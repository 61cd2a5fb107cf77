package lookup

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Secret is what all processes of an installation share: under it puzzles are signed, and cards and addresses counted without being
// kept. Whoever reads it can make proofs cheap and test guesses of what was typed in the last two days, and nothing else.
type Secret []byte

// mac is the HMAC-SHA256 of a text, for a purpose.
func (s Secret) mac(purpose string, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, s)
	m.Write([]byte("tesdiq lookup " + purpose + "\n"))
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// Card is under what questions about a card are counted.
func (s Secret) Card(n tesdiq.DocumentNumber) []byte { return s.mac("card", []byte(n)) }

// Address is under what questions of an address prefix are counted.
func (s Secret) Address(prefix string) []byte { return s.mac("address", []byte(prefix)) }

// PuzzleID names a puzzle, so that it is used once.
type PuzzleID [16]byte

// Puzzle is what a browser has to solve before its question is answered on the page: for each of Parts, a number n such that
// PBKDF2-SHA-256 of the puzzle's text, with the salt “part:n” and Rounds rounds, begins with Bits zero bits.
type Puzzle struct {
	ID                  PuzzleID
	Parts, Rounds, Bits int
	Until               time.Time // a whole second
}

// puzzleSize is the size of a puzzle without its signature: id, parts, rounds, bits, until.
const puzzleSize = 16 + 1 + 4 + 1 + 8

// NewPuzzle makes a puzzle for who has asked so often today.
func (l Limits) NewPuzzle(asked int, now time.Time, random io.Reader) (p Puzzle, err error) {
	if _, err := io.ReadFull(random, p.ID[:]); err != nil {
		return p, fmt.Errorf("lookup: puzzle: %w", err)
	}
	p.Parts, p.Rounds, p.Bits, p.Until = l.ProofParts, l.ProofRounds, l.Bits(asked), now.Add(l.ProofFor).Truncate(time.Second)
	return p, nil
}

// Text is the puzzle as the browser gets it, signed.
func (p Puzzle) Text(s Secret) string {
	b := make([]byte, 0, puzzleSize+sha256.Size)
	b = append(b, p.ID[:]...)
	b = append(b, byte(p.Parts))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Rounds))
	b = append(b, byte(p.Bits))
	b = binary.BigEndian.AppendUint64(b, uint64(p.Until.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, s.mac("puzzle", b)...))
}

// readPuzzle reads a puzzle's text without asking who signed it.
func readPuzzle(text string) (p Puzzle, signed, mac []byte, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != puzzleSize+sha256.Size {
		return p, nil, nil, false
	}
	copy(p.ID[:], b)
	p.Parts, p.Rounds, p.Bits = int(b[16]), int(binary.BigEndian.Uint32(b[17:])), int(b[21])
	p.Until = time.Unix(int64(binary.BigEndian.Uint64(b[22:])), 0)
	return p, b[:puzzleSize], b[puzzleSize:], true
}

// Proof is a puzzle's text and the browser's numbers for its parts, as “n.n.n”.
type Proof struct{ Puzzle, Numbers string }

// Problems of a proof. The person does nothing about them but to send again: the page has a new puzzle.
var (
	ErrProofWrong   = tesdiq.Invalid("lookup.proof.wrong")   // none of ours, or not solved
	ErrProofExpired = tesdiq.Invalid("lookup.proof.expired") // too old
	ErrProofUsed    = tesdiq.Invalid("lookup.proof.used")    // for another question, or too cheap for so many questions
)

// Check says which puzzle a proof solves. Whether it was used before only the database knows.
func (p Proof) Check(s Secret, now time.Time) (Puzzle, error) {
	puzzle, signed, mac, ok := readPuzzle(p.Puzzle)
	if !ok || !hmac.Equal(mac, s.mac("puzzle", signed)) {
		return Puzzle{}, ErrProofWrong
	}
	if !now.Before(puzzle.Until) {
		return puzzle, ErrProofExpired
	}
	numbers := strings.Split(p.Numbers, ".")
	if len(numbers) != puzzle.Parts {
		return puzzle, ErrProofWrong
	}
	for part, number := range numbers {
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || number != strconv.FormatUint(n, 10) {
			return puzzle, ErrProofWrong
		}
		zeros, err := puzzle.zeros(p.Puzzle, part, n)
		if err != nil {
			return puzzle, err
		}
		if zeros < puzzle.Bits {
			return puzzle, ErrProofWrong
		}
	}
	return puzzle, nil
}

// zeros is with how many zero bits the hash of a number begins.
func (p Puzzle) zeros(text string, part int, n uint64) (int, error) {
	h, err := pbkdf2.Key(sha256.New, text, []byte(strconv.Itoa(part)+":"+strconv.FormatUint(n, 10)), p.Rounds, sha256.Size)
	if err != nil {
		return 0, fmt.Errorf("lookup: proof: %w", err)
	}
	return bits.LeadingZeros32(binary.BigEndian.Uint32(h)), nil
}

// Solve does the browser's work, for programs that try the page out.
func Solve(text string) (Proof, error) {
	p, _, _, ok := readPuzzle(text)
	if !ok {
		return Proof{}, errors.New("lookup: not a puzzle")
	}
	var numbers []string
	for part := range p.Parts {
		for n := uint64(0); ; n++ {
			if n > 1<<30 {
				return Proof{}, errors.New("lookup: the puzzle has no solution")
			}
			zeros, err := p.zeros(text, part, n)
			if err != nil {
				return Proof{}, err
			}
			if zeros >= p.Bits {
				numbers = append(numbers, strconv.FormatUint(n, 10))
				break
			}
		}
	}
	return Proof{text, strings.Join(numbers, ".")}, nil
}
