//! System calls and foreign memory behind safe functions.

#[expect(unsafe_code, reason = "reads addresses that may not be mapped")]
pub(crate) mod probe;
