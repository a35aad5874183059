//! Runs `prof` the way people do, on real programs, and compares what it says with what is known to be true.

mod allocators;
mod apps;
mod bad_input;
mod behaviors;
mod clocks;
mod copiers;
mod embedding;
mod held;
mod kill;
mod languages;
mod memory;
mod natives;
mod outputs;
mod parts;
mod processes;
mod prof;
mod pymalloc;
mod same_program;
mod selfsized;
mod selftimed;
mod subinterpreters;
mod tour;
mod truth;
mod waits;
