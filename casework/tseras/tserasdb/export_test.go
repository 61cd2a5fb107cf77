package tserasdb

import "testing"

// SmallBatches lets the loops take one case at a time until the test ends.
func SmallBatches(t *testing.T) {
	decide, silent, draw, correct := decideBatch, silentBatch, drawBatch, correctBatch
	decideBatch, silentBatch, drawBatch, correctBatch = 1, 1, 1, 1
	t.Cleanup(func() { decideBatch, silentBatch, drawBatch, correctBatch = decide, silent, draw, correct })
}

// DrawBatches makes the draw's batches small until the test ends, and how many of them one call looks at.
func DrawBatches(t *testing.T, size, looks int) {
	batch, before := drawBatch, drawLooks
	drawBatch, drawLooks = size, looks
	t.Cleanup(func() { drawBatch, drawLooks = batch, before })
}

// Ahead lets n rounds be committed ahead until the test ends.
func Ahead(t *testing.T, n int) {
	all := ahead
	ahead = n
	t.Cleanup(func() { ahead = all })
}
