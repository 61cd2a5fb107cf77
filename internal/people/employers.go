package people

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// Employer is an invented employer.
type Employer struct {
	VOEN      tesdiq.VOEN
	Name      string
	Workplace string
	positions []string
}

// The first word of every employer says that it is none: "example", "sample", "trial", "model", "dream".
var (
	employerFirst  = []string{"Nümunə", "Örnək", "Sınaq", "Misal", "Xəyal"}
	employerSecond = []struct{ word, positions string }{
		{"İnşaat", "mühəndis|usta|iş icraçısı|anbardar|mühasib|hüquqşünas|qaynaqçı"},
		{"Toxuculuq", "tikişçi|texnoloq|keyfiyyət üzrə mütəxəssis|anbardar|mühasib"},
		{"Ticarət", "satıcı|kassir|filial müdiri|anbardar|mühasib|marketoloq"},
		{"Nəqliyyat", "sürücü|dispetçer|mexanik|mühasib|logistika üzrə mütəxəssis"},
		{"Tədris Mərkəzi", "müəllim|metodist|kitabxanaçı|psixoloq|katibə"},
		{"Klinika", "həkim-terapevt|tibb bacısı|laborant|qeydiyyatçı|mühasib"},
		{"Aqro", "aqronom|traktorçu|baytar həkimi|briqadir|mühasib"},
		{"Proqram Təminatı", "proqramçı|sistem inzibatçısı|layihə rəhbəri|dizayner|testçi"},
		{"Mehmanxana", "inzibatçı|aşpaz|ofisiant|xidmətçi|mühasib"},
		{"Enerji Servis", "elektrik mühəndisi|növbə rəisi|montyor|əməyin mühafizəsi üzrə mütəxəssis"},
	}
	// The forms of the law, in full as they stand in a contract.
	legalForms = []string{
		"Məhdud Məsuliyyətli Cəmiyyəti", "Məhdud Məsuliyyətli Cəmiyyəti", "Məhdud Məsuliyyətli Cəmiyyəti",
		"Açıq Səhmdar Cəmiyyəti", "Qapalı Səhmdar Cəmiyyəti",
	}
	towns = strings.Fields("Bakı Sumqayıt Gəncə Mingəçevir Şirvan Lənkəran Şəki Quba Naxçıvan Yevlax Şəmkir Xaçmaz Salyan Ağdam Şuşa Zaqatala")
)

// employersOf makes the first n employers, always the same ones.
func employersOf(n int) []Employer {
	employers := make([]Employer, 0, n)
	for i, v := range voens(castVOENs + n)[castVOENs:] {
		r := rand.New(rand.NewPCG(0xE3910E5, uint64(i)))
		kind, town := pick(r, employerSecond), pick(r, towns)
		employers = append(employers, Employer{
			VOEN: v,
			Name: fmt.Sprintf("“%s %s-%d” %s", pick(r, employerFirst), kind.word, i+1, pick(r, legalForms)),
			Workplace: pick(r, []string{
				"", town + " filialı", town + " şəhəri, mərkəzi ofis", fmt.Sprintf("%s şəhəri, %d saylı sahə", town, 1+r.IntN(20)),
			}),
			positions: strings.Split(kind.positions, "|"),
		})
	}
	return employers
}

// voens are the first n invented VÖENs of legal persons with a true check digit. Their territory, 99, is nobody's.
// A serial number whose check would be ten has none.
func voens(n int) []tesdiq.VOEN {
	found := make([]tesdiq.VOEN, 0, n)
	for serial := 1; len(found) < n; serial++ {
		for check := '0'; check <= '9'; check++ {
			if v := tesdiq.VOEN(fmt.Sprintf("99%06d%c1", serial, check)); v.CheckDigit() {
				found = append(found, v)
			}
		}
	}
	return found
}
