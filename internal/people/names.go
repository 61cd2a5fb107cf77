package people

import (
	"math/rand/v2"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// Given names, men's and women's. A man's name with "oğlu" or "qızı" is also what comes after the father.
var (
	menNames = strings.Fields(`Əli Vüqar Elçin Rəşad Murad Tural Orxan Elvin Kamran Samir Fərid Rauf Nizami Vaqif Oqtay
		İlqar Zaur Anar Emin Cavid Ramil Pərviz Ruslan Səbuhi Tofiq Yaşar Şahin Ceyhun Həsən Hüseyn İsmayıl İbrahim Məhəmməd
		Mübariz Natiq Novruz Ömər Polad Qurban Rövşən Rüstəm Sərxan Şükür Təbriz Ülvi Vasif Xəyal Yusif Zahid Əhməd Ədalət
		Bəxtiyar Babək Cəmil Çingiz Davud Eldar Fuad Fəxrəddin Gündüz Habil İlham İsgəndər Kənan Lətif Məcid Nəriman Nəsib
		Ramin Rasim Səməd Süleyman Tahir Teymur Uğur Valeh Veysəl Ziya Əkbər Əşrəf Şamil Aqil Akif Aslan Azər`)
	womenNames = strings.Fields(`Nərmin Aysel Günay Sevinc Ləman Leyla Aygün Könül Nigar Fidan Gülnar Günel Xəyalə Lalə
		Mehriban Nəzrin Pərvanə Röya Sevda Şəbnəm Təranə Ülviyyə Vəfa Xədicə Yeganə Zəhra Zərifə Əsmər Aidə Afət Arzu Aytən
		Bahar Çinarə Dilarə Elmira Elnarə Esmira Fatimə Firuzə Gülşən Həcər Humay İradə Jalə Kəmalə Lamiyə Mədinə Məlahət
		Nailə Nuranə Ofelya Qönçə Reyhan Rübabə Səadət Səbinə Solmaz Şahnaz Tamilla Tünzalə Ulduz Validə Xatirə Ziba
		Xuraman Züleyxa Əminə Ayşən İlahə Sona Banu Gövhər Məryəm Nübar Rəna Sürəyya`)
)

// surnames are made of a stem; the ending of some agrees with the sex.
var (
	// -ov/-ova after a consonant: Məmməd → Məmmədov, Məmmədova.
	stemsOv = strings.Fields(`Məmməd Həsən Hüseyn İbrahim İsmayıl Səfər Kərim Rəhim Süleyman Cəfər Əhməd Bayram Abbas Murad
		Qasım Nəzər Şirin Mustafa Mahmud Rüstəm Heydər Novruz Tahir Yusif Əsgər Əzim Bağır Fərhad Zeynal Sultan Qəhrəman
		Rəsul Kazım Xəlil Həmid Mirzəcan Teymur Baxış Pənah`)
	// -yev/-yeva after a vowel: Əli → Əliyev, Əliyeva; the stem keeps its vowel.
	stemsYev = strings.Fields(`Əli Quli Vəli Nəbi Tağı Nağı Ağa Mirzə Hacı Xudu Musa Abdulla İsa Zəki Bala Rza Kərbəlayı Şıxı Mövlu
		Zülfü`)
	// The same for both.
	surnamesBoth = strings.Fields(`Hacızadə Əlizadə Məmmədzadə Rəsulzadə Kərimzadə Ağazadə Mirzəzadə Bəyzadə Qasımzadə Əhmədzadə
		Abbaslı Nəsirli Bayramlı Həsənli Rzalı Əsgərli Kərimli Cəfərli Məmmədli Əliyarlı Quluzadə Yusifli Orucoğlu
		Səfərli Şirinli Muradlı İsalı Vəlizadə Bünyadlı Qurbanlı Teymurlu Novruzlu Mahmudlu Üzümlü Süleymanlı Dadaşoğlu
		Şahbəyli İmanbəyli Hacıbəyli Sultanbəyli`)
)

// surname makes a surname that agrees with the sex.
func surname(r *rand.Rand, sex tesdiq.Sex) string {
	n := r.IntN(len(stemsOv) + len(stemsYev) + len(surnamesBoth))
	switch {
	case n < len(stemsOv):
		return stemsOv[n] + ending(sex, "ov", "ova")
	case n < len(stemsOv)+len(stemsYev):
		return stemsYev[n-len(stemsOv)] + ending(sex, "yev", "yeva")
	default:
		return surnamesBoth[n-len(stemsOv)-len(stemsYev)]
	}
}

func ending(sex tesdiq.Sex, man, woman string) string {
	if sex == tesdiq.Female {
		return woman
	}
	return man
}

// nameOf makes a name; a few have no father's name.
func nameOf(r *rand.Rand, sex tesdiq.Sex) tesdiq.Name {
	given := menNames
	if sex == tesdiq.Female {
		given = womenNames
	}
	n := tesdiq.Name{Surname: surname(r, sex), Given: pick(r, given), Father: pick(r, menNames)}
	if r.IntN(500) == 0 {
		n.Father = ""
	}
	return n
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
