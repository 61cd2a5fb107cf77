// Package verifier answers what an excerpt is worth: it finds it by its code, its QR or its file, decides the verdict from
// what the registry says at this moment, records who asked and what for, and only then tells.
//
// It cannot issue, sign, revoke or change anything, and it keeps no file.
package verifier
