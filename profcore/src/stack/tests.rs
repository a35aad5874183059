//! Tests of the walker and of captures, on frames built in plain memory after each layout.

use super::*;
use crate::codes;
use crate::cpython::versions::VERSIONS;
use crate::event::{self, Event, UNKNOWN_CODE, frame_parts};
use crate::sys::probe::tests::guard;
use image::{CodeImage, Object};

const THREAD: u8 = 0;
const GENERATOR: u8 = 1;
const ENTRY: u8 = 3;

/// Frames given innermost first: code, offset, owner. The objects must outlive the walk.
struct Chain {
    frames: Vec<Object>,
    state: (Object, Object),
}

fn has_entries(python: &Python) -> bool {
    python.layout.frame.owner.is_some_and(|owner| owner.has_entries())
}

/// Ends in an entry frame where the version has them.
fn chain(python: &Python, frames: &[(&CodeImage, isize, u8)]) -> Chain {
    let mut frames = frames.to_vec();
    if let (true, Some(&(code, _, _))) = (has_entries(python), frames.first()) {
        frames.push((code, 0, ENTRY));
    }
    bare_chain(python, &frames)
}

fn bare_chain(python: &Python, frames: &[(&CodeImage, isize, u8)]) -> Chain {
    let mut objects = Vec::new();
    let mut previous = 0;
    for &(code, offset, owner) in frames.iter().rev() {
        let object = image::frame(&python.layout, code, offset, owner, previous);
        previous = object.address();
        objects.push(object);
    }
    objects.reverse();
    Chain { frames: objects, state: image::thread_state(&python.layout, previous) }
}

fn code(python: &Python, name: &str) -> CodeImage {
    let text = |text: &str| image::text(&python.layout, 1, true, text.as_bytes());
    image::code(python, text("a.py"), text(name), 1, &[], &(0..20).collect::<Vec<u8>>())
}

fn captured(session: Session, python: &Python, chain: &Chain) -> (Capture, Vec<(String, i32)>) {
    let probation = Probation::new();
    let state = chain.state.0.address();
    let capture = capture_from(session, session.slot(1), python, state, &probation);
    (capture, names(session, &capture))
}

fn names(session: Session, capture: &Capture) -> Vec<(String, i32)> {
    let frames = capture.frames.iter().take(capture.depth);
    frames
        .map(|word| {
            let (id, offset) = frame_parts(word.load(Ordering::Relaxed));
            assert_ne!(id, UNKNOWN_CODE);
            (String::from_utf8(codes::read(session, id).unwrap().name).unwrap(), offset)
        })
        .collect()
}

fn expect(pairs: &[(&str, i32)]) -> Vec<(String, i32)> {
    pairs.iter().map(|&(name, offset)| (name.to_owned(), offset)).collect()
}

#[test]
fn every_version_is_walked_from_the_leaf_outwards() {
    let session = image::session();
    for version in &VERSIONS {
        let python = Python::for_tests(version);
        let (leaf, root) = (code(&python, "leaf"), code(&python, "root"));
        let chain = chain(&python, &[(&leaf, 6, THREAD), (&root, 4, THREAD)]);
        let (capture, found) = captured(session, &python, &chain);
        assert_eq!(found, expect(&[("leaf", 6), ("root", 4)]), "3.{}", version.minor);
        assert_eq!((capture.opcode, capture.flags), (6, stack_flag::PYTHON));
    }
}

#[test]
fn a_frame_that_has_not_begun_has_a_negative_offset_and_no_opcode() {
    let session = image::session();
    for version in &VERSIONS {
        let python = Python::for_tests(version);
        let leaf = code(&python, "leaf");
        let chain = chain(&python, &[(&leaf, -2, THREAD)]);
        let (capture, found) = captured(session, &python, &chain);
        assert_eq!((found, capture.opcode), (expect(&[("leaf", -2)]), 0), "3.{}", version.minor);
    }
}

#[test]
fn entry_frames_are_passed_over() {
    let session = image::session();
    for version in VERSIONS.iter().filter(|version| has_entries(&Python::for_tests(version))) {
        let python = Python::for_tests(version);
        let highest = python.layout.frame.owner.unwrap().highest;
        let (leaf, root, entry) =
            (code(&python, "leaf"), code(&python, "root"), code(&python, "entry"));
        let chain = chain(
            &python,
            &[
                (&entry, 0, ENTRY),
                (&leaf, 6, THREAD),
                (&entry, 0, highest),
                (&root, 4, THREAD),
                (&entry, 0, ENTRY),
            ],
        );
        let (capture, found) = captured(session, &python, &chain);
        assert_eq!(found, expect(&[("leaf", 6), ("root", 4)]));
        assert_eq!((capture.opcode, capture.flags), (6, stack_flag::PYTHON));
    }
}

#[test]
fn code_of_the_interpreter_itself_is_passed_over() {
    for version in VERSIONS.iter().filter(|version| version.layout.init_cleanup.is_some()) {
        cleanup_is_passed_over(&Python::for_tests(version));
    }
}

fn cleanup_is_passed_over(python: &Python) {
    let session = image::session();
    let (leaf, root) = (code(python, "leaf"), code(python, "root"));
    let opcode = python.layout.init_cleanup.unwrap().1;
    let name = |text: &str| image::text(&python.layout, 1, true, text.as_bytes());
    let (file, init) = (name("-"), name("__init__"));
    let same = init.address();
    let mut cleanup = image::code(python, file, init, 1, &[], &[opcode, 0, 0, 0]);
    let walked = |cleanup: &CodeImage| {
        let frames = [(&leaf, 6, THREAD), (cleanup, 0, THREAD), (&root, 4, THREAD)];
        captured(session, python, &chain(python, &frames)).1
    };
    let found = walked(&cleanup);
    assert_eq!(found.len(), 3, "a file of another name may begin with any instruction");
    cleanup.object.set(python.layout.code.file, 8, same);
    assert_eq!(walked(&cleanup), expect(&[("leaf", 6), ("root", 4)]));
}

#[test]
fn a_generator_at_the_root_is_unlinked() {
    let session = image::session();
    for version in VERSIONS.iter().filter(|version| version.minor >= 11) {
        let python = Python::for_tests(version);
        let leaf = code(&python, "leaf");
        let (capture, _) =
            captured(session, &python, &bare_chain(&python, &[(&leaf, 6, GENERATOR)]));
        assert_eq!(capture.flags, stack_flag::PYTHON | stack_flag::UNLINKED);
        let linked = chain(&python, &[(&leaf, 6, GENERATOR), (&leaf, 2, THREAD)]);
        assert_eq!(captured(session, &python, &linked).0.flags, stack_flag::PYTHON);
    }
}

#[test]
fn a_chain_that_misses_its_entry_frame_is_torn() {
    let session = image::session();
    for version in &VERSIONS {
        let python = Python::for_tests(version);
        let leaf = code(&python, "leaf");
        let chain = bare_chain(&python, &[(&leaf, 6, THREAD)]);
        let torn = if has_entries(&python) { stack_flag::TORN } else { 0 };
        let (capture, found) = captured(session, &python, &chain);
        assert_eq!((found.len(), capture.flags), (1, stack_flag::PYTHON | torn));
    }
}

#[test]
fn what_is_not_a_frame_ends_the_walk() {
    guard();
    let session = image::session();
    for version in &VERSIONS {
        let python = Python::for_tests(version);
        let layout = &python.layout;
        let (leaf, root) = (code(&python, "leaf"), code(&python, "root"));
        let mut other = code(&python, "other");
        other.object.set(layout.object_type, 8, python.code_type + 8);
        let frames = [(&leaf, 6, THREAD), (&root, 4, THREAD)];
        let torn = |chain: &Chain, depth: usize, why: &str| {
            let (capture, found) = captured(session, &python, chain);
            assert_eq!(found.len(), depth, "3.{} {why}", version.minor);
            assert_eq!(capture.flags, stack_flag::PYTHON | stack_flag::TORN, "{why}");
        };
        for address in [3, 8, 1 << 46, 1 << 47, usize::MAX - 7] {
            let mut chain = chain(&python, &frames);
            chain.frames[0].set(layout.frame.previous, 8, address);
            torn(&chain, 1, "previous");
            chain.frames[0].set(layout.frame.code, 8, address);
            torn(&chain, 0, "code");
            chain.state = image::thread_state(layout, address);
            torn(&chain, 0, "frame");
        }
        torn(&chain(&python, &[(&leaf, 6, THREAD), (&other, 4, THREAD)]), 1, "type");
        torn(&chain(&python, &[(&leaf, 20, THREAD)]), 0, "offset behind the code");
        torn(&chain(&python, &[(&leaf, -4, THREAD)]), 0, "offset before the code");
        if let Some(owner) = layout.frame.owner {
            torn(&chain(&python, &[(&leaf, 6, owner.highest + 1)]), 0, "owner");
        }
        let mut cycle = chain(&python, &[(&leaf, 6, THREAD), (&root, 4, THREAD)]);
        let address = cycle.frames[0].address();
        cycle.frames[1].set(layout.frame.previous, 8, address);
        let (capture, found) = captured(session, &python, &cycle);
        assert_eq!(
            (found.len(), capture.flags),
            (MAX_FRAMES, stack_flag::PYTHON | stack_flag::CUT)
        );
    }
}

#[test]
fn a_thread_state_without_frames_is_an_empty_stack() {
    let session = image::session();
    let python = Python::for_tests(&VERSIONS[4]);
    let (capture, found) = captured(session, &python, &chain(&python, &[]));
    assert_eq!((found.len(), capture.flags, capture.words()), (0, stack_flag::PYTHON, 1));
    let none = capture_from(session, session.slot(1), &python, 0, &Probation::new());
    assert_eq!((none.depth, none.flags), (0, 0));
}

#[test]
fn the_deepest_stack_is_cut_at_the_root() {
    let session = image::session();
    let python = Python::for_tests(&VERSIONS[3]);
    let leaf = code(&python, "leaf");
    let exact = vec![(&leaf, 2, THREAD); MAX_FRAMES];
    let (capture, _) = captured(session, &python, &chain(&python, &exact));
    assert_eq!((capture.depth, capture.flags), (MAX_FRAMES, stack_flag::PYTHON));
    let deeper = vec![(&leaf, 2, THREAD); MAX_FRAMES + 1];
    let (capture, _) = captured(session, &python, &chain(&python, &deeper));
    assert_eq!((capture.depth, capture.flags), (MAX_FRAMES, stack_flag::PYTHON | stack_flag::CUT));
}

/// Writes a tick with `capture` into the slot's ring and takes it out again: (common, new frames).
fn through_the_ring(slot: Slot, capture: &Capture) -> (usize, Vec<u64>) {
    let len = 4 + capture.words();
    let mut out = slot.ring().reserve(len, crate::ring::spsc::Share::All).unwrap();
    for word in [event::head_word(len, event::kind::TICK, 0, 0), 0, 0, 0] {
        out.word(word);
    }
    capture.write(&mut out);
    out.commit();
    capture.committed(slot);
    let mut words = Vec::new();
    slot.ring().pop(&mut words);
    match event::decode(&words) {
        Some(Event::Tick { stack, .. }) => (stack.common, stack.new.to_vec()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn stacks_are_told_as_differences_to_the_last_one_committed() {
    let session = image::session();
    let slot = session.slot(1);
    let python = Python::for_tests(&VERSIONS[4]);
    let (a, b, c) = (code(&python, "a"), code(&python, "b"), code(&python, "c"));
    let run =
        |frames: &[(&CodeImage, isize, u8)]| captured(session, &python, &chain(&python, frames)).0;
    let root = [(&a, 2, THREAD), (&a, 4, THREAD)];
    let one = [&[(&b, 6, THREAD)][..], &root].concat();
    let two = [&[(&c, 0, THREAD), (&c, 8, THREAD), (&b, 8, THREAD)][..], &root].concat();

    let mut told: Vec<u64> = Vec::new();
    let mut tell = |frames: &[(&CodeImage, isize, u8)], common: usize| {
        let capture = run(frames);
        let whole: Vec<u64> = capture
            .frames
            .iter()
            .take(capture.depth)
            .map(|word| word.load(Ordering::Relaxed))
            .collect();
        let (shared, new) = through_the_ring(slot, &capture);
        assert_eq!(shared, common);
        told = [new, told[told.len() - shared..].to_vec()].concat();
        assert_eq!(told, whole);
        assert_eq!(told.len(), frames.len());
    };
    tell(&one, 0);
    tell(&one, 3);
    tell(&two, 2);
    // A capture that never got into the ring changes nothing.
    run(&one);
    tell(&two, 5);
    tell(&[], 0);
    tell(&one, 0);
    tell(&root, 2);
}

#[test]
fn a_layout_that_never_fits_is_given_up_and_one_that_did_is_not() {
    guard();
    let session = image::session();
    let python = Python::for_tests(&VERSIONS[4]);
    let leaf = code(&python, "leaf");
    let good = chain(&python, &[(&leaf, 6, THREAD)]);
    let mut bad = chain(&python, &[(&leaf, 6, THREAD)]);
    bad.frames[0].set(python.layout.frame.code, 8, 8);
    let empty = chain(&python, &[]);
    let state = || session.word(word::PY_STATE).load(Ordering::Relaxed);
    let run = |chain: &Chain, probation: &Probation| {
        capture_from(session, session.slot(1), &python, chain.state.0.address(), probation);
    };

    let probation = Probation::new();
    for _ in 0..63 {
        run(&bad, &probation);
        run(&empty, &probation);
    }
    assert!(!probation.has_failed());
    run(&good, &probation);
    for _ in 0..200 {
        run(&bad, &probation);
    }
    assert!(!probation.has_failed() && state() == 0);

    let probation = Probation::new();
    for _ in 0..64 {
        assert!(!probation.has_failed());
        run(&bad, &probation);
    }
    assert!(probation.has_failed());
    assert_eq!(state(), python_state::SELF_CHECK_FAILED);
}

#[test]
fn without_an_interpreter_a_capture_is_empty_and_warm() {
    let session = image::session();
    assert!(warm_up());
    let capture = capture(session, session.slot(1), None, Reach::EVERYWHERE);
    assert_eq!((capture.words(), capture.flags), (1, 0));
}
