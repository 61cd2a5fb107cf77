package issuer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/templates"
)

// Request is what a person fills in to have an excerpt drawn.
type Request struct {
	Key        string // random, of the form; see NewRequestKey
	Kind       string
	Entry      string // number of the object in its book: M-2026-117204
	Lang       tesdiq.Lang
	Validity   Validity
	Recipient  string // for whom; may be empty
	Purpose    string // what for; may be empty
	WithSalary bool   // contracts only
}

// MaxLine is how many characters may stand in "for whom" and "what for".
const MaxLine = 100

// MaxPerDay is how many excerpts a person may ask for within 24 hours: several for everybody who could want one. Nobody shall use up alone what
// the keys may sign in a day.
const MaxPerDay = 100

// ErrTooMany says that a person asked for as many as he may, Args["Max"].
var ErrTooMany = tesdiq.NewProblem(tesdiq.TooMany, "excerpt.too_many")

const maxKey = 64

// Check says all that is wrong with a request for an excerpt of kind k, each by its field. What is right comes back
// tidied: white space squeezed, no salary tick where there is no salary.
func (r Request) Check(k templates.Kind) (Request, error) {
	var problems tesdiq.Problems
	if n := len(r.Key); n == 0 || n > maxKey {
		problems = append(problems, tesdiq.Invalid("excerpt.request_key")) // of no field that a person sees
	}
	_, err := tesdiq.ParseLang(string(r.Lang))
	problems.Add("lang", err)
	_, err = ParseValidity(string(r.Validity))
	problems.Add("validity", err)
	r.Recipient, err = line(r.Recipient)
	problems.Add("recipient", err)
	r.Purpose, err = line(r.Purpose)
	problems.Add("purpose", err)
	r.WithSalary = r.WithSalary && k.Salary
	return r, problems.Err()
}

// line reads one line of free text that will be printed.
// Errors are Problems: "excerpt.line_long" (Count, Max), "excerpt.letters" (Letters names them).
func line(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", tesdiq.Invalid("excerpt.letters").With("Letters", "�")
	}
	s = strings.Join(strings.Fields(s), " ")
	if n := utf8.RuneCountInString(s); n > MaxLine {
		return s, tesdiq.Invalid("excerpt.line_long").With("Count", n).With("Max", MaxLine)
	}
	bad := templates.Unprintable(s)
	for _, r := range s {
		// Characters that draw nothing or turn the direction of what follows could make a print-out say something else.
		if !unicode.IsGraphic(r) || unicode.Is(unicode.Cf, r) {
			bad = append(bad, r)
		}
	}
	if len(bad) > 0 {
		return s, tesdiq.Invalid("excerpt.letters").With("Letters", nameLetters(bad))
	}
	return s, nil
}

// nameLetters lists each character once: as itself where it can be seen, else by its number in Unicode.
func nameLetters(rs []rune) string {
	var names []string
	seen := map[rune]bool{}
	for _, r := range rs {
		if seen[r] {
			continue
		}
		seen[r] = true
		if unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r) && !unicode.IsSpace(r) && !unicode.IsMark(r) {
			names = append(names, string(r))
		} else {
			names = append(names, fmt.Sprintf("U+%04X", r))
		}
		if len(names) == 10 {
			break
		}
	}
	return strings.Join(names, " ")
}

// Identity is what makes two requests of one person the same one: the form's key and everything filled in. A double
// click and a repetition after a lost answer have the same; a form that was gone back to and changed has another.
func (r Request) Identity() string {
	b, err := json.Marshal(r)
	if err != nil {
		panic("issuer: a request that cannot be written: " + err.Error()) // strings and a bool only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
