package verifier

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Row is one line of a list of checks, of looks by an office or by who refers to an assessment, or of look-ups without sign-in.
type Row struct {
	ID      CheckID // empty for a look and a look-up
	At      time.Time
	Mark    string     // orders rows of the same moment
	Way     tesdiq.Way // for a look-up: page, telephone or office; for a look by who refers: referral
	Sort    Sort       // empty for a look and a look-up
	Name    string     // the organisation's, or the office's; empty for a person and for nobody
	Clerk   string     // who asked for the organisation; only in the organisation's own list
	Own     bool       // the subject's own check
	Purpose string     // of the closed list; for a look, the office's words; for a look-up without sign-in, "shown" or "nothing"; for a look by who refers, what was told: "name" or "open"
	Note    string
	Verdict tesdiq.Verdict // empty for a look
	Kind    string         // of the excerpt; empty when none was found or nothing of it may be said
	Number  string         // likewise
	// Overtaken says that a certificate on which the checked excerpt rested was revoked since; only in the list of who asked.
	Overtaken bool
}

// Look says whether the row is a look by an office, not a check.
func (r Row) Look() bool { return r.ID == "" && r.Way == "" }

// Lookup says whether the row is a question for the last result without sign-in.
func (r Row) Lookup() bool { return r.ID == "" && r.Way != "" && r.Way != byReferral }

// Referral says whether the row is a look by an institution that was about to refer the person to an assessment.
func (r Row) Referral() bool { return r.ID == "" && r.Way == byReferral }

const byReferral tesdiq.Way = "referral"

// Cursor is a place in a list, newest first; the zero Cursor is its beginning.
type Cursor struct {
	At   time.Time
	Mark string
}

// After is the place after a row.
func After(r Row) Cursor { return Cursor{r.At, r.Mark} }

// String is the cursor as it stands in an address; empty at the beginning.
func (c Cursor) String() string {
	if c.At.IsZero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.At.UnixMicro(), 10) + " " + c.Mark))
}

// ParseCursor reads a cursor. The error is a Problem of kind Invalid, "cursor.malformed".
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	bad := tesdiq.Invalid("cursor.malformed")
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) > 64 {
		return Cursor{}, bad
	}
	micro, mark, _ := strings.Cut(string(b), " ")
	n, err := strconv.ParseInt(micro, 10, 64)
	// Beyond the years 1900 to 2200 the database could not compare it.
	if err != nil || n < -2_208_988_800_000_000 || n > 7_258_118_400_000_000 || strings.Trim(mark, "0123456789ABCDEFGHJKMNPQRSTVWXYZclnr") != "" {
		return Cursor{}, bad
	}
	return Cursor{time.UnixMicro(n).UTC(), mark}, nil
}

// PageSize is how many rows a page of a list has.
const PageSize = 50
