package templates

import (
	"encoding/binary"
	"math"
)

// sRGB is a profile of the colour space in which our pages are drawn (ICC.1:2001-04, version 2.4: what every reader of
// PDF/A knows), made from the numbers of IEC 61966-2-1: primaries adapted to D50, and the curve as a table.
func sRGB() []byte {
	type tag struct {
		name string
		data []byte
	}
	xyz := func(x, y, z float64) []byte {
		b := append([]byte("XYZ "), 0, 0, 0, 0)
		for _, v := range [3]float64{x, y, z} {
			b = binary.BigEndian.AppendUint32(b, fixed(v))
		}
		return b
	}
	const name = "sRGB IEC61966-2.1"
	described := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)+1))
	described = append(append(described, name...), make([]byte, 1+4+4+2+1+67)...) // no Unicode and no Macintosh name
	curve := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), curvePoints)
	for i := range curvePoints {
		curve = binary.BigEndian.AppendUint16(curve, uint16(math.Round(65535*linear(float64(i)/(curvePoints-1)))))
	}
	tags := []tag{
		{"desc", described},
		{"cprt", append([]byte("text\x00\x00\x00\x00"), "Public domain\x00"...)},
		{"wtpt", xyz(0.9642, 1, 0.8249)},
		{"rXYZ", xyz(0.43607, 0.22249, 0.01392)},
		{"gXYZ", xyz(0.38515, 0.71687, 0.09708)},
		{"bXYZ", xyz(0.14307, 0.06061, 0.71410)},
		{"rTRC", curve}, {"gTRC", nil}, {"bTRC", nil}, // the same curve for all three
	}
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var data []byte
	at, size := 0, 0
	for _, t := range tags {
		if t.data != nil {
			for len(data)%4 != 0 {
				data = append(data, 0)
			}
			at, size = profileHeader+4+12*len(tags)+len(data), len(t.data)
			data = append(data, t.data...)
		}
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(at))
		table = binary.BigEndian.AppendUint32(table, uint32(size))
	}
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	h := make([]byte, profileHeader)
	binary.BigEndian.PutUint32(h, uint32(profileHeader+len(table)+len(data)))
	binary.BigEndian.PutUint32(h[8:], 0x02400000)
	copy(h[12:], "mntrRGB XYZ ")
	for i, n := range [6]uint16{2026, 1, 1, 0, 0, 0} { // made; a constant, for the same page has the same bytes
		binary.BigEndian.PutUint16(h[24+2*i:], n)
	}
	copy(h[36:], "acsp")
	copy(h[68:], xyz(0.9642, 1, 0.8249)[8:]) // the illuminant of all profiles, D50
	return append(append(h, table...), data...)
}

const (
	profileHeader = 128
	curvePoints   = 256
)

// fixed is s15Fixed16Number of ICC.1.
func fixed(v float64) uint32 { return uint32(int32(math.Round(v * 65536))) }

// linear is the light of a value of sRGB, both from 0 to 1 (IEC 61966-2-1, 5.2).
func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
