package web_test

import (
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

func TestNumbersAreWrittenAsTheReaderWritesThem(t *testing.T) {
	for lang, want := range map[tesdiq.Lang]string{tesdiq.Az: "12,3 45,0% 0,0%", tesdiq.En: "12.3 45.0% 0.0%", tesdiq.Ru: "12,3 45,0\u00a0% 0,0\u00a0%"} {
		if got := web.Decimal(lang, 12.345, 1) + " " + web.Percent(lang, 0.45) + " " + web.Percent(lang, 0); got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}
