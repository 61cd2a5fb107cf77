package issuing

import (
	"testing"

	"github.com/tesdiq/tesdiq/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
