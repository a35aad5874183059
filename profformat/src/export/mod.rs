//! From a profile to the bytes of an output.

pub mod escape;
pub mod text;
