//! Which frames of a stack are sites.
//!
//! On a stack with Python frames only those are: native work counts for the Python line that called it.
//! On a stack without them every frame is one.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::Site;
use super::copiers::is_copying;
use crate::ids::{FrameId, StackId, StringId};
use crate::record::{Frame, Function, Lang};
use crate::tables::Tables;

/// Name of the function that time without a stack is shown under.
pub(crate) const NO_STACK: &str = "[no stack]";

/// Name of what stands for the places beyond those that are told apart.
pub(crate) const OTHER: &str = "[other]";

/// Places that are told apart at most.
const PLACES: usize = 1 << 16;
/// Stands for the place of a frame that was not met.
const UNMET: u32 = u32::MAX;

/// Longest name that is shown.
const SHOWN: usize = 1_024;

/// A name as far as it is shown. A short file can have a million places that all go by one name of 64 KiB.
pub(crate) fn shown(name: &[u8]) -> Cow<'_, [u8]> {
    let Some(&first_left_out) = name.get(SHOWN) else { return name.into() };
    // A character that would be cut in two is left out.
    let inside = |byte: u8| byte & 0xc0 == 0x80;
    let begun = if inside(first_left_out) {
        name[SHOWN - 3..SHOWN].iter().rev().position(|byte| !inside(*byte)).map_or(0, |n| n + 1)
    } else {
        0
    };
    [&name[..SHOWN - begun], "…".as_bytes()].concat().into()
}

/// A name as text.
pub(crate) fn text(name: &[u8]) -> Cow<'_, str> {
    match shown(name) {
        Cow::Borrowed(name) => String::from_utf8_lossy(name),
        Cow::Owned(cut) => String::from_utf8_lossy(&cut).into_owned().into(),
    }
}

/// A line or a function, as the key of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) file: StringId,
    /// The line itself, or the first line of the function.
    pub(super) line: u32,
    pub(super) function: StringId,
}

impl Place {
    /// The place whose figures these are.
    pub(super) fn of(site: &Site) -> Self {
        Self { file: site.file, line: site.line, function: site.function }
    }
}

/// A place on a stack. A place that is there more than once is one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Index of the place.
    pub(super) place: usize,
    /// The function that its innermost occurrence called; `None` where the stack ends.
    pub(super) callee: Option<StringId>,
    /// The place that called its outermost occurrence.
    pub(super) caller: Option<usize>,
}

/// A stack as places.
#[derive(Debug)]
pub(super) struct Route {
    /// Index of the innermost place: the one that self figures count for.
    pub(super) leaf: usize,
    /// Innermost first.
    pub(super) steps: Vec<Step>,
    /// Name of the innermost frame, when that is native code below a Python line.
    pub(super) native: Option<StringId>,
    /// The innermost frame is the C library's copying.
    pub(super) copies: bool,
}

/// Numbers places in the order they are met.
#[derive(Debug)]
pub(super) struct Places<'a> {
    tables: &'a Tables,
    by_line: bool,
    no_stack: Place,
    other: Place,
    index: HashMap<Place, u32>,
    met: Vec<Place>,
    /// Index of each frame's place, where it is known.
    frames: Vec<u32>,
    /// For each place, the walk it was last seen in and its step there.
    seen: Vec<(u32, u32)>,
    walks: u32,
}

impl<'a> Places<'a> {
    pub(super) fn of_lines(tables: &'a Tables) -> Self {
        Self::new(tables, true)
    }

    pub(super) fn of_functions(tables: &'a Tables) -> Self {
        Self::new(tables, false)
    }

    /// Every place so far; its position is its index.
    pub(super) fn met(&self) -> &[Place] {
        &self.met
    }

    fn new(tables: &'a Tables, by_line: bool) -> Self {
        let count = tables.counts()[0] as u32;
        let find = |text: &[u8]| {
            let found = (0..count).rev().map(StringId::new).find(|id| tables.string(*id) == text);
            found.unwrap_or(StringId::new(u32::MAX))
        };
        let named =
            |name: &str| Place { file: find(b""), line: 0, function: find(name.as_bytes()) };
        let (no_stack, other) = (named(NO_STACK), named(OTHER));
        Self {
            tables,
            by_line,
            no_stack,
            other,
            index: HashMap::new(),
            met: Vec::new(),
            frames: vec![UNMET; tables.counts()[2]],
            seen: Vec::new(),
            walks: 0,
        }
    }

    pub(super) fn route(&mut self, stack: Option<StackId>) -> Route {
        self.walks += 1;
        let mut frames: Vec<(usize, StringId, Lang)> = Vec::new();
        for frame in self.tables.walk(stack) {
            if let Some(known) = self.frame(frame) {
                frames.push(known);
            }
        }
        let innermost = frames.first().copied();
        let python = |f: &(usize, StringId, Lang)| f.2 == Lang::Python;
        if frames.iter().any(python) {
            frames.retain(python);
        }
        let mut steps: Vec<Step> = Vec::with_capacity(frames.len());
        for (at, &(place, ..)) in frames.iter().enumerate() {
            let caller = frames.get(at + 1).map(|f| f.0).filter(|caller| *caller != place);
            let seen = &mut self.seen[place];
            if seen.0 == self.walks {
                steps[seen.1 as usize].caller = caller;
            } else {
                *seen = (self.walks, steps.len() as u32);
                let callee = at.checked_sub(1).map(|inner| frames[inner].1);
                steps.push(Step { place, callee, caller });
            }
        }
        let leaf = match frames.first() {
            Some(&(place, ..)) => place,
            None => {
                let place = self.place(self.no_stack);
                steps.push(Step { place, callee: None, caller: None });
                place
            }
        };
        let native = innermost.filter(|i| i.0 != leaf).map(|i| i.1);
        let copies = innermost.is_some_and(|(_, name, lang)| {
            lang == Lang::Native && is_copying(self.tables.string(name))
        });
        Route { leaf, steps, native, copies }
    }

    /// The place that an allocation or a copy counts for: on a stack with Python frames the innermost of them. On one
    /// without, the innermost line of a source of the program's own: who asks in C++ or Rust is nearly always a header
    /// or the standard library.
    pub(super) fn of_memory(&mut self, stack: Option<StackId>) -> usize {
        let leaf = self.route(stack).leaf;
        let mut own = None;
        for id in self.tables.walk(stack) {
            let Some(frame) = self.tables.frame(id) else { continue };
            let Some(function) = self.tables.function(frame.function) else { continue };
            if function.lang == Lang::Python {
                return leaf;
            }
            if own.is_none() && frame.line != 0 && is_own(self.tables.string(function.file)) {
                own = Some(id);
            }
        }
        own.and_then(|id| self.frame(id)).map_or(leaf, |(place, ..)| place)
    }

    fn frame(&mut self, id: FrameId) -> Option<(usize, StringId, Lang)> {
        let frame: Frame = self.tables.frame(id)?;
        let function: Function = self.tables.function(frame.function)?;
        if self.frames[id.index()] == UNMET {
            let line = if self.by_line { frame.line } else { function.first_line };
            let index = self.place(Place { file: function.file, line, function: function.name });
            self.frames[id.index()] = index as u32;
        }
        Some((self.frames[id.index()] as usize, function.name, function.lang))
    }

    fn place(&mut self, place: Place) -> usize {
        if let Some(known) = self.index.get(&place) {
            return *known as usize;
        }
        if self.met.len() >= PLACES && place != self.other && place != self.no_stack {
            return self.place(self.other);
        }
        let index = self.met.len();
        self.index.insert(place, index as u32);
        self.met.push(place);
        self.seen.push((0, 0));
        index
    }
}

/// Whether a native source file is not one of a compiler's or a system's.
pub(crate) fn is_own(file: &[u8]) -> bool {
    let has = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
    // The standard library of Rust has its paths from the machine that built it, or from `rust-src`.
    let foreign = file.starts_with(b"/usr/include/") || file.starts_with(b"/rustc/");
    !foreign && !has(b"/include/c++/") && !has(b"/rustlib/src/rust/")
}

#[cfg(test)]
mod tests {
    use super::{OTHER, PLACES, Places, SHOWN, shown};
    use crate::ids::FrameId;
    use crate::record::{Frame, Function, Lang};
    use crate::tables::{StackNode, Tables};

    #[test]
    fn places_beyond_the_limit_are_one() {
        let mut tables = Tables::default();
        let (file, other) = (tables.push_string(b""), tables.push_string(OTHER.as_bytes()));
        let (name, lang) = (tables.push_string(b"f"), Lang::Python);
        let function = tables.push_function(Function { name, file, first_line: 1, lang });
        let lines = PLACES as u32 + 9;
        (0..lines).for_each(|line| _ = tables.push_frame(Frame { function, line }));
        let node = |frame| StackNode { parent: None, frame: FrameId::new(frame) };
        let stacks: Vec<_> = (0..lines).map(|line| tables.push_stack(node(line))).collect();
        let mut places = Places::of_lines(&tables);
        let leaves: Vec<_> = stacks.iter().map(|stack| places.route(Some(*stack)).leaf).collect();
        assert_eq!(places.met().len(), PLACES + 1);
        assert_eq!(places.met()[PLACES].function, other);
        assert!(leaves[PLACES..].iter().all(|leaf| *leaf == PLACES));
        assert_eq!(places.route(Some(stacks[5])).leaf, leaves[5]);
    }

    #[test]
    fn memory_counts_for_a_line_of_the_programs_own() {
        let mut tables = Tables::default();
        let mut frame = |file: &str, line: u32, lang: Lang| {
            let (name, file) = (tables.push_string(b"f"), tables.push_string(file.as_bytes()));
            let function = tables.push_function(Function { name, file, first_line: 1, lang });
            tables.push_frame(Frame { function, line })
        };
        let script = frame("a.py", 7, Lang::Python);
        let own = frame("/src/a.cpp", 3, Lang::Native);
        let inner = frame("/src/a.cpp", 2, Lang::Native);
        let header = frame("/usr/include/c++/12/bits/new_allocator.h", 137, Lang::Native);
        let unlocated = frame("/usr/lib/libstdc++.so.6", 0, Lang::Native);
        let mut stack = |outermost_first: &[FrameId]| {
            let push =
                |parent, &frame: &FrameId| Some(tables.push_stack(StackNode { parent, frame }));
            outermost_first.iter().fold(None, push)
        };
        let stacks = [
            (stack(&[own, inner, header, unlocated]), 2),
            (stack(&[own, unlocated]), 3),
            (stack(&[header, unlocated]), 0),
            (stack(&[own, script, inner, header]), 7),
            (None, 0),
        ];
        let mut places = Places::of_lines(&tables);
        for (stack, line) in stacks {
            let at = places.of_memory(stack);
            assert_eq!(places.met()[at].line, line, "{stack:?}");
        }
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let name = "é".repeat(SHOWN);
        assert_eq!(*shown(&name.as_bytes()[..SHOWN]), name.as_bytes()[..SHOWN]);
        for prefix in ["", "x", "xy", "xyz"] {
            for unit in ["é", "漢", "😀"] {
                let name = prefix.to_owned() + &unit.repeat(SHOWN);
                let cut = shown(name.as_bytes()).into_owned();
                let text = String::from_utf8(cut).unwrap();
                assert!(name.starts_with(text.trim_end_matches('…')) && text.ends_with('…'));
                assert!(text.len() > SHOWN - unit.len() && text.len() <= SHOWN + "…".len());
            }
        }
        assert_eq!(shown(&[0xbf; 5_000]).len(), SHOWN + "…".len());
    }
}
