// Package agencies plays the agencies that the gateway asks: health registers, the population register, the register of contracts. It is a server
// over HTTP that seals its answers, about people whom internal/people invents, and that can be told to be slow, wrong or down.
// It is for the demonstration and for tests; its keys are made at the first start and worth nothing.
package agencies
