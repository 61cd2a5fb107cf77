package criteria

import (
	"testing"

	"github.com/tesdiq/tesdiq"
)

func TestANameWithinASentenceBeginsSmall(t *testing.T) {
	for _, c := range []struct {
		lang         tesdiq.Lang
		name, within string
	}{
		{tesdiq.Az, "Müəyyən edilib", "müəyyən edilib"},
		{tesdiq.Az, "İşemiyanın II mərhələsi", "işemiyanın II mərhələsi"},
		{tesdiq.Az, "Ilıq", "ılıq"},
		{tesdiq.Az, "XBX II mərhələ", "XBX II mərhələ"},
		{tesdiq.Az, "I klinik mərhələ", "I klinik mərhələ"},
		{tesdiq.Az, "A sinfi (Çayld–Pyu)", "A sinfi (Çayld–Pyu)"},
		{tesdiq.Az, "10–0 dərəcə", "10–0 dərəcə"},
		{tesdiq.En, "Ischaemia stage II", "ischaemia stage II"},
		{tesdiq.En, "GMFCS IV–V", "GMFCS IV–V"},
		{tesdiq.Ru, "Установлено", "установлено"},
		{tesdiq.Ru, "С дыхательной недостаточностью II степени", "с дыхательной недостаточностью II степени"},
		{tesdiq.Ru, "ХПН III", "ХПН III"},
		{tesdiq.Ru, "I стадия", "I стадия"},
		{tesdiq.Ru, "", ""},
	} {
		if got := within(c.lang, c.name); got != c.within {
			t.Errorf("%s: %q is %q, want %q", c.lang, c.name, got, c.within)
		}
	}
}
