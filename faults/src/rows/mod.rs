//! The rows by topic. Each says what goes wrong, and asks for more than the invariants where the catalogue does.

pub(crate) mod allocator;
pub(crate) mod forks;
pub(crate) mod soak;
pub(crate) mod ticks;
