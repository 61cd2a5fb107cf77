// Package tserasdb keeps assessments of disability in PostgreSQL, in parts with the rights that each needs: Desk takes
// applications and referrals, Gatherer asks registers, Drawer draws commissions, Decider computes and enters (all as
// tesdiq_casework); Bench is the members' side (as tesdiq_commission), which knows a case by another number and can find
// no person from it.
package tserasdb
