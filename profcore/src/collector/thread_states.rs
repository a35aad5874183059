//! A thread's Python state, found from outside: in the interpreter's list of threads, for threads that no tick has met,
//! and checked, because a state is freed while its thread goes on.

use crate::cpython::versions::Version;
use crate::sys::probe::Memory;

/// Most states that are looked at.
const MOST: usize = 4096;

/// A process's interpreter: where its runtime is, and a thread state that was seen in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) runtime: usize,
    pub(crate) seen: usize,
}

/// The state of the thread whose `pthread_self` is `pointer`: `told` if it is still that thread's, or one of the list.
pub(crate) fn of_thread(
    memory: &impl Memory,
    version: &Version,
    place: Place,
    told: usize,
    pointer: u64,
) -> Option<usize> {
    let threads = version.layout.threads;
    let is_its = |state: usize| memory.word(state.checked_add(threads.thread_id)?);
    if pointer == 0 {
        return (told != 0).then_some(told);
    }
    if told != 0 && is_its(told) == Some(pointer) {
        return Some(told);
    }
    // A patch release may move the list; from 3.13 on the runtime says where it is.
    let head = match version.debug_offsets {
        Some(at) => memory.word(place.runtime.checked_add(at.threads_head)?)? as usize,
        None => threads.head,
    };
    let follow = |from: usize, at: usize| {
        let next = memory.word(from.checked_add(at)?)? as usize;
        (next != 0).then_some(next)
    };
    let interpreter = follow(place.seen, version.layout.collecting.interpreter)?;
    let mut state = follow(interpreter, head)?;
    for _ in 0..MOST {
        if is_its(state) == Some(pointer) {
            return Some(state);
        }
        state = follow(state, threads.next)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpython::version_of;
    use std::collections::HashMap;

    struct Words(HashMap<usize, u64>);

    impl Memory for Words {
        fn word(&self, address: usize) -> Option<u64> {
            self.0.get(&address).copied()
        }

        fn copy(&self, _: usize, _: &mut [u8]) -> bool {
            false
        }
    }

    /// Three states in a list: 0x1000 (the one that was seen, thread 7), 0x2000 (thread 8), 0x3000 (thread 9).
    fn list(version: &Version) -> Words {
        let threads = version.layout.threads;
        let mut words = HashMap::from([(0x1000 + version.layout.collecting.interpreter, 0x9000)]);
        let head = match version.debug_offsets {
            Some(at) => {
                words.insert(0x8000 + at.threads_head, 40);
                40
            }
            None => threads.head,
        };
        words.insert(0x9000 + head, 0x3000);
        for (state, thread, next) in [(0x3000, 9, 0x2000), (0x2000, 8, 0x1000), (0x1000, 7, 0)] {
            words.insert(state + threads.thread_id, thread);
            words.insert(state + threads.next, next);
        }
        Words(words)
    }

    #[test]
    fn a_thread_is_found_by_its_pointer() {
        for hex in [0x0309_0000, 0x030b_0000, 0x030e_0000] {
            let version = version_of(hex).unwrap();
            let mut memory = list(version);
            let place = Place { runtime: 0x8000, seen: 0x1000 };
            let find =
                |memory: &Words, told, pointer| of_thread(memory, version, place, told, pointer);
            assert_eq!(find(&memory, 0, 8), Some(0x2000));
            assert_eq!(find(&memory, 0x1000, 7), Some(0x1000));
            assert_eq!(find(&memory, 0x2000, 7), Some(0x1000), "a state that is another's now");
            assert_eq!(find(&memory, 0x5000, 6), None, "not Python's");
            assert_eq!(find(&memory, 0x5000, 0), Some(0x5000), "nothing to check it by");
            memory.0.insert(0x1000 + version.layout.threads.next, 0x3000);
            assert_eq!(find(&memory, 0, 6), None, "a circle ends");
            memory.0.remove(&(0x2000 + version.layout.threads.next));
            assert_eq!(find(&memory, 0, 7), None, "a hole ends it");
        }
    }
}
