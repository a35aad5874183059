//! The shim exports what its list names, and needs only what every supported glibc has.

mod shim;

use std::collections::BTreeSet;
use std::process::Command;

fn nm(arguments: &[&str]) -> String {
    let output = Command::new("nm").args(arguments).arg(shim::path()).output().expect("nm runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("symbol names are ASCII")
}

fn listed() -> BTreeSet<&'static str> {
    let source = include_str!("../src/hooks/mod.rs");
    let (_, list) = source.split_once("\nhooks! {\n").expect("there is a list");
    let (list, _) = list.split_once("\n}").expect("the list ends");
    // All but the braces around the hottest.
    list.lines().filter_map(|line| Some(line.split_once(" =>")?.0.trim())).collect()
}

#[test]
fn exports_are_the_list() {
    let symbols = nm(&["-D", "--defined-only"]);
    let exported: BTreeSet<_> =
        symbols.lines().map(|line| line.split_whitespace().last().expect("a name")).collect();
    assert_eq!(exported, listed());
    assert!(exported.contains("malloc") && exported.contains("memcpy"));
}

#[test]
fn the_linker_functions_have_the_version_that_every_glibc_has() {
    let symbols = nm(&["-D", "--undefined-only"]);
    for name in ["dlsym", "dlerror"] {
        let versions: Vec<_> = symbols
            .split_whitespace()
            .filter(|symbol| symbol.starts_with(&format!("{name}@")))
            .collect();
        assert_eq!(versions, [format!("{name}@GLIBC_2.2.5")]);
    }
}

#[test]
fn no_hook_calls_itself_by_way_of_the_compiler() {
    // A loop or a struct copy that became a call of `memcpy` would come back to our own entry.
    let output = Command::new("objdump")
        .args(["-d", "--no-show-raw-insn", "--no-addresses"])
        .arg(shim::path())
        .output()
        .expect("objdump runs");
    let code = String::from_utf8_lossy(&output.stdout);
    let (mut function, mut seen) = ("", 0);
    for line in code.lines() {
        if let Some(name) = line.strip_prefix('<').and_then(|line| line.strip_suffix(">:")) {
            function = name;
            seen += usize::from(is_hook(function));
            continue;
        }
        if !is_hook(function) {
            continue;
        }
        for name in listed() {
            let calls = [format!("<{name}>"), format!("<{name}@plt>"), format!("<{name}@")];
            let jump = line.contains("call") || line.contains("jmp");
            assert!(!(jump && calls.iter().any(|call| line.contains(call))), "{function}: {line}");
        }
    }
    assert!(seen > 20, "{seen} hooks were looked at");
}

/// Hot path of the shim: the hooks, their bodies and what they tell `profcore::memory`.
fn is_hook(function: &str) -> bool {
    listed().contains(function)
        || ["8profshim5hooks", "8profcore6memory", "8profcore8interval", "8profcore4live"]
            .iter()
            .any(|path| function.contains(path))
}
