//! What profilers tell about programs that know the truth about themselves.
//!
//! ```text
//!  programs -> run -> what the program printed -> claim ---+
//!                \                                         +-> rows -> table
//!                 -> trace, or a peer's output -> told ----+
//! ```

pub mod claim;
pub mod interpreters;
pub mod memory;
pub mod peers;
pub mod programs;
pub mod row;
pub mod rows;
pub mod run;
pub mod suite;
pub mod table;
pub mod told;
