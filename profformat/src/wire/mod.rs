//! Numbers as bytes: the varints and columns that blocks are made of.

pub(crate) mod columns;
pub(crate) mod cursor;
pub(crate) mod values;
pub(crate) mod varint;
pub(crate) mod zigzag;
