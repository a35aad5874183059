//! The rows by topic. Each says what goes wrong, and asks for more than the invariants where the catalogue does.

pub(crate) mod allocator;
pub(crate) mod copies;
pub(crate) mod disk;
pub(crate) mod ends;
pub(crate) mod environment;
pub(crate) mod forks;
pub(crate) mod limits;
pub(crate) mod reader;
pub(crate) mod ring;
pub(crate) mod signals;
pub(crate) mod soak;
pub(crate) mod stacks;
pub(crate) mod stops;
pub(crate) mod ticks;
