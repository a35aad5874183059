//! Benches of the workspace; see README.md in this folder.

pub mod program;
pub mod random;
pub mod sampling;
pub mod truth;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the profiler as a release and returns where it is.
///
/// # Panics
/// If it does not build: a bench has nothing to measure then.
pub fn built_prof() -> PathBuf {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of a workspace");
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(workspace).args(["build", "--release", "-p", "profcli", "-p", "profshim"]);
    let built = build.status().expect("cargo starts");
    assert!(built.success(), "the profiler does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    workspace.join(target.unwrap_or_else(|| "target".into())).join("release/prof")
}
