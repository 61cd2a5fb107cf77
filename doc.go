// Package tesdiq holds the words that every part of the service speaks: identifiers (FIN, VOEN, DocumentNumber), names,
// dates and working days, money, the authentication code, verdicts and problems.
//
// It imports only the standard library, decides nothing about a case, and reads and writes nothing.
package tesdiq
