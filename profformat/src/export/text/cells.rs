//! What tables of figures are made of: cells, bars and colors, for other views of the same figures.

pub use super::bar::{FILLS, bar, four};
pub use super::number::{
    ByteScale, TimeScale, UNKNOWN, UNMEASURED, ZERO, bytes, count, percent, percents, time,
};
pub use super::page::{Look, SiteKey, Style, cells};
