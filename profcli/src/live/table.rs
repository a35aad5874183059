//! Which rows the table has, and in which order.
//!
//! Rows keep their place: they are sorted every few seconds, and between only what has overtaken another row by more
//! than noise moves up. What has gone stays for one look, what is there for the first time is marked.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use profformat::analysis::live::{By, Figures, Group, Live, Window};

use super::state::{Sort, State};

/// How long rows keep their place.
const KEPT: Duration = Duration::from_secs(3);
/// How long a row counts as one that has just come.
const YOUNG: Duration = Duration::from_secs(1);
/// Rows, from the first, that are looked at for having overtaken others.
const WATCHED: usize = 200;
/// Half-width factor of a 95 % interval.
const Z: f64 = 1.96;
/// Bytes that differ by less than one part in so many do not make a row move.
const BYTES_NOISE: u64 = 20;

/// What the rows are of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Subject {
    by: By,
    window: Window,
    sort: Sort,
    filter: String,
}

/// The rows in their order.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Numbers of the rows.
    pub(super) rows: Vec<u32>,
    subject: Option<Subject>,
    sorted: Duration,
    /// When rows came that were not there from the start.
    came: HashMap<u32, Duration>,
    /// Rows whose figures are gone, shown for the last time.
    gone: Vec<u32>,
    /// Rows that pass the filter, as far as looked at.
    passing: Vec<Option<bool>>,
}

impl Table {
    /// Looks at the figures again. `passes` tells whether a row passes the filter.
    pub(super) fn update(
        &mut self,
        live: &Live,
        state: &State,
        now: Duration,
        passes: impl Fn(u32) -> bool,
    ) {
        let State { by, window, sort, filter, .. } = state;
        let subject =
            Subject { by: *by, window: *window, sort: *sort, filter: filter.to_lowercase() };
        let group = live.group(subject.by);
        let is_other = self.subject.as_ref() != Some(&subject);
        if is_other {
            self.passing.clear();
            self.came.clear();
            self.gone.clear();
            self.rows.clear();
        }
        self.passing.resize(group.len() as usize, None);
        let passing = &mut self.passing;
        let mut is_wanted = |row: u32| {
            has_figures(group, row, subject.window)
                && *passing[row as usize].get_or_insert_with(|| passes(row))
        };
        let mut known = vec![false; group.len() as usize];
        let last_gone = std::mem::take(&mut self.gone);
        self.rows.retain(|row| {
            let is_there = is_wanted(*row);
            known[*row as usize] = true;
            if !is_there {
                self.came.remove(row);
                if !last_gone.contains(row) {
                    self.gone.push(*row);
                }
            }
            is_there || self.gone.last() == Some(row)
        });
        let mut fresh: Vec<u32> = (0..group.len()).filter(|row| !known[*row as usize]).collect();
        fresh.retain(|row| is_wanted(*row));
        if !is_other {
            self.came.extend(fresh.iter().map(|row| (*row, now)));
            self.came.retain(|_, came| now.saturating_sub(*came) < YOUNG);
        }
        let rank = |row: &u32| {
            let figures = group.figures(*row, subject.window);
            Reverse((value(group, &figures, *row, subject.sort), figures.total_cpu_ns()))
        };
        fresh.sort_by_key(rank);
        self.rows.extend(fresh);
        if is_other || now.saturating_sub(self.sorted) >= KEPT {
            self.rows.sort_by_key(rank);
            self.sorted = now;
        } else {
            self.overtake(group, &subject);
        }
        self.subject = Some(subject);
    }

    /// Lets rows move up past those that they have more than, beyond noise.
    fn overtake(&mut self, group: &Group, subject: &Subject) {
        let Subject { window, sort, .. } = *subject;
        let watched = self.rows.len().min(WATCHED);
        // The largest of those below may have come from nothing.
        let below = self.rows.iter().enumerate().skip(watched);
        let largest =
            below.max_by_key(|(_, row)| value(group, &group.figures(**row, window), **row, sort));
        if let Some((at, _)) = largest
            && watched > 0
        {
            self.rows[watched - 1..=at].rotate_right(1);
        }
        let rows = &mut self.rows[..watched];
        for begin in 1..rows.len() {
            let mut at = begin;
            while at > 0 && overtakes(group, rows[at], rows[at - 1], window, sort) {
                rows.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    /// Whether a row has just come, or is gone and shown for the last time.
    pub(super) fn is_faint(&self, row: u32) -> bool {
        self.came.contains_key(&row) || self.gone.contains(&row)
    }
}

/// What a row is sorted by: nanoseconds or bytes.
pub(super) fn value(group: &Group, figures: &Figures, row: u32, sort: Sort) -> u64 {
    match sort {
        Sort::Own => figures.self_cpu_ns(),
        Sort::Total => figures.total_cpu_ns(),
        Sort::Held => group.held(row),
        Sort::Copied => figures.copied,
    }
}

fn has_figures(group: &Group, row: u32, window: Window) -> bool {
    group.held(row) > 0 || !group.figures(row, window).is_empty()
}

fn overtakes(group: &Group, lower: u32, upper: u32, window: Window, sort: Sort) -> bool {
    let figures = [lower, upper].map(|row| group.figures(row, window));
    let [low, up] = [(lower, &figures[0]), (upper, &figures[1])]
        .map(|(row, figures)| value(group, figures, row, sort));
    let squares = |figures: &Figures| match sort {
        Sort::Own => figures.squares as f64,
        _ => figures.total_squares as f64,
    };
    let noise = match sort {
        Sort::Own | Sort::Total => Z * figures.iter().map(squares).sum::<f64>().sqrt(),
        Sort::Held | Sort::Copied => (up / BYTES_NOISE) as f64,
    };
    low > up && (low - up) as f64 > noise
}

#[cfg(test)]
mod tests {
    use super::*;
    use profformat::Block;
    use profformat::ids::ThreadId;
    use profformat::record::{Class, Frame, Function, Lang, Sample};
    use profformat::tables::{StackNode, Tables};
    use profformat::units::Timestamp;

    const TICK: u64 = 10_000_000;

    /// Lines of one file, and their samples.
    struct Run {
        live: Live,
        tables: Tables,
        table: Table,
        state: State,
    }

    impl Run {
        fn new() -> Self {
            let mut tables = Tables::default();
            let (file, name) = (tables.push_string(b"a.py"), tables.push_string(b"f"));
            tables.push_function(Function { name, file, first_line: 1, lang: Lang::Python });
            let (live, table, state) = (Live::new(), Table::default(), State::default());
            Self { live, tables, table, state }
        }

        /// So many ticks on a line in a second of the run.
        fn work(&mut self, second: u64, line: u32, ticks: u64) {
            let function = profformat::ids::FunctionId::new(0);
            let frame = self.tables.push_frame(Frame { function, line });
            let stack = Some(self.tables.push_stack(StackNode { parent: None, frame }));
            let (thread, class) = (ThreadId::new(0), Class::Python);
            let time = Timestamp::from_nanos(second * 1_000_000_000);
            let sample = Sample { time, thread, stack, weight_ns: TICK, class };
            self.live.block(&Block::Samples(&vec![sample; ticks as usize]), &self.tables);
        }

        /// The lines of the table at a moment of the view.
        fn lines(&mut self, millis: u64) -> Vec<u32> {
            let now = Duration::from_millis(millis);
            self.table.update(&self.live, &self.state, now, |_| true);
            let line = |row: &u32| match self.live.group(By::Line).key(*row) {
                profformat::analysis::live::Key::Spot(spot) => spot.line,
                other => panic!("{other:?}"),
            };
            self.table.rows.iter().map(line).collect()
        }
    }

    #[test]
    fn rows_keep_their_place_unless_overtaken_by_more_than_noise() {
        let mut run = Run::new();
        for (line, ticks) in [(1, 50), (2, 48), (3, 10)] {
            run.work(0, line, ticks);
        }
        assert_eq!(run.lines(0), [1, 2, 3]);
        run.work(0, 2, 6);
        assert_eq!(run.lines(1_000), [1, 2, 3], "54 and 50 are the same");
        run.work(0, 3, 90);
        assert_eq!(run.lines(1_250), [3, 1, 2], "100 are more than 54");
        assert_eq!(run.lines(3_000), [3, 2, 1], "sorted after three seconds");
    }

    #[test]
    fn what_comes_is_faint_and_what_goes_is_shown_once_more() {
        let mut run = Run::new();
        run.work(0, 1, 5);
        assert_eq!(run.lines(0), [1]);
        assert!(!run.table.is_faint(run.table.rows[0]));
        run.work(8, 2, 50);
        assert_eq!(run.lines(250), [2, 1]);
        assert!(run.table.is_faint(run.table.rows[0]) && !run.table.is_faint(run.table.rows[1]));
        assert_eq!(run.lines(1_250).len(), 2);
        assert!(!run.table.is_faint(run.table.rows[0]));
        // The first second has left the window.
        run.work(12, 2, 1);
        assert_eq!(run.lines(1_500), [2, 1]);
        assert!(run.table.is_faint(run.table.rows[1]));
        assert_eq!(run.lines(1_750), [2]);
    }

    #[test]
    fn the_largest_comes_up_from_far_below() {
        let mut run = Run::new();
        for line in 1..=500 {
            run.work(0, line, 3);
        }
        assert_eq!(run.lines(0).len(), 500);
        run.work(0, 400, 40);
        let lines = run.lines(500);
        assert_eq!((lines[0], lines.len()), (400, 500));
        let mut all = lines.clone();
        all.sort_unstable();
        assert_eq!(all, (1..=500).collect::<Vec<u32>>());
    }
}
