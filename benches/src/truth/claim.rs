//! What a program says about itself; `profcli/tests/truth/selftimed.py` says what each field means.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Seconds by name.
pub type Seconds = BTreeMap<String, f64>;

#[derive(Debug, Deserialize)]
struct Document {
    threads: Vec<Thread>,
}

/// A thread's own figures.
#[derive(Clone, Debug, Deserialize)]
pub struct Thread {
    /// Its process.
    pub pid: u32,
    /// Its id, for the kernel.
    pub tid: u32,
    /// Threads of one name do the same.
    pub name: String,
    /// Its CPU clock.
    pub cpu_s: f64,
    root: String,
    root_cpu_s: f64,
    root_wall_s: f64,
    classes: Seconds,
    lines: Seconds,
    functions: Seconds,
    waits: Seconds,
}

/// Threads that do the same, added up.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// Their name.
    pub name: String,
    /// Each of them.
    pub threads: Vec<Thread>,
    /// The function that the figures below are inside of.
    pub root: String,
    /// CPU seconds inside of it.
    pub cpu_s: f64,
    /// Wall seconds.
    pub wall_s: f64,
    /// By class; `gil`, `wait` and their sum `off` are parts of the wall time.
    pub classes: Seconds,
    /// CPU seconds by tag of a line.
    pub lines: Seconds,
    /// CPU seconds by function, with all that it calls.
    pub functions: Seconds,
    /// Seconds off the CPU by tag of a line.
    pub waits: Seconds,
}

impl Claim {
    fn add(&mut self, thread: &Thread) {
        self.root.clone_from(&thread.root);
        self.cpu_s += thread.root_cpu_s;
        self.wall_s += thread.root_wall_s;
        let sums = [
            (&mut self.classes, &thread.classes),
            (&mut self.lines, &thread.lines),
            (&mut self.functions, &thread.functions),
            (&mut self.waits, &thread.waits),
        ];
        for (sum, parts) in sums {
            for (key, seconds) in parts {
                *sum.entry(key.clone()).or_default() += seconds;
            }
        }
        self.threads.push(thread.clone());
    }
}

/// The claims of a program, by name of its threads, from what it printed.
///
/// # Errors
/// In words, when that has no line as it should be.
pub fn claims(printed: &str) -> Result<Vec<Claim>, String> {
    let mut found: BTreeMap<String, Claim> = BTreeMap::new();
    for thread in threads(printed)? {
        let claim = found.entry(thread.name.clone()).or_default();
        claim.name.clone_from(&thread.name);
        claim.add(&thread);
    }
    Ok(found.into_values().collect())
}

/// One claim of all threads together, for tools that tell no threads apart.
pub fn together(claims: &[Claim]) -> Claim {
    let mut all = Claim::default();
    claims.iter().flat_map(|claim| &claim.threads).for_each(|thread| all.add(thread));
    all
}

fn threads(printed: &str) -> Result<Vec<Thread>, String> {
    // A profiler may print behind the program.
    let line = printed.lines().rev().find(|line| line.starts_with("{\"threads\""));
    let line = line.ok_or("the program did not print its own figures")?;
    let document: Document = serde_json::from_str(line).map_err(|error| error.to_string())?;
    Ok(document.threads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_one_name_are_one_claim() {
        let thread = |name: &str, cpu: f64| {
            format!(
                r#"{{"pid": 1, "tid": 2, "name": "{name}", "cpu_s": {cpu}, "root": "work", "root_cpu_s": {cpu},
                "root_wall_s": 2.0, "classes": {{"python": {cpu}}}, "lines": {{}}, "functions": {{}}, "waits": {{}}}}"#
            )
            .replace('\n', "")
        };
        let threads = [thread("a", 1.0), thread("b", 0.5), thread("a", 0.25)].join(",");
        let printed = format!("noise\n{{\"threads\": [{threads}]}}\nsaved\n");
        let found = claims(&printed).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].cpu_s, found[0].wall_s, found[0].threads.len()), (1.25, 4.0, 2));
        assert_eq!(found[0].classes["python"], 1.25);
        assert_eq!(together(&found).cpu_s, 1.75);
        assert!(claims("nothing\n").is_err());
    }
}
