//! What the person at the view has chosen, and what keys change of it.

use super::keys::Key;
use profformat::analysis::live::{By, Window};

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Own,
    Total,
    Held,
    Copied,
}

impl Sort {
    pub(super) const ALL: [Sort; 4] = [Sort::Own, Sort::Total, Sort::Held, Sort::Copied];

    pub(super) fn name(self) -> &'static str {
        match self {
            Sort::Own => "self",
            Sort::Total => "total",
            Sort::Held => "mem",
            Sort::Copied => "copies",
        }
    }
}

/// Which columns are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// Time, its split, memory and copies.
    Usual,
    /// Time in shares and samples.
    Time,
    /// Memory and copies.
    Memory,
}

/// Why the view is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Quit,
    Report,
}

/// Groups in the order of the key.
pub(super) const GROUPS: [By; 3] = [By::Line, By::Function, By::Thread];
/// Frames per second that can be chosen.
const RATES: [u32; 5] = [1, 2, 4, 8, 10];
/// Longest filter, in characters.
const FILTER: usize = 100;

/// The choices.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) by: By,
    /// The group to go back to from the list of threads.
    pub(super) before_threads: By,
    pub(super) window: Window,
    pub(super) sort: Sort,
    pub(super) columns: Columns,
    pub(super) filter: String,
    /// The filter is being typed.
    pub(super) is_typing: bool,
    pub(super) is_paused: bool,
    pub(super) shows_help: bool,
    /// The source has the whole screen.
    pub(super) shows_source: bool,
    /// The selected row; without one it is the first, whichever that is.
    pub(super) selected: Option<u32>,
    /// Position of the first row on the screen.
    pub(super) first: usize,
    /// The whole name of the selected row was asked for.
    pub(super) shows_name: bool,
    /// Position in [`RATES`].
    pub(super) rate: usize,
    pub(super) is_finished: bool,
    pub(super) leave: Option<Leave>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            by: By::Line,
            before_threads: By::Line,
            window: Window::Short,
            sort: Sort::Own,
            columns: Columns::Usual,
            filter: String::new(),
            is_typing: false,
            is_paused: false,
            shows_help: false,
            shows_source: false,
            selected: None,
            first: 0,
            shows_name: false,
            rate: 2,
            is_finished: false,
            leave: None,
        }
    }
}

impl State {
    /// Frames per second that are wanted.
    pub(super) fn rate(&self) -> u32 {
        RATES[self.rate]
    }

    /// The position of the selected row.
    pub(super) fn position(&self, rows: &[u32]) -> usize {
        let selected = self.selected.and_then(|row| rows.iter().position(|other| *other == row));
        selected.unwrap_or(0)
    }

    /// Keeps the selected row among the `page` rows that are on the screen.
    pub(super) fn scroll(&mut self, rows: &[u32], page: usize) {
        let at = self.position(rows);
        let last = rows.len().saturating_sub(page);
        self.first = self.first.min(at).min(last).max((at + 1).saturating_sub(page));
    }

    /// Does what a key asks for. `rows` are those of the table, of which `page` are on the screen.
    pub(super) fn key(&mut self, key: Key, rows: &[u32], page: usize) {
        self.shows_name = false;
        if self.is_typing {
            return self.type_filter(key);
        }
        if std::mem::take(&mut self.shows_help) {
            return;
        }
        let page = page.max(1);
        match key {
            Key::Interrupt if self.is_finished => self.leave = Some(Leave::Quit),
            Key::Char('q') => self.leave = Some(Leave::Quit),
            Key::Enter if self.is_finished => self.leave = Some(Leave::Report),
            Key::Enter => self.shows_source = !self.shows_source,
            Key::Char('?') => self.shows_help = true,
            Key::Char(' ') => self.is_paused = !self.is_paused && !self.is_finished,
            Key::Up | Key::Char('k') => self.select(rows, |at, _| at.saturating_sub(1)),
            Key::Down | Key::Char('j') => self.select(rows, |at, _| at + 1),
            Key::PageUp => self.select(rows, |at, _| at.saturating_sub(page)),
            Key::PageDown => self.select(rows, |at, _| at + page),
            Key::Home => self.selected = None,
            Key::End => self.select(rows, |_, last| last),
            Key::Char('s') => self.sort = next(&Sort::ALL, self.sort),
            Key::Char('S') => {
                let mut backwards = Sort::ALL;
                backwards.reverse();
                self.sort = next(&backwards, self.sort);
            }
            Key::Char(digit @ '1'..='4') => {
                let at = digit as usize - '1' as usize;
                self.sort = Sort::ALL.get(at).copied().unwrap_or(self.sort);
            }
            Key::Char('g') => self.group(next(&GROUPS, self.by)),
            Key::Char('t') if self.by == By::Thread => self.group(self.before_threads),
            Key::Char('t') => {
                self.before_threads = self.by;
                self.group(By::Thread);
            }
            Key::Char('w') => self.window = next(&Window::ALL, self.window),
            Key::Char('m') => {
                let all = [Columns::Usual, Columns::Time, Columns::Memory];
                self.columns = next(&all, self.columns);
            }
            Key::Char('/') => self.is_typing = true,
            Key::Char('c') => self.shows_name = true,
            Key::Char('+') => self.rate = (self.rate + 1).min(RATES.len() - 1),
            Key::Char('-') => self.rate = self.rate.saturating_sub(1),
            Key::Escape if self.shows_source => self.shows_source = false,
            Key::Escape => self.filter.clear(),
            _ => {}
        }
    }

    fn type_filter(&mut self, key: Key) {
        match key {
            Key::Enter => self.is_typing = false,
            Key::Escape => {
                self.is_typing = false;
                self.filter.clear();
            }
            Key::Backspace => drop(self.filter.pop()),
            Key::Char(c) if self.filter.chars().count() < FILTER => self.filter.push(c),
            _ => {}
        }
    }

    /// Other rows: what was selected is not among them.
    fn group(&mut self, by: By) {
        self.by = by;
        self.selected = None;
        self.first = 0;
    }

    fn select(&mut self, rows: &[u32], to: impl Fn(usize, usize) -> usize) {
        let last = rows.len().saturating_sub(1);
        self.selected = rows.get(to(self.position(rows), last).min(last)).copied();
    }
}

/// What follows in a circle.
fn next<T: Copy + PartialEq>(all: &[T], one: T) -> T {
    let at = all.iter().position(|other| *other == one).map_or(0, |at| at + 1);
    all.get(at).or(all.first()).copied().unwrap_or(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [u32; 6] = [9, 4, 7, 2, 5, 3];

    fn typed(state: &mut State, keys: &str) {
        let keys = crate::live::keys::keys(keys.as_bytes());
        keys.into_iter().for_each(|key| state.key(key, &ROWS, 3));
    }

    #[test]
    fn the_selection_follows_its_row() {
        let mut state = State::default();
        typed(&mut state, "jj");
        assert_eq!(state.selected, Some(7));
        assert_eq!(state.position(&[7, 9, 4]), 0);
        state.scroll(&ROWS, 2);
        assert_eq!(state.first, 1);
        state.key(Key::PageDown, &ROWS, 3);
        state.scroll(&ROWS, 3);
        assert_eq!((state.selected, state.first), (Some(3), 3));
        state.key(Key::PageDown, &ROWS, 3);
        assert_eq!(state.selected, Some(3));
        state.key(Key::Home, &ROWS, 3);
        state.scroll(&ROWS, 3);
        assert_eq!((state.selected, state.first), (None, 0));
        typed(&mut state, "k");
        assert_eq!(state.position(&ROWS), 0);
        state.scroll(&[], 0);
        state.key(Key::End, &[], 0);
        assert_eq!(state.position(&[]), 0);
    }

    #[test]
    fn every_choice_goes_around() {
        let mut state = State::default();
        typed(&mut state, "sSs");
        assert_eq!(state.sort, Sort::Total);
        typed(&mut state, "S");
        assert_eq!(state.sort, Sort::Own);
        typed(&mut state, "S");
        assert_eq!(state.sort, Sort::Copied);
        typed(&mut state, "3wgtt");
        assert_eq!((state.sort, state.window, state.by), (Sort::Held, Window::Long, By::Function));
        typed(&mut state, "wgg+++++");
        assert_eq!((state.window, state.by, state.rate()), (Window::All, By::Line, 10));
        typed(&mut state, "--------");
        assert_eq!(state.rate(), 1);
    }

    #[test]
    fn a_filter_takes_letters_that_are_keys() {
        let mut state = State::default();
        typed(&mut state, "/quit");
        state.key(Key::Backspace, &ROWS, 3);
        typed(&mut state, "\nq");
        assert_eq!((state.filter.as_str(), state.leave), ("qui", Some(Leave::Quit)));
        state.key(Key::Escape, &ROWS, 3);
        assert_eq!(state.filter, "");
    }

    #[test]
    fn enter_shows_the_source_and_at_the_end_the_report() {
        let mut state = State::default();
        typed(&mut state, "\n");
        assert!(state.shows_source && state.leave.is_none());
        state.is_finished = true;
        typed(&mut state, "?x\n");
        assert_eq!(state.leave, Some(Leave::Report));
    }
}
