//! Files by their paths.

use std::collections::HashMap;

/// Parts of a path that are compared, from its end.
const PARTS: usize = 8;

/// For each of `paths`, which of `known` is the same module: the one of the same path; of the others the one whose path
/// agrees in most parts from the end, if there is one such on either side. So a program is found again in another
/// folder, and a library under another version of Python.
pub(in crate::analysis::diff) fn matched(known: &[&[u8]], paths: &[&[u8]]) -> Vec<Option<u32>> {
    let by_path: HashMap<&[u8], u32> = known.iter().copied().zip(0..).collect();
    let mut taken = vec![false; known.len()];
    let mut found: Vec<Option<u32>> = vec![None; paths.len()];
    for (found, path) in found.iter_mut().zip(paths) {
        *found = by_path.get(path).copied();
        if let Some(at) = *found {
            taken[at as usize] = true;
        }
    }
    for parts in (1..=PARTS).rev() {
        // The paths that end alike, and one of them, on either side.
        let mut ends: HashMap<&[u8], [(u32, usize); 2]> = HashMap::new();
        let mut add = |path, side: usize, at| {
            if let Some(end) = end(path, parts) {
                let count = &mut ends.entry(end).or_default()[side];
                *count = (count.0 + 1, at);
            }
        };
        for (at, path) in known.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            add(path, 0, at);
        }
        for (at, path) in paths.iter().enumerate().filter(|(at, _)| found[*at].is_none()) {
            add(path, 1, at);
        }
        for [(old, known), (new, path)] in ends.into_values() {
            if (old, new) == (1, 1) {
                found[path] = Some(known as u32);
                taken[known] = true;
            }
        }
    }
    found
}

/// The last parts of a path; `None` if it has not so many, or they say nothing.
fn end(path: &[u8], parts: usize) -> Option<&[u8]> {
    let mut slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
    let end = match slashes.nth(parts - 1) {
        Some((slash, _)) => &path[slash + 1..],
        None if path.iter().filter(|byte| **byte == b'/').count() + 1 == parts => path,
        None => return None,
    };
    let says_nothing = matches!(end, b"" | b"__init__.py" | b"__main__.py");
    (!says_nothing && !end.starts_with(b"<")).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::matched;

    fn of(known: &[&'static str], paths: &[&'static str]) -> Vec<Option<u32>> {
        let bytes = |paths: &[&'static str]| -> Vec<&[u8]> {
            paths.iter().map(|path| path.as_bytes()).collect()
        };
        matched(&bytes(known), &bytes(paths))
    }

    #[test]
    fn the_same_path_is_the_same_file() {
        assert_eq!(of(&["/a/x.py", "/b/x.py"], &["/b/x.py", "/c/y.py"]), [Some(1), None]);
        assert_eq!(of(&["<string>", "x.py"], &["<string>"]), [Some(0)]);
    }

    #[test]
    fn the_longest_end_decides() {
        let known = ["/old/app/net/io.py", "/old/app/disk/io.py", "/old/app/main.py"];
        let paths = ["/new/app/disk/io.py", "/new/app/main.py", "/new/app/net/io.py"];
        assert_eq!(of(&known, &paths), [Some(1), Some(2), Some(0)]);
        let known = ["/usr/lib/python3.11/json/decoder.py", "/v/decoder.py"];
        assert_eq!(of(&known, &["/usr/lib/python3.12/json/decoder.py"]), [Some(0)]);
    }

    #[test]
    fn what_could_be_several_is_none() {
        assert_eq!(of(&["/a/x.py", "/b/x.py"], &["/c/x.py"]), [None]);
        assert_eq!(of(&["/a/p/__init__.py"], &["/b/q/__init__.py"]), [None]);
        assert_eq!(of(&["/a/p/__init__.py"], &["/b/p/__init__.py"]), [Some(0)]);
        assert_eq!(of(&["", "<a>"], &["<b>"]), [None]);
        assert_eq!(of(&["x.py"], &["/b/x.py"]), [Some(0)]);
    }
}
