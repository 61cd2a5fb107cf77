package templates

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"
	"rsc.io/qr/coding"
)

// Two encoders that share nothing draw the same picture but for the mask; by the standard's measure ours is no worse.
func TestTheCodeIsThatOfAnotherEncoder(t *testing.T) {
	for n := range 60 {
		text := strings.Repeat("7K2M9QXA4TRCW8HNR/", 10)[n : 2*n+20]
		other, err := qrcode.New(text, qrcode.Medium)
		if err != nil {
			t.Fatal(err)
		}
		other.DisableBorder = true
		bitmap := other.Bitmap()
		want := qrCode{len(bitmap), make([]uint64, len(bitmap))}
		for y, row := range bitmap {
			for x, dark := range row {
				want.rows[y] |= uint64(btoi(dark)) << x
			}
		}
		got, err := newQR(text)
		if err != nil {
			t.Fatal(err)
		}
		if got.side != want.side {
			t.Fatalf("%q: %d modules, not %d", text, got.side, want.side)
		}
		form, err := qrForms[coding.M][(got.side-17)/4]()
		if err != nil {
			t.Fatal(err)
		}
		plain, err := encodeQR(form.plan, segments(text)...)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, mask := range form.masks {
			masked := slices.Clone(plain.rows)
			for y := range masked {
				masked[y] ^= mask[y]
			}
			found = found || slices.Equal(masked, want.rows)
		}
		if !found {
			t.Errorf("%q: the other encoder's picture is none of ours", text)
		}
		if slowPenalty(got) > slowPenalty(want) {
			t.Errorf("%q: penalty %d, the other's %d", text, slowPenalty(got), slowPenalty(want))
		}
	}
}

// The penalty is counted with bits; here it is counted by walking over the modules, as the standard's words go.
func TestThePenaltyIsThatOfTheStandard(t *testing.T) {
	for i := range 20 {
		q, err := newQR(fmt.Sprintf("https://tesdiq.example/v/%0*d", i*9+1, i*7919))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := q.penalty(), slowPenalty(q); got != want {
			t.Errorf("%d modules: %d, not %d", q.side, got, want)
		}
	}
}

func slowPenalty(q qrCode) int {
	n, points, dark := q.side, 0, 0
	at := func(x, y int) bool { return q.rows[y]>>x&1 == 1 }
	for _, line := range []func(i, j int) bool{at, func(i, j int) bool { return at(j, i) }} {
		for j := range n {
			var text strings.Builder
			for i, run := 0, 0; i < n; i++ {
				if i > 0 && line(i, j) == line(i-1, j) {
					run++
				} else {
					run = 1
				}
				switch {
				case run == 5:
					points += 3
				case run > 5:
					points++
				}
				text.WriteByte("01"[btoi(line(i, j))])
			}
			for s := text.String(); s != ""; s = s[1:] {
				if strings.HasPrefix(s, "10111010000") {
					points += 40
				}
				if strings.HasPrefix(s, "00001011101") {
					points += 40
				}
			}
		}
	}
	for y := range n {
		for x := range n {
			dark += btoi(at(x, y))
			if x > 0 && y > 0 && at(x, y) == at(x-1, y) && at(x, y) == at(x, y-1) && at(x, y) == at(x-1, y-1) {
				points += 3
			}
		}
	}
	percent := 100 * float64(dark) / float64(n*n)
	if percent < 50 {
		percent = 100 - percent
	}
	return points + 10*int((percent-50)/5)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestAReaderReadsTheCodeInEveryVersion(t *testing.T) {
	versions := map[int]bool{}
	for length := 1; length <= 290; length += 8 {
		text := "https://" + strings.Repeat("tesdiq-example.", 20)[:length] + "/v/7K2M9QXA4TRCW8HNR"
		q, err := newQR(text)
		if err != nil {
			t.Fatal(err)
		}
		versions[q.side] = true
		if got := strings.TrimSpace(read(t, q)); got != text {
			t.Errorf("%d modules: read as %q", q.side, got)
		}
	}
	if len(versions) < 8 {
		t.Errorf("only versions %v", versions)
	}
	if _, err := newQR(strings.Repeat("x", 322)); err != errQRLong {
		t.Error(err)
	}
}

func read(t *testing.T, q qrCode) string {
	t.Helper()
	const scale = 4
	m := image.NewGray(image.Rect(0, 0, scale*(q.side+8), scale*(q.side+8)))
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			m.SetGray(x, y, color.Gray{255})
			if i, j := x/scale-4, y/scale-4; i >= 0 && j >= 0 && i < q.side && j < q.side && q.rows[j]>>i&1 == 1 {
				m.SetGray(x, y, color.Gray{0})
			}
		}
	}
	file := filepath.Join(t.TempDir(), "qr.png")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("zbarimg", "-q", "--raw", file).Output()
	if err != nil {
		t.Fatalf("%d modules: zbarimg: %v", q.side, err)
	}
	return string(out)
}

func BenchmarkQR(b *testing.B) {
	for b.Loop() {
		if _, err := newQR("https://tesdiq.example/v/7K2M9QXA4TRCW8HNR"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkQRGoQRCode is what BenchmarkQR is measured against.
func BenchmarkQRGoQRCode(b *testing.B) {
	for b.Loop() {
		q, err := qrcode.New("https://tesdiq.example/v/7K2M9QXA4TRCW8HNR", qrcode.Medium)
		if err != nil {
			b.Fatal(err)
		}
		q.Bitmap()
	}
}
