package outbox

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/internal/message/smpp"
)

// What must not stand where anybody who sees a telephone reads it: illness, degree, kind of document.
var unsaid = regexp.MustCompile(`(?i)əlil|diaqnoz|xəstə|dərəcə|qrup|faiz|müayinə kartı|çıxarış|arayış|disab|diagnos|illness|degree|group|percent|excerpt|certificate|инвалид|диагноз|болезн|степен|групп|процент|выписк|справк`)

// What pages say of hours and minutes is what the rules say.
func TestPagesSayTheRules(t *testing.T) {
	book, err := ReadBook()
	if err != nil {
		t.Fatal(err)
	}
	r := book.On(tesdiq.NewDate(2026, 11, 22))
	for _, lang := range tesdiq.Langs {
		b, err := os.ReadFile("../../../web/locale/cabinet." + string(lang) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var words map[string]any
		if err := json.Unmarshal(b, &words); err != nil {
			t.Fatal(err)
		}
		for key, numbers := range map[string][]int{"cabinet.channel.sms.hint": {int(r.QuietFrom.Hours()), int(r.QuietUntil.Hours())}, "cabinet.code.hint": {6, int(r.CodeFor.Minutes())}} {
			for i, n := range regexp.MustCompile(`\d+`).FindAllString(words[key].(string), -1) {
				if i >= len(numbers) || n != strconv.Itoa(numbers[i]) {
					t.Errorf("%s %s: %s, want %v", lang, key, words[key], numbers)
				}
			}
		}
	}
}

func TestShortTextsSayNothingOfHealthAndFit(t *testing.T) {
	allowed := append([]string{"Code", "Minutes"}, message.ShortArgs...)
	seen := 0
	for _, lang := range tesdiq.Langs {
		files, err := filepath.Glob("../../../web/locale/*." + string(lang) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var words map[string]any
			if err := json.Unmarshal(b, &words); err != nil {
				t.Fatal(err)
			}
			for key, value := range words {
				// Whatever component a message is of, its short text ends so.
				if !strings.HasSuffix(key, ".short") && !strings.HasPrefix(key, "message.email.") {
					continue
				}
				seen++
				text, ok := value.(string)
				if !ok {
					t.Errorf("%s %s: not one text", lang, key)
				}
				if found := unsaid.FindString(text); found != "" {
					t.Errorf("%s %s says %q: %s", lang, key, found, text)
				}
				if strings.HasPrefix(key, "message.email.") {
					continue
				}
				for _, m := range regexp.MustCompile(`\{\{(.*?)\}\}`).FindAllStringSubmatch(text, -1) {
					if !slices.Contains(allowed, strings.TrimPrefix(m[1], ".")) {
						t.Errorf("%s %s: %s may not stand in a short text", lang, key, m[0])
					}
				}
				most, filled := 3, regexp.MustCompile(`\{\{.*?\}\}`).ReplaceAllString(text, "E-2026-0000123")
				if key == "message.code.short" {
					most, filled = 1, strings.NewReplacer("{{.Code}}", "000000", "{{.Minutes}}", "15").Replace(text)
				}
				if parts, err := smpp.Split(filled, 0); err != nil || len(parts) > most {
					t.Errorf("%s %s: %d parts, %v", lang, key, len(parts), err)
				}
			}
		}
	}
	if seen < 3*8 {
		t.Errorf("only %d texts were looked at", seen)
	}
}
