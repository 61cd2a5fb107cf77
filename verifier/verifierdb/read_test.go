package verifierdb_test

import (
	"bytes"
	"testing"

	"github.com/tesdiq/tesdiq/verifier"
)

func read(t *testing.T, content []byte) verifier.File {
	t.Helper()
	f, err := verifier.ReadFile(bytes.NewReader(content), verifier.NewRoom(verifier.MaxFile))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
