// Package twins runs scenarios in which faulty members are two honest replicas
// with one key that know nothing of each other (Bano et al., "Twins: BFT Systems
// Made Robust", OPODIS 2021). Between them they equivocate, forget and say
// different things to different members, and every step of it is the product's own
// code.
//
// A scenario has rounds. Each splits the network into groups and says who is to
// lead: all leave their views for the next that this member leads. Within a group
// everything arrives, across groups nothing does. Who leads proposes a batch, each
// twin another. Scenarios have numbers, so all of few rounds can be run, and of
// more rounds any that a seed draws.
//
// Run is over the replicas of package pure, thousands a second; Plan gives the
// same scenario to the simulator, where actors, disks and time take part.
package twins
