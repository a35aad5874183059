//! Where functions of this program lie.

use object::{Object, ObjectSymbol};
use std::ops::Range;

/// The addresses of a function's code, which begins at `start`: how long it is says the program's table of symbols.
pub(crate) fn range(start: *const ()) -> Range<u64> {
    let start = start as u64;
    let bytes = std::fs::read("/proc/self/exe").expect("the test binary is there");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let base = start_of_program();
    let size = |symbol: object::Symbol<'_, '_>| {
        Some(symbol.size()).filter(|&size| size > 0 && symbol.address() + base == start)
    };
    let size = file.symbols().find_map(size).expect("it has a symbol");
    start..start + size
}

/// Where address 0 of the program's file lies: at its first mapping, for it may lie anywhere.
fn start_of_program() -> u64 {
    let path = std::fs::read_link("/proc/self/exe").expect("the test binary is there");
    let path = path.to_str().expect("a plain path").to_owned();
    let maps = std::fs::read_to_string("/proc/self/maps").expect("it is there");
    let line = maps.lines().find(|line| line.ends_with(&path)).expect("it is mapped");
    let start = line.split('-').next().unwrap_or_default();
    u64::from_str_radix(start, 16).expect("an address")
}
