//! Benches of the workspace; see README.md in this folder.
