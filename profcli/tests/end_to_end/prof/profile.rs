//! A profile as `prof convert --to json` tells it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::call;

/// The whole document.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) json: Value,
}

/// CPU seconds by class.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    pub(crate) python: f64,
    pub(crate) native: f64,
    pub(crate) gc: f64,
    pub(crate) kernel: f64,
}

impl Cpu {
    fn of(json: &Value) -> Self {
        let class = |name: &str| number(&json[name]);
        Self {
            python: class("python"),
            native: class("native"),
            gc: class("gc"),
            kernel: class("kernel"),
        }
    }

    pub(crate) fn sum(self) -> f64 {
        self.python + self.native + self.gc + self.kernel
    }

    fn plus(self, other: Self) -> Self {
        Self {
            python: self.python + other.python,
            native: self.native + other.native,
            gc: self.gc + other.gc,
            kernel: self.kernel + other.kernel,
        }
    }
}

/// A source line; the figures of all functions on it are added up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) path: PathBuf,
    pub(crate) line: u64,
    pub(crate) function: String,
    pub(crate) cpu: Cpu,
    pub(crate) alloc: f64,
    pub(crate) live_at_peak: f64,
    pub(crate) live_at_end: f64,
    pub(crate) churn: f64,
    pub(crate) copied: f64,
    /// Bytes of those by module.
    pub(crate) copiers: BTreeMap<String, f64>,
}

impl Profile {
    #[track_caller]
    pub(crate) fn of_trace(trace: &Path) -> Self {
        let words = ["convert".as_ref(), trace.as_os_str(), "--to".as_ref(), "json".as_ref()];
        let words: Vec<&OsStr> = words.into_iter().chain(["-o".as_ref(), "-".as_ref()]).collect();
        let output = call(Path::new("/"), &words);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "convert: {}\n{stderr}", output.status);
        let json: Value = serde_json::from_slice(&output.stdout).expect("the export is JSON");
        assert_eq!(json["schema"], "prof-profile");
        assert_eq!(json["version"], 1);
        Self { json }
    }

    /// CPU seconds of the whole run.
    pub(crate) fn cpu(&self) -> Cpu {
        Cpu::of(&self.json["cpu_s"])
    }

    pub(crate) fn peak_bytes(&self) -> f64 {
        number(&self.json["footprint"]["peak_bytes"])
    }

    pub(crate) fn copy_bytes(&self) -> f64 {
        number(&self.json["copy_bytes"])
    }

    /// Every entry, one for each function of a line.
    pub(crate) fn entries(&self) -> Vec<Line> {
        let mut found = Vec::new();
        for file in list(&self.json["files"]) {
            let path = PathBuf::from(file["path"].as_str().expect("a file has a path"));
            for line in list(&file["lines"]) {
                found.push(Line {
                    path: path.clone(),
                    line: line["line"].as_u64().expect("a line has a number"),
                    function: line["function"].as_str().unwrap_or_default().to_owned(),
                    cpu: Cpu::of(&line["cpu_s"]),
                    alloc: number(&line["alloc_bytes"]),
                    live_at_peak: number(&line["live_at_peak_bytes"]),
                    live_at_end: number(&line["live_at_end_bytes"]),
                    churn: number(&line["churn_bytes"]),
                    copied: number(&line["copy_bytes"]),
                    copiers: list(&line["copiers"])
                        .iter()
                        .map(|copier| {
                            let name = copier["name"].as_str().expect("a copier has a name");
                            (name.to_owned(), number(&copier["bytes"]))
                        })
                        .collect(),
                });
            }
        }
        found
    }

    /// Every line, with its functions added up.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut found: Vec<Line> = Vec::new();
        for entry in self.entries() {
            match found.iter_mut().find(|l| l.path == entry.path && l.line == entry.line) {
                None => found.push(entry),
                Some(line) => {
                    line.cpu = line.cpu.plus(entry.cpu);
                    line.alloc += entry.alloc;
                    line.live_at_peak += entry.live_at_peak;
                    line.live_at_end += entry.live_at_end;
                    line.churn += entry.churn;
                    line.copied += entry.copied;
                    for (copier, bytes) in entry.copiers {
                        *line.copiers.entry(copier).or_default() += bytes;
                    }
                }
            }
        }
        found
    }

    /// The line of a program that ends in `# TAG`; all zero if the profile does not have it.
    #[track_caller]
    pub(crate) fn tagged(&self, program: &Path, tag: &str) -> Line {
        let number = line_of(program, tag);
        let same = |line: &Line| line.line == number && same_file(&line.path, program);
        let absent = Line { path: program.into(), line: number, ..Line::default() };
        self.lines().into_iter().find(same).unwrap_or(absent)
    }

    /// Seconds that the line of a program that ends in `# TAG` waited for the GIL, and for anything else.
    pub(crate) fn tagged_waits(&self, program: &Path, tag: &str) -> (f64, f64) {
        let number_of_line = line_of(program, tag);
        let mut waits = (0.0, 0.0);
        for file in list(&self.json["files"]) {
            let path = Path::new(file["path"].as_str().expect("a file has a path"));
            for line in list(&file["lines"]) {
                if same_file(path, program) && line["line"].as_u64() == Some(number_of_line) {
                    waits.0 += number(&line["wait_s"]["gil"]);
                    waits.1 += number(&line["wait_s"]["wait"]);
                }
            }
        }
        waits
    }

    /// Seconds from start to end.
    pub(crate) fn elapsed(&self) -> f64 {
        number(&self.json["elapsed_s"])
    }

    /// Seconds that a thread waited for the GIL, and for anything else.
    #[track_caller]
    pub(crate) fn thread_waits(&self, tid: u64) -> (f64, f64) {
        let mut threads = list(&self.json["threads"]).iter();
        let thread = threads.find(|thread| thread["tid"].as_u64() == Some(tid));
        let waits = &thread.expect("the thread is in the profile")["wait_s"];
        (number(&waits["gil"]), number(&waits["wait"]))
    }

    /// CPU seconds and waits of the thread that came first.
    pub(crate) fn wall_of_first_thread(&self) -> f64 {
        let thread = &self.json["threads"][0];
        number(&thread["cpu_s"])
            + number(&thread["wait_s"]["gil"])
            + number(&thread["wait_s"]["wait"])
    }

    /// The line that is largest by a figure.
    #[track_caller]
    pub(crate) fn top(&self, figure: impl Fn(&Line) -> f64) -> Line {
        let lines = self.lines();
        let top = lines.into_iter().max_by(|a, b| figure(a).total_cmp(&figure(b)));
        top.expect("the profile has lines")
    }

    /// CPU seconds of a function of a program, by self time.
    pub(crate) fn function(&self, program: &Path, name: &str) -> Cpu {
        let entries = self.entries().into_iter();
        entries
            .filter(|entry| same_file(&entry.path, program) && last_name(&entry.function) == name)
            .fold(Cpu::default(), |sum, entry| sum.plus(entry.cpu))
    }

    /// CPU seconds of a thread, by the kernel's id of it.
    pub(crate) fn thread(&self, tid: u64) -> Option<f64> {
        let threads = list(&self.json["threads"]);
        let same: Vec<_> = threads.iter().filter(|thread| thread["tid"] == tid).collect();
        (!same.is_empty()).then(|| same.iter().map(|thread| number(&thread["cpu_s"])).sum())
    }

    /// The books: ticks are samples and losses, and nothing else.
    #[track_caller]
    pub(crate) fn assert_books_balance(&self) {
        let books = &self.json["books"];
        let lost: f64 =
            books["lost"].as_object().expect("losses by reason").values().map(number).sum();
        let (ticks, samples) = (number(&books["ticks"]), number(&books["samples"]));
        assert!((ticks - samples - lost).abs() < 0.5, "books: {books}");
    }
}

/// The number of the line of a source file that ends in `# TAG`.
#[track_caller]
pub(crate) fn line_of(program: &Path, tag: &str) -> u64 {
    let source = std::fs::read_to_string(program).expect("the program can be read");
    let end = format!("# {tag}");
    let mut numbers = (1..).zip(source.lines()).filter(|(_, line)| line.ends_with(&end));
    let (number, _) = numbers.next().unwrap_or_else(|| panic!("no line ends in {end}"));
    assert!(numbers.next().is_none(), "two lines end in {end}");
    number
}

fn same_file(one: &Path, other: &Path) -> bool {
    one == other || one.file_name() == other.file_name()
}

/// The last part of a qualified name: `f` of `C.f`.
fn last_name(qualified: &str) -> &str {
    qualified.rsplit('.').next().unwrap_or(qualified)
}

fn number(json: &Value) -> f64 {
    json.as_f64().unwrap_or_else(|| panic!("a number, not {json}"))
}

fn list(json: &Value) -> &[Value] {
    json.as_array().unwrap_or_else(|| panic!("a list, not {json}"))
}
