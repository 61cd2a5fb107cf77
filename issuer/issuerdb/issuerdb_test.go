package issuerdb_test

import (
	"crypto/sha256"
	"testing"

	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
)

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Cabinet, postgres.Issuer, postgres.Operator)
}

func TestAnExcerptIsDrawn(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.run(w.dispatcher())
	fin, number := w.person("Quliyeva")
	n := w.ask(fin, request(number))
	item := w.wait(fin, n)
	if s := item.State(today); s != issuer.InForce {
		t.Fatalf("state %s, void %v", s, item.VoidReason)
	}
	file, err := w.cabinet.File(t.Context(), fin, n)
	if err != nil {
		t.Fatal(err)
	}
	if sha256.Sum256(file.PDF) != file.SHA256 {
		t.Error("the file is not the one of its hash")
	}
	w.consistent()
}
