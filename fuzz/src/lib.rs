//! What the targets compare with.

pub mod model;
pub mod plan;
pub mod records;
pub mod totals;
