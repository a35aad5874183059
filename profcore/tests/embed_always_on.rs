//! The server of `examples/always_on.rs`, asked by the real tool.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it and says where it is.
fn server() -> (Server, String) {
    let own = std::env::current_exe().expect("a test has a file");
    let target = own.parent().and_then(|deps| deps.parent()).expect("it lies in the target folder");
    let example = target.join("examples/always_on");
    if !example.exists() {
        // Of this test alone cargo has not built it.
        let build = ["build", "--quiet", "-p", "profcore", "--example", "always_on"];
        let built = Command::new(env!("CARGO")).args(build).status().expect("cargo runs");
        assert!(built.success());
    }
    let mut child =
        Command::new(example).stdout(Stdio::piped()).spawn().expect("the example is there");
    let mut line = String::new();
    let output = child.stdout.take().expect("is piped");
    BufReader::new(output).read_line(&mut line).expect("it says where it is");
    (Server(child), line.trim().to_owned())
}

/// What `go tool pprof` says; `None` without it.
fn pprof(arguments: &[&str], url: &str) -> Option<String> {
    let scratch = tempfile::tempdir().expect("there is room");
    let output = Command::new("go")
        .args(["tool", "pprof"])
        .args(arguments)
        .arg(url)
        .env("PPROF_TMPDIR", scratch.path())
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(said)
        }
        Err(error) => {
            assert!(std::env::var_os("PROF_NO_SKIP").is_none(), "no go here: {error}");
            eprintln!("SKIPPED: no `go tool pprof` here: {error}");
            None
        }
    }
}

/// The first row of a `-top` table.
fn top(said: &str) -> &str {
    let rows = said.lines().skip_while(|line| !line.contains("flat%"));
    rows.clone().nth(1).unwrap_or_else(|| panic!("a table: {said}"))
}

#[test]
fn the_hot_function_is_on_top_and_what_is_held_is_in_the_heap() {
    let (_server, url) = server();
    let Some(said) = pprof(&["-top"], &format!("{url}/debug/pprof/profile?seconds=5")) else {
        return;
    };
    assert!(top(&said).ends_with("hot_function"), "{said}");
    let tags = pprof(&["-tags"], &format!("{url}/debug/pprof/profile")).expect("it was there");
    assert!(tags.contains("region") && tags.contains("visit"), "{tags}");
    let heap = pprof(&["-top", "-cum", "-inuse_space"], &format!("{url}/debug/pprof/heap"));
    let heap = heap.expect("it was there");
    assert!(heap.contains("visitors"), "{heap}");
}
