//! The rows that a stack counts for. The rules are those of `sites::places`: on a stack with Python frames only those
//! are places, on one without every frame is; a place counts once, however often it stands there.

use super::By;
use super::group::{Group, Key, Spot};
use crate::analysis::sites::places::is_own;
use crate::ids::{FrameId, StackId, StringId};
use crate::record::{Frame, Function, Lang};
use crate::tables::Tables;

/// Stands for the rows of a frame that was not met.
const UNMET: u32 = u32::MAX;

/// A frame as a place: its line's and its function's row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) numbers: [u32; 2],
    pub(super) name: StringId,
}

impl Step {
    /// Its row in a group of places.
    pub(super) fn number(&self, by: By) -> Option<u32> {
        self.numbers.get(by as usize).copied()
    }
}

/// A stack as places.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// The rows that self figures count for: a line's and a function's.
    pub(super) leaf: [u32; 2],
    /// The rows that total figures count for, each once: lines' and functions'.
    pub(super) steps: [Vec<u32>; 2],
    /// The places, innermost first, as often as they stand there.
    pub(super) frames: Vec<Step>,
    /// Name of the innermost frame, when that is native code below a Python line.
    pub(super) native: Option<StringId>,
}

/// A frame and its function.
type Met = (FrameId, Frame, Function);

/// Walks stacks.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// Rows of each frame, where they are known.
    rows: Vec<[u32; 2]>,
    /// By row, the walk that it was last seen in.
    seen: [Vec<u32>; 2],
    walks: u32,
    met: Vec<Met>,
    route: Route,
}

impl Routes {
    /// The places of a stack.
    pub(super) fn walk(
        &mut self,
        stack: Option<StackId>,
        tables: &Tables,
        groups: &mut [Group; 3],
    ) -> &Route {
        let mut met = std::mem::take(&mut self.met);
        met.clear();
        met.extend(tables.walk(stack).filter_map(|frame| found(frame, tables)));
        let is_python = |met: &Met| met.2.lang == Lang::Python;
        let innermost = met.first().copied();
        let has_python = met.iter().any(is_python);
        if has_python {
            met.retain(is_python);
        }
        let native = innermost.filter(|met| has_python && !is_python(met));
        self.route.native = native.map(|(_, _, function)| function.name);
        // Native frames below Python's have no rows, or there would soon be none left.
        self.route.frames.clear();
        for met in &met {
            let numbers = self.rows_of(met, tables, groups);
            self.route.frames.push(Step { numbers, name: met.2.name });
        }
        self.met = met;
        let first = self.route.frames.first();
        self.route.leaf = first.map_or([Group::NO_STACK; 2], |step| step.numbers);
        self.walks = self.walks.wrapping_add(1);
        for (at, steps) in self.route.steps.iter_mut().enumerate() {
            let seen = &mut self.seen[at];
            seen.resize(groups[at].len() as usize, self.walks.wrapping_sub(1));
            steps.clear();
            for number in self.route.frames.iter().map(|step| step.numbers[at]) {
                if std::mem::replace(&mut seen[number as usize], self.walks) != self.walks {
                    steps.push(number);
                }
            }
            if steps.is_empty() {
                steps.push(Group::NO_STACK);
            }
        }
        &self.route
    }

    /// The rows that an allocation or a copy counts for, a line's and a function's: as with time, but on a stack
    /// without Python those of the innermost line of a source of the program's own.
    pub(super) fn of_memory(
        &mut self,
        stack: Option<StackId>,
        tables: &Tables,
        groups: &mut [Group; 3],
    ) -> [u32; 2] {
        let (mut first, mut own) = (None, None);
        for met in tables.walk(stack).filter_map(|frame| found(frame, tables)) {
            let (_, frame, function) = met;
            if function.lang == Lang::Python {
                return self.rows_of(&met, tables, groups);
            }
            first.get_or_insert(met);
            if own.is_none() && frame.line != 0 && is_own(tables.string(function.file)) {
                own = Some(met);
            }
        }
        match own.or(first) {
            Some(met) => self.rows_of(&met, tables, groups),
            None => [Group::NO_STACK; 2],
        }
    }

    fn rows_of(
        &mut self,
        (id, frame, function): &Met,
        tables: &Tables,
        groups: &mut [Group; 3],
    ) -> [u32; 2] {
        if self.rows.len() <= id.index() {
            self.rows.resize(tables.counts()[2], [UNMET; 2]);
        }
        let rows = &mut self.rows[id.index()];
        if rows[0] == UNMET {
            let spot =
                |line| Key::Spot(Spot { file: function.file, line, function: function.name });
            *rows = [
                groups[By::Line as usize].number(spot(frame.line)),
                groups[By::Function as usize].number(spot(function.first_line)),
            ];
        }
        *rows
    }
}

/// A frame with what is known of it; a damaged trace can lack its function.
fn found(id: FrameId, tables: &Tables) -> Option<Met> {
    let frame = tables.frame(id)?;
    Some((id, frame, tables.function(frame.function)?))
}
