package tserasdb

import "testing"

// SmallBatches lets the loops take one case at a time until the test ends.
func SmallBatches(t *testing.T) {
	decide, draw, correct := decideBatch, drawBatch, correctBatch
	decideBatch, drawBatch, correctBatch = 1, 1, 1
	t.Cleanup(func() { decideBatch, drawBatch, correctBatch = decide, draw, correct })
}
