// Package gateway asks other agencies' registers about a person, for a case and a purpose, in X-Road's message protocol for REST
// (PR-REST 1.0). Every question and every answer is sealed by the agency that sends it, written down before it counts, and kept whole, so that
// it can be checked without network and without the agencies (docs/adr/0015).
//
// A register that does not answer is a NoAnswer with its reason. It is never taken for "nothing found", which is an answer of its own.
package gateway
