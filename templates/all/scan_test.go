package all_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/templates"
)

// The QR code reads from a print that was scanned at 150 dpi: greyish paper, pale ink, laid on askew, out of focus, with
// noise.
func TestTheQRReadsFromAScan(t *testing.T) {
	for name, s := range pages(t) {
		if !strings.HasSuffix(name, "-long") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pdf, err := templates.Draw(s)
			if err != nil {
				t.Fatal(err)
			}
			base := filepath.Join(t.TempDir(), "page")
			if err := os.WriteFile(base+".pdf", pdf, 0o600); err != nil {
				t.Fatal(err)
			}
			command(t, "pdftoppm", "-r", "150", "-gray", "-png", "-singlefile", base+".pdf", base)
			page := readPNG(t, base+".png")
			for seed := range uint64(2) {
				scan := fmt.Sprintf("%s-%d.png", base, seed)
				writePNG(t, scan, scanned(page, rand.New(rand.NewPCG(seed, uint64(len(name))))))
				if *keep != "" {
					writePNG(t, filepath.Join(*keep, fmt.Sprintf("scan-%s-%d.png", name, seed)), readPNG(t, scan))
				}
				if got := strings.TrimSpace(command(t, "zbarimg", "-q", "--raw", scan)); got != s.QR {
					t.Errorf("scan %d: the QR says %q", seed, got)
				}
			}
		})
	}
}

// scanned is a page as a scanner sees its print.
func scanned(page *image.Gray, random *rand.Rand) *image.Gray {
	const (
		paper, ink = 232, 58 // of 255
		blur       = 0.7     // of a pixel, the deviation of the lens
		noise      = 8       // of 255, the deviation of the sensor
		askew      = 1       // degrees at most
	)
	angle := (2*random.Float64() - 1) * askew * math.Pi / 180
	sin, cos := math.Sincos(angle)
	dx, dy := random.Float64(), random.Float64()
	b := page.Bounds()
	cx, cy := float64(b.Dx())/2, float64(b.Dy())/2
	at := func(x, y int) float64 {
		if x < 0 || y < 0 || x >= b.Dx() || y >= b.Dy() {
			return 255
		}
		return float64(page.GrayAt(x, y).Y)
	}
	var weights [5]float64
	sum := 0.0
	for i := range weights {
		weights[i] = math.Exp(-float64((i-2)*(i-2)) / (2 * blur * blur))
		sum += weights[i]
	}
	turned := make([]float64, b.Dx()*b.Dy())
	for y := range b.Dy() {
		for x := range b.Dx() {
			fx, fy := float64(x)-cx, float64(y)-cy
			u, v := cx+fx*cos-fy*sin+dx, cy+fx*sin+fy*cos+dy
			x0, y0 := int(math.Floor(u)), int(math.Floor(v))
			p, q := u-float64(x0), v-float64(y0)
			turned[y*b.Dx()+x] = (at(x0, y0)*(1-p)+at(x0+1, y0)*p)*(1-q) + (at(x0, y0+1)*(1-p)+at(x0+1, y0+1)*p)*q
		}
	}
	blurred := func(from []float64, step int) []float64 {
		to := make([]float64, len(from))
		for i := range from {
			for k, w := range weights {
				to[i] += from[min(max(i+(k-2)*step, 0), len(from)-1)] * w / sum
			}
		}
		return to
	}
	soft := blurred(blurred(turned, 1), b.Dx())
	out := image.NewGray(b)
	for i, v := range soft {
		v = ink + v/255*(paper-ink) + random.NormFloat64()*noise
		out.Pix[i] = uint8(min(max(v, 0), 255))
	}
	return out
}

func readPNG(t *testing.T, name string) *image.Gray {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewGray(m.Bounds())
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			out.Set(x, y, color.GrayModel.Convert(m.At(x, y)))
		}
	}
	return out
}

func writePNG(t *testing.T, name string, m image.Image) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
