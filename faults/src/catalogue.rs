//! The rows, in the order of their numbers. All of them have to pass.

use crate::row::Row;
use crate::rows::{allocator, forks, ticks};

/// The catalogue.
pub(crate) static ROWS: &[Row] = &[
    Row { number: "1", fault: "tick storm inside malloc", try_it: ticks::storm_inside_malloc },
    Row {
        number: "13",
        fault: "fork while every thread allocates",
        try_it: forks::while_allocating,
    },
    Row {
        number: "27",
        fault: "the malloc family, edge arguments",
        try_it: allocator::edge_arguments,
    },
];

/// What is asked for by `--soak`.
pub(crate) static SOAK: Row =
    Row { number: "soak", fault: "hours at the highest rate", try_it: crate::rows::soak::soak };
