package templates

import (
	"errors"
	"math/bits"
	"sync"

	"rsc.io/qr/coding"
)

// qrCode is a QR code without its quiet zone. Bit x of row y is set where the module is dark.
type qrCode struct {
	side int
	rows []uint64
}

// packed are the rows from the top, eight modules a byte from the left, each row from a byte of its own (ISO 32000-1, 8.9.3).
func (q qrCode) packed() []byte {
	b := make([]byte, 0, len(q.rows)*((q.side+7)/8))
	for _, row := range q.rows {
		for x := 0; x < q.side; x += 8 {
			b = append(b, bits.Reverse8(byte(row>>x)))
		}
	}
	return b
}

// largestQR is the largest version whose rows fit into 64 bits: 61 modules, 251 bytes at level M, 321 at level L.
const largestQR = 11

var errQRLong = errors.New("templates: the address is too long for the QR")

// newQR is the QR code of s at level M (15 % can be damaged), or L (7 %) if it is too long for that, in the smallest version
// that holds it, with the mask that ISO/IEC 18004, 7.8.3 asks for: the one of eight with the lowest penalty.
//
// rsc.io/qr encodes with mask 0 only. Masks are added modulo two to a code that is linear, so two masks of the same
// text differ by a picture that depends on the version alone; it is made once, and each mask costs one XOR a row.
func newQR(s string) (qrCode, error) {
	text := segments(s)
	version, level := coding.Version(coding.MinVersion), coding.M
	for bitsOf(text, version) > version.DataBytes(level)*8 {
		if version++; version <= largestQR {
			continue
		}
		if level == coding.L {
			return qrCode{}, errQRLong
		}
		version, level = coding.MinVersion, coding.L
	}
	f, err := qrForms[level][version]()
	if err != nil {
		return qrCode{}, err
	}
	plain, err := encodeQR(f.plan, text...)
	if err != nil {
		return qrCode{}, err
	}
	best, lowest := qrCode{}, -1
	for _, other := range f.masks {
		q := qrCode{plain.side, make([]uint64, plain.side)}
		for y, row := range plain.rows {
			q.rows[y] = row ^ other[y]
		}
		if p := q.penalty(); lowest < 0 || p < lowest {
			best, lowest = q, p
		}
	}
	return best, nil
}

// segments writes the end of s in the dense alphabet of digits and capitals if it saves room: the code at the end of
// our addresses.
func segments(s string) []coding.Encoding {
	cut := len(s)
	for cut > 0 && coding.Alpha(s[cut-1:cut]).Check() == nil {
		cut--
	}
	whole := []coding.Encoding{coding.String(s)}
	split := []coding.Encoding{coding.String(s[:cut]), coding.Alpha(s[cut:])}
	if cut == 0 {
		split = split[1:]
	}
	if bitsOf(split, coding.MinVersion) < bitsOf(whole, coding.MinVersion) {
		return split
	}
	return whole
}

func bitsOf(text []coding.Encoding, v coding.Version) int {
	n := 0
	for _, t := range text {
		n += t.Bits(v)
	}
	return n
}

// qrForm is what all codes of one version share: where the bits go, and by what each mask differs from mask 0.
type qrForm struct {
	plan  *coding.Plan
	masks [8][]uint64
}

var qrForms = func() (forms [coding.M + 1][largestQR + 1]func() (qrForm, error)) {
	for level := range forms {
		for v := coding.Version(coding.MinVersion); v <= largestQR; v++ {
			forms[level][v] = sync.OnceValues(func() (qrForm, error) { return newQRForm(v, coding.Level(level)) })
		}
	}
	return forms
}()

func newQRForm(v coding.Version, level coding.Level) (qrForm, error) {
	var f qrForm
	var plain qrCode
	for mask := range f.masks {
		plan, err := coding.NewPlan(v, level, coding.Mask(mask))
		if err != nil {
			return qrForm{}, err
		}
		masked, err := encodeQR(plan, coding.String(""))
		if err != nil {
			return qrForm{}, err
		}
		if mask == 0 {
			f.plan, plain = plan, masked
		}
		f.masks[mask] = make([]uint64, len(plain.rows))
		for y := range plain.rows {
			f.masks[mask][y] = plain.rows[y] ^ masked.rows[y]
		}
	}
	return f, nil
}

func encodeQR(plan *coding.Plan, text ...coding.Encoding) (qrCode, error) {
	c, err := plan.Encode(text...)
	if err != nil {
		return qrCode{}, err
	}
	q := qrCode{c.Size, make([]uint64, c.Size)}
	for y := range q.rows {
		for i, eight := range c.Bitmap[y*c.Stride : (y+1)*c.Stride] { // the first module in the highest bit
			q.rows[y] |= uint64(bits.Reverse8(eight)) << (8 * i)
		}
		q.rows[y] &= 1<<c.Size - 1
	}
	return q, nil
}

// penalty is that of ISO/IEC 18004, 7.8.3.1: what makes a code hard to read.
func (q qrCode) penalty() int {
	n, dark := q.side, 0
	columns := make([]uint64, n)
	for y, row := range q.rows {
		dark += bits.OnesCount64(row)
		for ; row != 0; row &= row - 1 {
			columns[bits.TrailingZeros64(row)] |= 1 << y
		}
	}
	inner := uint64(1)<<(n-1) - 1
	points := 10 * (abs(20*dark-10*n*n) / (n * n)) // 10 for each 5 % away from half
	for _, lines := range [2][]uint64{q.rows, columns} {
		for _, line := range lines {
			points += linePenalty(line, n)
		}
	}
	for y := range n - 1 { // 3 for each square of two by two modules
		a, b := q.rows[y], q.rows[y+1]
		points += 3 * bits.OnesCount64(alike(a)&alike(b)&^(a^b)&inner)
	}
	return points
}

// alike has a bit for each module that is as its right neighbour.
func alike(line uint64) uint64 { return ^(line ^ line>>1) }

// linePenalty is 3 for each run of five alike and 1 for each further one of it; and 40 for each pattern that looks like
// a finder's: dark, light, three dark, light, dark, with four light ones on a side.
func linePenalty(line uint64, n int) int {
	same := alike(line) & (1<<(n-1) - 1)
	five := same & (same >> 1) & (same >> 2) & (same >> 3)
	points := bits.OnesCount64(five) + 2*bits.OnesCount64(five&^(five<<1))

	light := ^line & (1<<n - 1)
	finder := line & (light >> 1) & (line >> 2) & (line >> 3) & (line >> 4) & (light >> 5) & (line >> 6)
	four := light & (light >> 1) & (light >> 2) & (light >> 3)
	return points + 40*(bits.OnesCount64(finder&(four>>7))+bits.OnesCount64(finder&(four<<4)))
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
