//! The HTML page: `prof convert --to html` and `prof view`.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bad_input::scratch;
use crate::outputs::collapsed_sum;
use crate::prof::{Python, Recording, call, one_line, prof, program, workspace};

/// Writes the page of a trace beside it; gives its path.
fn convert(trace: &Path, name: &str, options: &[&str]) -> PathBuf {
    let out = trace.with_file_name(name);
    let words = ["convert", "--to", "html", "-o"].map(OsStr::new).into_iter();
    let words = words.chain([out.as_os_str(), trace.as_os_str()]);
    let words: Vec<&OsStr> = words.chain(options.iter().map(OsStr::new)).collect();
    let output = call(Path::new("/"), &words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{stderr}", output.status);
    out
}

fn head(page: &str) -> serde_json::Value {
    let open = "<script type=\"application/json\" id=\"d-head\">";
    let head = page.split(open).nth(1).expect("a head").split("</script>").next();
    serde_json::from_str(head.expect("an end")).expect("JSON")
}

#[test]
fn a_page_has_the_totals_of_the_other_exports() {
    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &workspace().join("examples/tour.py"), &[]);
    recording.profile();
    let trace = recording.trace();
    let path = convert(&trace, "page.html", &[]);
    let about = path.metadata().expect("it is there");
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    assert!(about.len() <= 400_000, "{} bytes", about.len());
    let page = std::fs::read_to_string(path).expect("UTF-8");
    let head = head(&page);
    for metric in head["metrics"].as_array().expect("a list") {
        let id = metric["id"].as_str().expect("a name");
        assert_eq!(metric["total"], collapsed_sum(&trace, id), "{id}");
    }
    assert!(page.contains("tour.py:") && page.contains("of CPU"), "sentences stand as text");
    assert_ne!(head["sources"], serde_json::json!([]), "the program is readable by everyone");
    let page = convert(&trace, "bare.html", &["--no-source", "--at", "1s"]);
    let page = std::fs::read_to_string(page).expect("UTF-8");
    assert_eq!(self::head(&page)["sources"], serde_json::json!([]));
    assert_eq!(self::head(&page)["footprint"]["asked"], true);
}

#[test]
fn source_that_is_not_for_everyone_stays_out() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    let script = folder.path().join("private.py");
    std::fs::copy(program("python_loop.py"), &script).expect("copied");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o600)).expect("set");
    let recording = Recording::of(&python, &script, &["0.3"]);
    recording.profile();
    let trace = recording.trace();
    let is_told = |name: &str, options: &[&str]| {
        let page = std::fs::read_to_string(convert(&trace, name, options)).expect("UTF-8");
        assert!(page.contains("private.py:"), "the line is named in any case");
        page.contains("# LOOP")
    };
    assert!(!is_told("public.html", &[]));
    assert!(is_told("all.html", &["--source"]));
    let words = [OsStr::new("convert"), trace.as_os_str(), "--to".as_ref(), "json".as_ref()];
    let words: Vec<&OsStr> = words.into_iter().chain(["--source".as_ref()]).collect();
    let refused = call(Path::new("/"), &words);
    assert!(one_line(&refused).contains("--to html"));
}

#[test]
fn view_hands_a_private_page_to_the_browser() {
    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &program("python_loop.py"), &["0.3"]);
    recording.profile();
    let folder = scratch();
    let shown = folder.path().join("shown.html");
    let view = |browser: &str, path: &OsStr| {
        let mut command = Command::new(prof());
        command.arg("view").arg(recording.trace()).stdin(Stdio::null());
        command.env("BROWSER", browser).env("PATH", path).env("TMPDIR", folder.path());
        command.output().expect("it starts")
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let browser = format!("no-such-browser:cp %s {}", shown.display());
    let output = view(&browser, &path);
    assert!(output.status.success(), "{output:?}");
    let page = String::from_utf8(output.stdout).expect("UTF-8");
    let page = Path::new(page.trim_end());
    assert_eq!(std::fs::read(page).expect("it stays"), std::fs::read(&shown).expect("shown"));
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(page), mode(page.parent().expect("a folder"))), (0o600, 0o700));

    // Nobody there who could show it: then nothing is written.
    std::fs::remove_dir_all(page.parent().expect("a folder")).expect("removed");
    let output = view("", folder.path().as_os_str());
    assert_eq!(output.status.code(), Some(1));
    assert!(one_line(&output).contains("set BROWSER"));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    // A browser that fails: the page is there, and where it is is said.
    let output = view("/bin/false", folder.path().as_os_str());
    assert_eq!(output.status.code(), Some(1));
    let page = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    assert!(Path::new(page.trim_end()).is_file(), "{page}");
    assert!(one_line(&output).contains(page.trim_end()));
}
