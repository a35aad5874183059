//! Runs `prof` the way people do, on real programs, and compares what it says with what is known to be true.

mod apps;
mod bad_input;
mod clocks;
mod kill;
mod memory;
mod natives;
mod outputs;
mod parts;
mod prof;
mod same_program;
mod selftimed;
mod tour;
mod truth;
mod waits;
