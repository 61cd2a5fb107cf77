package people

import (
	"hash/fnv"

	"github.com/tesdiq/tesdiq"
)

// Districts are where invented people live: places that exist, as the population register names them.
var Districts = []string{
	"Binəqədi", "Nərimanov", "Nəsimi", "Nizami", "Qaradağ", "Sabunçu", "Səbail", "Suraxanı", "Xətai", "Xəzər", "Yasamal",
	"Sumqayıt", "Gəncə", "Mingəçevir", "Şirvan", "Lənkəran", "Şəki", "Quba", "Xaçmaz", "Bərdə", "Ağdam", "Füzuli", "Salyan", "Sabirabad",
	"Masallı", "Cəlilabad", "Göyçay", "Ağsu", "Şamaxı", "İsmayıllı", "Qəbələ", "Zaqatala", "Balakən", "Tovuz", "Qazax", "Şəmkir", "Göygöl",
	"Naxçıvan", "Ordubad", "Şərur",
}

// Institution is an invented medical institution.
type Institution struct {
	Code     string
	Name     string
	District string
}

// Institutions are one for each district, and three that serve the whole country.
var Institutions = func() []Institution {
	all := []Institution{
		{"M001", "Nümunə Onkologiya Mərkəzi", "Nəsimi"}, {"M002", "Nümunə Göz Xəstəlikləri Mərkəzi", "Yasamal"}, {"M003", "Nümunə Nefrologiya Mərkəzi", "Xətai"},
	}
	for i, d := range Districts {
		code := []byte("P000")
		code[2], code[3] = '0'+byte((i+1)/10), '0'+byte((i+1)%10)
		all = append(all, Institution{string(code), "Nümunə " + d + " poliklinikası", d})
	}
	return all
}()

// DistrictOf is where somebody lives: always the same for the same person.
func DistrictOf(fin tesdiq.FIN) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(fin)) // it cannot fail
	return Districts[h.Sum32()%uint32(len(Districts))]
}

// PolyclinicOf is where somebody is registered for treatment: that of his district.
func PolyclinicOf(fin tesdiq.FIN) Institution {
	district := DistrictOf(fin)
	for _, i := range Institutions[3:] {
		if i.District == district {
			return i
		}
	}
	panic("people: a district without a polyclinic")
}
