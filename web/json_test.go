package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

type sent struct {
	Number string      `json:"number"`
	On     tesdiq.Date `json:"on"`
	Main   struct {
		Code string `json:"code"`
	} `json:"main"`
	Tests []struct {
		Code  string `json:"code"`
		Value int    `json:"value"`
	} `json:"tests,omitempty"`
}

func TestJSONIsReadAsItWasMeantOrNotAtAll(t *testing.T) {
	var s sent
	if err := web.ReadJSON([]byte(` {"number":"1","on":"2026-11-22","main":{"code":"A"},"tests":[{"code":"x","value":3}]}`), &s); err != nil || s.Tests[0].Value != 3 || s.On.ISO() != "2026-11-22" {
		t.Errorf("%+v, %v", s, err)
	}
	for body, want := range map[string]string{
		`{"number":"1","number":"2"}`:                    "number: json.twice",
		`{"main":{"code":"A","code":"B"}}`:               "main.code: json.twice",
		`{"tests":[{"code":"A"},{"value":1,"value":1}]}`: "tests[1].value: json.twice",
		`{"NUMBER":"1"}`:                                 "NUMBER: json.unknown",
		`{"main":{"Code":"A"}}`:                          "main.Code: json.unknown",
		`{"number":null}`:                                "number: json.type",
		`{"number":1,"main":"A","tests":{}}`:             "number: json.type; main: json.type; tests: json.type",
		`{"tests":[{"value":1.5}]}`:                      "tests[0].value: json.type",
		`{"on":"tomorrow"}`:                              "on: date.malformed",
		`{"on":5}`:                                       "on: json.type",
		`[]`:                                             "json.malformed",
		`{"number":"1"} {}`:                              "json.malformed",
		`{"number":"` + "\xff" + `"}`:                    "json.malformed",
		`{"number":"1"`:                                  "json.malformed",
		``:                                               "json.malformed",
		`{"` + strings.Repeat("ə", 40) + `":1}`:          strings.Repeat("ə", 25) + ": json.unknown",
	} {
		if err := web.ReadJSON([]byte(body), &sent{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	many := "{" + strings.TrimSuffix(strings.Repeat(`"x":1,`, 50), ",") + "}"
	if err := web.ReadJSON([]byte(many), &sent{}); len(tesdiq.ProblemsOf(err)) != 20 {
		t.Errorf("%v", err)
	}
}

func TestIdempotencyKey(t *testing.T) {
	for _, c := range []struct {
		given []string
		want  string // empty: malformed
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{" \t"}, ""},
		{[]string{"17-2026"}, "17-2026"},
		{[]string{" \"17 2026\" "}, "\"17 2026\""},
		{[]string{"a", "b"}, "a, b"},
		{[]string{strings.Repeat("~", 200)}, strings.Repeat("~", 200)},
		{[]string{strings.Repeat("~", 201)}, ""},
		{[]string{"a\x00"}, ""},
		{[]string{"a\x7fb"}, ""},
		{[]string{"açar"}, ""},
		{[]string{"a\xff"}, ""},
	} {
		key, err := web.IdempotencyKey(http.Header{"Idempotency-Key": c.given})
		if key != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v", c.given, key, err)
		}
	}
}
