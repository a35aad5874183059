//! Sentences on time: what it was, which line took most of it, what led there.

use super::clauses;
use super::number::{self, half_width, percents, share, time};
use super::route::{outside_python, packages_below};
use super::select::{Metric, Row};
use super::sentences::{Sentence, plain, strong};
use super::view::View;
use crate::analysis::sites::WhyKind;
use crate::record::{Class, NOT_RUNNING};

/// Fewer samples do not tell lines apart.
const ENOUGH: u64 = 10;

/// Sentences on time: what the run's time was, where it was spent, what led there.
pub(super) fn all(view: &View) -> Vec<Sentence> {
    let totals = &view.totals;
    if nothing_profiled(view) {
        let text = "Nothing was profiled: the processes were launchers, could not load the profiler's library (static, setuid), or had lost their environment.";
        return vec![vec![plain(text)]];
    }
    if !view.measures_time() {
        return vec![vec![plain("CPU time was not recorded (`--no-cpu`).")]];
    }
    if totals.samples < ENOUGH {
        let few = if totals.samples == 0 { nothing_seen(view) } else { too_short(view) };
        return std::iter::once(few).chain(longest_wait(view)).collect();
    }
    let mut sentences = vec![classes(view)];
    match outside(view) {
        Some(outside) => sentences.push(outside),
        None => {
            sentences.extend(hottest(view));
            sentences.extend(route(view));
        }
    }
    sentences.extend(longest_wait(view));
    sentences
}

/// The line that waited longest, if that was more than a twentieth of the run.
fn longest_wait(view: &View) -> Option<Sentence> {
    let of = |row: &Row, class: Class| row.site.self_ns[class.code() as usize];
    let waited = |row: &Row| of(row, Class::Wait).saturating_add(of(row, Class::Gil));
    let rows = view.rows.iter().filter(|row| row.site.line > 0);
    let row = rows.max_by_key(|row| (waited(row), std::cmp::Reverse(row.site.line)))?;
    if waited(row).saturating_mul(20) <= view.profile.elapsed.as_nanos() {
        return None;
    }
    let gil = match of(row, Class::Gil) {
        0 => String::new(),
        gil if gil == waited(row) => " for the GIL".into(),
        gil => format!(", {} of it for the GIL", time(gil)),
    };
    let text = format!("{}{gil}.", time(waited(row)));
    Some(vec![plain("Longest wait on one line: "), view.named(row), plain(", "), strong(text)])
}

/// Are there processes, but none that was profiled?
fn nothing_profiled(view: &View) -> bool {
    let processes = &view.profile.processes;
    !processes.is_empty() && !processes.iter().any(|(process, _)| process.profiled)
}

/// Are there enough samples to tell lines apart?
pub(super) fn is_enough(view: &View) -> bool {
    view.totals.samples >= ENOUGH
}

fn nothing_seen(view: &View) -> Sentence {
    let used = view.totals.charged_ns.map_or("hardly any".into(), time);
    let elapsed = time(view.profile.elapsed.as_nanos());
    vec![plain(format!("No CPU ticks arrived: the program used {used} of CPU in {elapsed}."))]
}

fn too_short(view: &View) -> Sentence {
    let interval = view.profile.header.cpu_interval_ns;
    let used = view.totals.charged_ns.unwrap_or(view.totals.cpu_ns);
    vec![
        strong("Too short to say where time went: "),
        plain(format!(
            "{} of CPU gave {}; a line needs about {ENOUGH}. Try a longer input, or a higher `--rate` (now {} a second).",
            time(used),
            number::of(view.totals.samples, "sample"),
            number::count((1_000_000_000 / interval.max(1)).max(1)),
        )),
    ]
}

/// How CPU time divides, and how much time was spent waiting.
pub(super) fn classes(view: &View) -> Sentence {
    let totals = &view.totals;
    let on_cpu: Vec<Class> = Class::ALL.into_iter().filter(|class| class.on_cpu()).collect();
    let shares = percents(&on_cpu.iter().map(|&class| totals.class(class)).collect::<Vec<_>>());
    let parts: Vec<String> = on_cpu
        .iter()
        .zip(shares)
        .filter(|(class, _)| totals.class(**class) > 0)
        .map(|(&class, percent)| {
            let percent = if percent == 0 { "<1".into() } else { percent.to_string() };
            format!("{percent}\u{a0}% {}", class_name(class))
        })
        .collect();
    let mut sentence = vec![
        strong(format!("{} of CPU", time(totals.cpu_ns))),
        plain(format!(": {}", parts.join(", "))),
    ];
    let delayed = number::sum(
        view.rows
            .iter()
            .filter(|row| is_delay(view, row))
            .map(|row| row.site.self_ns[Class::Wait.code() as usize]),
    );
    let waits = [
        (totals.class(Class::Gil), "waiting for the GIL"),
        (totals.class(Class::Wait).saturating_sub(delayed), "waiting"),
        (delayed, "not running, for want of a CPU"),
    ];
    for (ns, what) in waits.into_iter().filter(|(ns, _)| *ns > 0) {
        sentence.push(plain(format!("; {} {what}", time(ns))));
    }
    let waited = totals.class(Class::Gil).saturating_add(totals.class(Class::Wait));
    let elapsed = view.profile.elapsed.as_nanos();
    let idle =
        elapsed.saturating_sub(totals.charged_ns.unwrap_or(totals.cpu_ns).max(totals.cpu_ns));
    if waited == 0 && view.profile.threads.len() == 1 && idle.saturating_mul(20) > elapsed {
        sentence.push(plain(format!("; {} not running", time(idle))));
    }
    let told = outstanding(view).filter(|row| !clause(view, row).is_empty());
    sentence.extend(clauses::large_parts(view, told));
    sentence.push(plain("."));
    sentence
}

/// Whether this is the time in which threads could have run and did not.
fn is_delay(view: &View, row: &Row) -> bool {
    let name = view.profile.tables.string(row.site.function);
    row.site.line == 0 && name == NOT_RUNNING.as_bytes()
}

pub(super) fn class_name(class: Class) -> &'static str {
    match class {
        Class::Python => "Python",
        Class::Native => "native",
        Class::Gc => "garbage collection",
        Class::Kernel => "system",
        Class::Gil => "waiting for the GIL",
        Class::Wait => "waiting",
    }
}

/// Said in place of lines when hardly any sample has a Python frame in a program that has a Python.
fn outside(view: &View) -> Option<Sentence> {
    let has_python = view.profile.processes.iter().any(|(process, _)| !process.python.is_empty());
    let (ns, modules) = outside_python(view.profile, &view.places);
    if !has_python || ns.saturating_mul(10) < view.totals.cpu_ns.saturating_mul(9) {
        return None;
    }
    let modules: Vec<String> = modules
        .iter()
        .take(3)
        .map(|(name, part)| {
            format!("{} ({})", view.look.cut_start(name, 40), share(*part, view.totals.cpu_ns))
        })
        .collect();
    let mut text = format!("No Python frame in {} of the CPU time", share(ns, view.totals.cpu_ns));
    if !modules.is_empty() {
        text += &format!(": it is in {}", modules.join(", "));
    }
    Some(vec![plain(text + ".")])
}

/// The rows that are a line, or a native function.
fn lines<'v>(view: &'v View) -> impl Iterator<Item = &'v Row> {
    view.rows.iter().filter(|row| !row.imports)
}

/// The times of all lines, the longest first.
fn own_times(view: &View) -> Vec<u64> {
    let mut own: Vec<u64> = lines(view).map(|row| row.value(Metric::Own)).collect();
    own.sort_unstable_by(|a, b| b.cmp(a));
    own
}

/// The hottest line, if it stands out.
fn outstanding<'v>(view: &'v View) -> Option<&'v Row> {
    let row = lines(view).max_by_key(|row| row.value(Metric::Own))?;
    let first = row.value(Metric::Own);
    let next = own_times(view).get(1).copied().unwrap_or(0);
    let stands_out =
        first.saturating_mul(20) >= view.totals.cpu_ns || first >= next.saturating_mul(2);
    (stands_out && row.site.samples >= ENOUGH).then_some(row)
}

/// The hottest line, if it stands out; else what the hottest ones hold together.
fn hottest(view: &View) -> Option<Sentence> {
    let cpu = view.totals.cpu_ns;
    view.leader(Metric::Own)?;
    let Some(row) = outstanding(view) else {
        let own = own_times(view);
        let ten = number::sum(own.iter().take(10).copied());
        let count = own.iter().filter(|&&ns| ns > 0).count().min(10);
        let text = format!("No single line stands out: the top {count} hold {}.", share(ten, cpu));
        return Some(vec![plain(text)]);
    };
    let first = row.value(Metric::Own);
    let spread = match spread(view, row) {
        0 => String::new(),
        spread => format!(" ±{spread}"),
    };
    Some(vec![
        plain("Most time on one line: "),
        view.named(row),
        plain(", "),
        strong(time(first)),
        plain(format!(" ({}{spread})", share(first, cpu))),
        plain(clause(view, row)),
        plain("."),
    ])
}

/// Half of the 95 % interval of a line's share, in whole per cents: the line's time and the rest vary
/// independently.
fn spread(view: &View, row: &Row) -> u64 {
    let (own, cpu) = (row.value(Metric::Own) as f64, view.totals.cpu_ns as f64);
    let part = own / cpu;
    let own_spread = half_width(row.site.self_squares) * (1.0 - part);
    let rest_spread = half_width(view.totals.squares.saturating_sub(row.site.self_squares)) * part;
    (own_spread.hypot(rest_spread) * 100.0 / cpu).ceil() as u64
}

/// What most of a line's own time is, if it is not Python.
fn clause(view: &View, row: &Row) -> String {
    let own = row.value(Metric::Own);
    let part = |class: Class| row.site.self_ns[class.code() as usize];
    if part(Class::Gc).saturating_mul(4) >= own {
        return format!("; {} of it is GC that it sets off", time(part(Class::Gc)));
    }
    if part(Class::Native).saturating_mul(2) >= own {
        let native =
            row.site.why.iter().find(|p| p.what == WhyKind::Native && p.function.is_some());
        let name = native.map_or("native code".into(), |p| super::why::part_name(view, p));
        return format!("; {} of it in {name}", time(part(Class::Native)));
    }
    if part(Class::Kernel).saturating_mul(2) >= own {
        return format!("; {} of it in system calls", time(part(Class::Kernel)));
    }
    String::new()
}

/// From the user's code to where the time is.
fn route(view: &View) -> Option<Sentence> {
    let cpu = view.totals.cpu_ns;
    let yours: Vec<&Row> = view.rows.iter().filter(|row| row.yours).collect();
    let most = yours.iter().map(|row| row.value(Metric::Total)).max().filter(|&most| most > 0)?;
    let own = number::sum(yours.iter().map(|row| row.value(Metric::Own)));
    let leads = |row: &Row| {
        let total = row.value(Metric::Total);
        let text = format!(" leads to {} ({})", time(total), share(total, cpu));
        [view.named(row), plain(text)]
    };
    let nearly_all =
        |row: &Row| row.value(Metric::Total).saturating_mul(10) >= most.saturating_mul(9);
    let mut sentence = vec![plain("From your code: ")];
    if own.saturating_mul(2) >= cpu {
        let lines = yours.iter().filter(|row| row.value(Metric::Own) > 0).count();
        let lines = number::of(lines as u64, "line");
        sentence.push(plain(format!("{} ({}) in {lines} of it", time(own), share(own, cpu))));
        // That the program's main call leads to everything is no news: the first fork in the road is.
        let calls = |row: &Row| row.value(Metric::Own).saturating_mul(2) < row.value(Metric::Total);
        let fork = yours.iter().filter(|row| !nearly_all(row) && calls(row));
        let fork = fork.max_by_key(|row| row.value(Metric::Total));
        if let Some(row) = fork.filter(|row| row.value(Metric::Total).saturating_mul(5) >= cpu) {
            sentence.push(plain("; "));
            sentence.extend(leads(row));
        }
    } else {
        // Of all lines that lead to nearly everything, the one nearest to where the time is has the least.
        let near = yours.iter().filter(|row| nearly_all(row));
        let row = near.min_by_key(|row| row.value(Metric::Total))?;
        let total = row.value(Metric::Total);
        sentence.extend(leads(row));
        let packages = packages_below(view.profile, &view.places, (row.site.file, row.site.line));
        if let Some((package, ns)) = packages.first() {
            let package = view.look.cut_middle(package, 40);
            if ns.saturating_mul(10) >= total.saturating_mul(9) {
                sentence.push(plain(format!(", nearly all of it in {package}")));
            } else if ns.saturating_mul(2) >= total {
                sentence.push(plain(format!(", most of it in {package}")));
            }
        }
    }
    sentence.push(plain("."));
    Some(sentence)
}
