//! The tables that all threads share: strings, functions, frames and stacks.

use std::collections::HashMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::analysis::sites::places::OTHER;
use crate::export::binaries;
use crate::export::escape::escape;
use crate::export::names::{NO_STACK, shown};
use crate::ids::{BinaryId, FrameId, FunctionId, StackId, StringId};
use crate::record::{Class, Function, Lang};
use crate::tables::Tables;

/// Number of categories: the default one, then one for each class.
pub(super) const CATEGORIES: usize = 1 + Class::ALL.len();
/// Stands for a place in a table that an entry does not have yet.
const NONE: u32 = u32::MAX;

/// Stand for the frame and the function of stacks that are not told apart.
const OTHER_FRAME: FrameId = FrameId::new(u32::MAX);
const OTHER_FUNCTION: FunctionId = FunctionId::new(u32::MAX);
/// Strings that stand before those of the trace.
const OWN: [&str; 2] = [NO_STACK, OTHER];

/// What samples are colored by. Field names are the format's.
#[derive(Serialize)]
pub(super) struct Category {
    name: &'static str,
    color: &'static str,
    subcategories: [&'static str; 1],
}

/// The default category must be there, and be gray.
pub(super) fn categories() -> [Category; CATEGORIES] {
    std::array::from_fn(|at| {
        let class = at.checked_sub(1).and_then(|at| Class::ALL.get(at));
        let (name, color) = match class {
            None => ("Other", "grey"),
            Some(Class::Python) => ("Python", "blue"),
            Some(Class::Native) => ("Native", "orange"),
            Some(Class::Gc) => ("Garbage collection", "purple"),
            Some(Class::Kernel) => ("Kernel", "green"),
            Some(Class::Gil) => ("Waiting for the GIL", "red"),
            Some(Class::Wait) => ("Waiting", "transparent"),
        };
        Category { name, color, subcategories: ["Other"] }
    })
}

fn category(class: Class) -> usize {
    1 + usize::from(class.code())
}

fn category_of(lang: Lang) -> usize {
    match lang {
        Lang::Python => category(Class::Python),
        Lang::Native => category(Class::Native),
        Lang::Other => 0,
    }
}

/// A frame in one of its categories; `None` stands for what is not known.
type Framed = (Option<FrameId>, usize);

/// Tables that hold what was asked for, in order of asking. A caller is asked for before what it calls.
pub(super) struct Shared<'a> {
    pub(super) tables: &'a Tables,
    /// Place of a stack whose innermost frame has the category of its language.
    stacks: Vec<u32>,
    /// Places of stacks by their caller's place and innermost frame, where the class decided on the category.
    classed: HashMap<(u32, Framed), u32>,
    stack_list: Vec<(u32, u32)>,
    /// Places of frames in the category of their language.
    plain_frames: Vec<u32>,
    /// Places of the others.
    frames: HashMap<Framed, u32>,
    frame_list: Vec<(Framed, u32)>,
    functions: Vec<u32>,
    /// `None` is the function of what is not known.
    function_list: Vec<Option<FunctionId>>,
    /// Places of the functions that no trace has.
    no_function: u32,
    other_function: u32,
    strings: Vec<u32>,
    /// Places begin behind [`OWN`].
    string_list: Vec<StringId>,
    sources: Vec<u32>,
    source_list: Vec<u32>,
    /// Places of binaries among the libraries.
    libraries: Vec<u32>,
    pub(super) library_list: Vec<BinaryId>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(tables: &'a Tables) -> Self {
        let [strings, functions, frames, stacks] = tables.counts();
        Self {
            tables,
            stacks: vec![NONE; stacks],
            classed: HashMap::new(),
            stack_list: Vec::new(),
            plain_frames: vec![NONE; frames],
            frames: HashMap::new(),
            frame_list: Vec::new(),
            functions: vec![NONE; functions],
            function_list: Vec::new(),
            no_function: NONE,
            other_function: NONE,
            strings: vec![NONE; strings],
            string_list: Vec::new(),
            sources: vec![NONE; strings],
            source_list: Vec::new(),
            libraries: vec![NONE; tables.binaries().len()],
            library_list: Vec::new(),
        }
    }

    /// The place of a stack that was met in this class.
    pub(super) fn stack(&mut self, stack: Option<StackId>, class: Option<Class>) -> u32 {
        let known = stack.and_then(|id| Some((id, self.tables.stack(id)?)));
        let Some((id, node)) = known else {
            return self.classed(NONE, (None, class.map_or(0, category)));
        };
        match class.map(category).filter(|own| *own != self.category(node.frame)) {
            None => self.plain(id),
            Some(own) => {
                // A damaged trace can have a stack that is its own caller.
                let parent = node.parent.filter(|parent| parent.index() < id.index());
                let caller = parent.map_or(NONE, |parent| self.plain(parent));
                self.classed(caller, (Some(node.frame), own))
            }
        }
    }

    /// The place of the stacks of this class that are not told apart.
    pub(super) fn other(&mut self, class: Option<Class>) -> u32 {
        self.classed(NONE, (Some(OTHER_FRAME), class.map_or(0, category)))
    }

    /// The place of a stack whose frames have the categories of their languages.
    fn plain(&mut self, id: StackId) -> u32 {
        let mut missing = Vec::new();
        let mut next = Some(id);
        let mut place = NONE;
        while let Some(at) = next {
            match self.stacks.get(at.index()) {
                Some(&NONE) => missing.push(at),
                known => {
                    place = known.copied().unwrap_or(NONE);
                    break;
                }
            }
            let parent = self.tables.stack(at).and_then(|node| node.parent);
            next = parent.filter(|parent| parent.index() < at.index());
        }
        for at in missing.into_iter().rev() {
            let frame = self.tables.stack(at).map(|node| node.frame);
            let category = frame.map_or(0, |frame| self.category(frame));
            let frame = self.frame((frame, category));
            self.stack_list.push((place, frame));
            place = self.stack_list.len() as u32 - 1;
            self.stacks[at.index()] = place;
        }
        place
    }

    fn classed(&mut self, caller: u32, framed: Framed) -> u32 {
        if let Some(place) = self.classed.get(&(caller, framed)) {
            return *place;
        }
        let frame = self.frame(framed);
        let place = self.stack_list.len() as u32;
        self.stack_list.push((caller, frame));
        self.classed.insert((caller, framed), place);
        place
    }

    fn category(&self, frame: FrameId) -> usize {
        let function = self.tables.frame(frame).and_then(|f| self.tables.function(f.function));
        function.map_or(0, |function| category_of(function.lang))
    }

    fn frame(&mut self, framed: Framed) -> u32 {
        let next = self.frame_list.len() as u32;
        let plain = framed.0.filter(|id| self.category(*id) == framed.1);
        let place = match plain.and_then(|id| self.plain_frames.get_mut(id.index())) {
            Some(place) => place,
            None => self.frames.entry(framed).or_insert(NONE),
        };
        if *place != NONE {
            return *place;
        }
        *place = next;
        let function = match framed.0 {
            Some(OTHER_FRAME) => Some(OTHER_FUNCTION),
            frame => frame.and_then(|frame| self.tables.frame(frame)).map(|f| f.function),
        };
        let function = self.function(function);
        self.frame_list.push((framed, function));
        next
    }

    fn function(&mut self, id: Option<FunctionId>) -> u32 {
        let known = id.and_then(|id| Some((id, self.tables.function(id)?)));
        let next = self.function_list.len() as u32;
        let other = id.filter(|id| *id == OTHER_FUNCTION);
        let place = match (known, other) {
            (Some((id, _)), _) => &mut self.functions[id.index()],
            (None, Some(_)) => &mut self.other_function,
            (None, None) => &mut self.no_function,
        };
        if *place != NONE {
            return *place;
        }
        *place = next;
        self.function_list.push(known.map(|(id, _)| id).or(other));
        if let Some((id, function)) = known {
            self.library(self.tables.binary_of(id));
            self.string(function.name);
            self.source(function.file);
        }
        next
    }

    fn string(&mut self, id: StringId) -> u32 {
        let Some(place) = self.strings.get_mut(id.index()) else { return 0 };
        if *place == NONE {
            *place = (OWN.len() + self.string_list.len()) as u32;
            self.string_list.push(id);
        }
        *place
    }

    fn library(&mut self, id: BinaryId) {
        let Some(place) = self.libraries.get_mut(id.index()) else { return };
        if id != BinaryId::NONE && *place == NONE {
            *place = self.library_list.len() as u32;
            self.library_list.push(id);
        }
    }

    fn source(&mut self, id: StringId) {
        if self.tables.string(id).is_empty() || self.sources[id.index()] != NONE {
            return;
        }
        let name = self.string(id);
        self.sources[id.index()] = self.source_list.len() as u32;
        self.source_list.push(name);
    }
}

/// A column, made one value at a time.
pub(super) struct Column<I>(pub(super) I);

impl<I: Iterator + Clone> Serialize for Column<I>
where
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

impl Serialize for Shared<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let texts = self.string_list.iter().map(|id| {
            let text = escape(&shown(self.tables.string(*id)));
            if text.is_empty() { "[no name]".to_owned() } else { text }
        });
        // Behind those that the other tables know by their places.
        let found = self.library_list.iter().filter_map(|id| self.tables.binary(*id));
        let names = found.map(|binary| binaries::name(self.tables, binary));
        let texts = OWN.map(str::to_owned).into_iter().chain(texts).chain(names);
        map.serialize_entry("stringArray", &Column(texts))?;
        map.serialize_entry("stackTable", &Stacks(self))?;
        map.serialize_entry("frameTable", &Frames(self))?;
        map.serialize_entry("funcTable", &Functions(self))?;
        map.serialize_entry("resourceTable", &Resources(self))?;
        let symbols = Empty(&["libIndex", "address", "name", "functionSize"]);
        map.serialize_entry("nativeSymbols", &symbols)?;
        map.serialize_entry("sources", &Sources(self))?;
        map.end()
    }
}

/// A table without rows.
pub(super) struct Empty(pub(super) &'static [&'static str]);

impl Serialize for Empty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("length", &0)?;
        for name in self.0 {
            map.serialize_entry(name, &[0u8; 0])?;
        }
        map.end()
    }
}

struct Stacks<'a>(&'a Shared<'a>);

impl Serialize for Stacks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let list = &self.0.stack_list;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("length", &list.len())?;
        let callers = list.iter().map(|(caller, _)| (*caller != NONE).then_some(*caller));
        map.serialize_entry("prefix", &Column(callers))?;
        map.serialize_entry("frame", &Column(list.iter().map(|(_, frame)| frame)))?;
        map.end()
    }
}

struct Frames<'a>(&'a Shared<'a>);

impl Serialize for Frames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let list = &self.0.frame_list;
        let all = |value: Option<i32>| Column(std::iter::repeat_n(value, list.len()));
        let line = |((id, _), _): &(Framed, u32)| {
            let frame = id.and_then(|id| self.0.tables.frame(id));
            frame.map(|frame| frame.line).filter(|line| *line > 0)
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("length", &list.len())?;
        map.serialize_entry("address", &all(Some(-1)))?;
        map.serialize_entry("inlineDepth", &all(Some(0)))?;
        map.serialize_entry("category", &Column(list.iter().map(|((_, category), _)| category)))?;
        map.serialize_entry("subcategory", &all(Some(0)))?;
        map.serialize_entry("func", &Column(list.iter().map(|(_, function)| function)))?;
        map.serialize_entry("nativeSymbol", &all(None))?;
        map.serialize_entry("innerWindowID", &all(Some(0)))?;
        map.serialize_entry("line", &Column(list.iter().map(line)))?;
        map.serialize_entry("column", &all(None))?;
        map.end()
    }
}

struct Functions<'a>(&'a Shared<'a>);

impl Serialize for Functions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Shared { tables, function_list: list, strings, sources, libraries, .. } = self.0;
        let known = || list.iter().map(|id| tables.function((*id)?));
        let place = |places: &[u32], id: StringId| {
            places.get(id.index()).copied().filter(|place| *place != NONE)
        };
        let own = |id: &Option<FunctionId>| u32::from(*id == Some(OTHER_FUNCTION));
        let name = |id: &Option<FunctionId>| {
            let known = id.and_then(|id| tables.function(id));
            known.and_then(|f| place(strings, f.name)).unwrap_or(own(id))
        };
        let source = |f: Option<Function>| f.and_then(|f| place(sources, f.file));
        let line = |f: Option<Function>| f.map(|f| f.first_line).filter(|line| *line > 0);
        let all = |value: bool| Column(std::iter::repeat_n(value, list.len()));
        let nothing = Column(std::iter::repeat_n((), list.len()));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("length", &list.len())?;
        map.serialize_entry("name", &Column(list.iter().map(name)))?;
        map.serialize_entry("isJS", &all(false))?;
        map.serialize_entry("relevantForJS", &all(false))?;
        let resource = |id: &Option<FunctionId>| {
            let binary = id.map_or(BinaryId::NONE, |id| tables.binary_of(id));
            let place = libraries.get(binary.index()).filter(|place| **place != NONE);
            place.map_or(-1, |place| i64::from(*place))
        };
        map.serialize_entry("resource", &Column(list.iter().map(resource)))?;
        map.serialize_entry("source", &Column(known().map(source)))?;
        map.serialize_entry("lineNumber", &Column(known().map(line)))?;
        map.serialize_entry("columnNumber", &nothing)?;
        map.end()
    }
}

/// One for each library.
struct Resources<'a>(&'a Shared<'a>);

impl Serialize for Resources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const LIBRARY: u32 = 1;
        let count = self.0.library_list.len();
        let names = OWN.len() + self.0.string_list.len();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("length", &count)?;
        map.serialize_entry("lib", &Column(0..count))?;
        map.serialize_entry("name", &Column(names..names + count))?;
        map.serialize_entry("host", &Column(std::iter::repeat_n((), count)))?;
        map.serialize_entry("type", &Column(std::iter::repeat_n(LIBRARY, count)))?;
        map.end()
    }
}

struct Sources<'a>(&'a Shared<'a>);

impl Serialize for Sources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let list = &self.0.source_list;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("length", &list.len())?;
        map.serialize_entry("uuid", &Column(std::iter::repeat_n((), list.len())))?;
        map.serialize_entry("filename", list)?;
        map.end()
    }
}
