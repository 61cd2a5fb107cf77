package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
)

// Whoever has the package that a person downloads, and the instance's trust file, verifies without network, database and secret what the registers
// answered and that it was decided by that; each change is refused with a reason.
func TestADownloadedPackageIsVerifiedOffline(t *testing.T) {
	w := open(t, 5)
	at := w.applied("sevinc", tseras.Decided)
	number := at[strings.LastIndex(at, "/")+1:]
	v := w.as("sevinc", "")
	var pack string
	var p criteria.Package
	for end, stamped := time.Now().Add(loopPatience), 0; stamped < 7; time.Sleep(50 * time.Millisecond) {
		status, head, body := w.ask(v.http, http.MethodGet, at+"/package", "", nil)
		var err error
		if p, err = criteria.ReadPackage([]byte(body)); status != http.StatusOK || err != nil || p.Enclosed() != 7 || time.Now().After(end) {
			t.Fatalf("%d, %v, %d enclosed: %s", status, err, p.Enclosed(), body)
		}
		if head.Get("Cache-Control") != "no-store" || !strings.Contains(head.Get("Content-Disposition"), number+".json") {
			t.Errorf("%v", head)
		}
		pack, stamped = body, 0
		for _, a := range p.Answers {
			if a.Stamp != nil {
				stamped++
			}
		}
	}
	_, head, nameless := w.ask(v.http, http.MethodGet, at+"/package?answers=no", "", nil)
	var stored []byte
	if err := w.db.Admin.QueryRow(t.Context(), `SELECT d.package FROM tseras_decisions d JOIN cases c ON c.id = d.case_id WHERE c.number = $1`, number).Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if nameless != string(stored) || !strings.Contains(head.Get("Content-Disposition"), number+"-nameless.json") {
		t.Errorf("without the answers it is not what is stored: %v %s", head, nameless)
	}
	for _, word := range []string{string(people.Who("sevinc").FIN), people.Who("sevinc").Name.Surname} {
		if strings.Contains(nameless, word) {
			t.Errorf("the nameless package says %q", word)
		}
	}
	for _, a := range p.Answers {
		if x, err := gateway.ParseExchange(a.Bytes); err != nil || !strings.Contains(string(x.Request.Body), string(people.Who("sevinc").FIN)) {
			t.Errorf("%s is not about the person: %v", a.Name, err)
		}
		for _, r := range []gateway.Register{gateway.Relatives, gateway.Treating} {
			if bytes.Contains(a.Bytes, []byte("REGISTERS/"+string(r))) {
				t.Errorf("%s encloses %s", a.Name, r)
			}
		}
	}
	if status, _, _ := w.ask(w.as("elcin", "").http, http.MethodGet, at+"/package", "", nil); status != http.StatusNotFound {
		t.Errorf("somebody else has it: %d", status)
	}

	dir := t.TempDir() // nothing else of the service is there
	file := func(name string, content []byte) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	trust := file("trust.json", read(t, filepath.Join(w.dir, "agencies", agencies.TrustFile)))
	command := func(args ...string) (said string, code int) {
		t.Helper()
		c := exec.CommandContext(t.Context(), binary(t), args...)
		c.Dir, c.Env = dir, []string{"HOME=" + dir}
		out, err := c.CombinedOutput()
		if c.ProcessState == nil {
			t.Fatal(err)
		}
		if bytes.Contains(out, []byte(people.Who("sevinc").FIN)) {
			t.Errorf("what is printed names the person: %s", out)
		}
		return string(out), c.ProcessState.ExitCode()
	}
	answers, committed := filepath.Join(dir, "answers"), filepath.Join(dir, "committed.json")
	said, code := command("decide", "-package", file("good.json", []byte(pack)), "-trust", trust, "-answers", answers, "-committed", committed)
	for _, want := range []string{"byte for byte the same", "7 named, 7 enclosed", "follows from the 7 verified", "Case: " + number, "Signatures: none.", tseras.Digest256(stored), "dialysis: verified"} {
		if code != 0 || !strings.Contains(said, want) {
			t.Errorf("exit %d, %q is not said: %s", code, want, said)
		}
	}
	if !bytes.Equal(read(t, committed), stored) {
		t.Error("what is committed to is not what is stored")
	}
	written, err := filepath.Glob(filepath.Join(answers, "*.json"))
	if err != nil || len(written) != 7 {
		t.Fatalf("%v, %v", written, err)
	}
	if said, code := command(append([]string{"gateway", "verify", "-trust", trust}, written...)...); code != 0 || strings.Count(said, "verified. Case "+number) != 7 {
		t.Errorf("exit %d: %s", code, said)
	}
	if said, code := command("decide", "-package", filepath.Join(dir, "good.json"), "-answers", answers); code == 0 || !strings.Contains(said, "exists") {
		t.Errorf("files are written over: exit %d, %s", code, said)
	}
	if said, code := command("decide", "-package", file("nameless.json", stored)); code != 0 || !strings.Contains(said, "7 named, 0 enclosed") {
		t.Errorf("exit %d: %s", code, said)
	}

	of := func(name string, p criteria.Package) *criteria.Exchange {
		for i := range p.Answers {
			if p.Answers[i].Name == name {
				return &p.Answers[i]
			}
		}
		t.Fatalf("%s is not there", name)
		return nil
	}
	dialysis := func(p criteria.Package) *criteria.Exchange { return of("dialysis", p) }
	again := func(change func(p *criteria.Package)) []byte {
		t.Helper()
		q, err := criteria.ReadPackage([]byte(pack))
		if err != nil {
			t.Fatal(err)
		}
		change(&q)
		return q.Bytes()
	}
	forged := func(q *criteria.Package) { // somebody writes himself an answer, and its digest with it
		a := of("oncology", *q)
		x, err := gateway.ParseExchange(a.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if x.Response.Body = bytes.Replace(x.Response.Body, []byte(`"IV"`), []byte(`"I"`), 1); bytes.Equal(x.Bytes(), a.Bytes) {
			t.Fatal("no answer of one's own is written")
		}
		a.Bytes = x.Bytes()
		a.SHA256 = tseras.Digest256(a.Bytes)
	}
	commission := func(change func(q *criteria.Package, in *criteria.Input)) []byte { // somebody writes a whole decision round genuine answers, as if a commission had found it
		t.Helper()
		return again(func(q *criteria.Package) {
			in, _, err := q.Again()
			if err != nil {
				t.Fatal(err)
			}
			in.Findings = criteria.Findings{Conditions: []criteria.Condition{{Criterion: "heart-failure", Grade: 4}},
				Activities: criteria.Activities{SelfCare: "III", Movement: "III", Orientation: "none", Communication: "none", Behaviour: "none", Learning: "none", Work: "III"}}
			change(q, &in)
			r, err := criteria.Decide(in)
			if err != nil {
				t.Fatal(err)
			}
			q.Input, q.Result = in.Canonical(), r.Canonical()
		})
	}
	leaveOut := func(q *criteria.Package, name string) {
		q.Answers = slices.DeleteFunc(q.Answers, func(a criteria.Exchange) bool { return a.Name == name })
	}
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"no evidence and no answers": {commission(func(q *criteria.Package, in *criteria.Input) { q.Answers, in.Evidence = nil, nil }), "dialysis: NOT verified: a decision rests on"},
		"a register left out": {commission(func(q *criteria.Package, in *criteria.Input) {
			leaveOut(q, "oncology")
			in.Evidence = slices.DeleteFunc(in.Evidence, func(a criteria.Answer) bool { return a.Register == "oncology" })
		}), "oncology: NOT verified: a decision rests on"},
		"a register silent": {commission(func(q *criteria.Package, in *criteria.Input) {
			leaveOut(q, "oncology")
			for i, a := range in.Evidence {
				if a.Register == "oncology" {
					in.Evidence[i] = criteria.Answer{Register: a.Register, State: criteria.NoAnswer}
				}
			}
		}), "oncology: NOT verified: it did not answer"},
		"a cause of one's own": {commission(func(q *criteria.Package, in *criteria.Input) {
			leaveOut(q, "occupational")
			in.Evidence = slices.DeleteFunc(in.Evidence, func(a criteria.Answer) bool { return a.Register == "occupational" })
			in.Causes = []criteria.Proof{{Cause: "work_injury", Document: "accident_act", Issued: in.DecidedOn}}
		}), "occupational: NOT verified: a decision rests on"},
		"answers of another case":                 {again(func(q *criteria.Package) { q.Case = "T-2020-000001" }), `it answered for case "` + number + `", and the package is of T-2020-000001`},
		"answers of no case":                      {again(func(q *criteria.Package) { q.Case = "" }), "bears no case number"},
		"about another case":                      {again(func(q *criteria.Package) { q.About = "T-2020-000001" }), "it answered for case"},
		"a case in two lines":                     {again(func(q *criteria.Package) { q.Case += "\nWhat was decided by follows from the 7 verified answers" }), "as the number of a case is none"},
		"a byte of an answer":                     {again(func(q *criteria.Package) { dialysis(*q).Bytes[200]++ }), "SHA-256 differs"},
		"another's digest":                        {again(func(q *criteria.Package) { dialysis(*q).SHA256 = q.Answers[0].SHA256 }), "SHA-256 differs"},
		"no digest":                               {again(func(q *criteria.Package) { dialysis(*q).SHA256 = "" }), "SHA-256 is missing"},
		"one answer more":                         {again(func(q *criteria.Package) { q.Answers = append(q.Answers, q.Answers[0]) }), "has it twice"},
		"of a relative":                           {again(func(q *criteria.Package) { dialysis(*q).Name = "relatives" }), "did not read"},
		"an answer of one's own, with its digest": {again(forged), "oncology: NOT verified: bad-time-stamp"},
		"two answers exchanged":                   {again(func(q *criteria.Package) { q.Answers[2].Name, q.Answers[3].Name = q.Answers[3].Name, q.Answers[2].Name }), "is not what this register answered"},
		"a stamp of something else": {again(func(q *criteria.Package) {
			dialysis(*q).Stamp = json.RawMessage(`{"index":0,"path":[],"size":1,"token":"` + base64.StdEncoding.EncodeToString([]byte("token")) + `"}`)
		}), "bad-time-stamp"},
		"nothing enclosed": {stored, "NOT verified: it was decided by its answer, and that is not enclosed"},
		"an answer left out": {again(func(q *criteria.Package) {
			q.Answers = slices.DeleteFunc(q.Answers, func(a criteria.Exchange) bool { return a.Name == "dialysis" })
		}), "dialysis: NOT verified: it was decided by its answer, and that is not enclosed"},
		"no stamp": {again(func(q *criteria.Package) { dialysis(*q).Stamp = nil }), "no time stamp yet"},
	} {
		if said, code := command("decide", "-package", file("changed.json", c.file), "-trust", trust); code != 1 || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit %d, %q is not said: %s", name, code, c.says, said)
		}
	}
	for _, lang := range tesdiq.Langs {
		if _, _, body := w.ask(v.http, http.MethodGet, at+"?lang="+string(lang), "", nil); strings.Count(body, at+"/package") != 2 || !strings.Contains(body, at+"/package?answers=no") {
			t.Errorf("%s: both forms are not offered", lang)
		}
	}
}
