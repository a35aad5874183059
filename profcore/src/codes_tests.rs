//! Tests of the code table, on code objects built in plain memory.

use super::*;
use crate::cpython::versions::VERSIONS;
use crate::cpython::{Python, version_of};
use crate::stack::image;
use crate::sys::probe::Own;
use crate::sys::probe::tests::guard;
use proptest::prelude::*;
use std::sync::Barrier;

fn python() -> Python {
    Python::for_tests(version_of(0x030c_01f0).unwrap())
}

fn ascii(python: &Python, text: &str) -> image::Object {
    image::text(&python.layout, 1, true, text.as_bytes())
}

fn told(session: Session, python: &Python, image: &image::CodeImage) -> (u32, Option<CodeRecord>) {
    let code = Code::read(&Own, &python.layout, image.object.address()).unwrap();
    let id = intern(&Own, session, &python.layout, &code).unwrap();
    (id, read(session, id))
}

#[test]
fn a_code_object_is_told_once_and_read_back() {
    let session = image::session();
    for version in &VERSIONS {
        let python = Python::for_tests(version);
        let table: Vec<u8> = (0..=250).collect();
        let (file, name) = (ascii(&python, "/srv/app.py"), ascii(&python, "f.<locals>.g"));
        let image = image::code(&python, file, name, 17, &table, &[1, 2, 3, 4]);
        let (id, record) = told(session, &python, &image);
        let expected = CodeRecord {
            file: b"/srv/app.py".to_vec(),
            name: b"f.<locals>.g".to_vec(),
            first_line: 17,
            table,
        };
        assert_eq!(record, Some(expected), "3.{}", version.minor);
        let used = session.word(word::ARENA_NEXT).load(Ordering::Relaxed);
        assert_eq!(told(session, &python, &image).0, id, "the same id again");
        assert_eq!(session.word(word::ARENA_NEXT).load(Ordering::Relaxed), used, "and nothing new");
    }
    assert_eq!(read(session, UNKNOWN_CODE), None);
    assert_eq!(session.word(word::CODE_FULL).load(Ordering::Relaxed), 0);
}

#[test]
fn a_reused_address_with_other_fields_is_another_code() {
    let (session, python) = (image::session(), python());
    let (file, name) = (ascii(&python, "a.py"), ascii(&python, "f"));
    let mut image = image::code(&python, file, name, 1, &[], &[0; 4]);
    let (first, _) = told(session, &python, &image);
    for (at, len, value) in [(python.layout.code.first_line, 4, 2), (16, 8, 3)] {
        image.object.set(at, len, value);
        assert_ne!(told(session, &python, &image).0, first);
    }
}

#[test]
fn the_same_addresses_with_other_texts_are_another_code() {
    let session = image::session();
    for version in &VERSIONS {
        let python = Python::for_tests(version);
        let layout = &python.layout;
        let (file, name) = (ascii(&python, "generated-01.py"), ascii(&python, "f1"));
        let mut image = image::code(&python, file, name, 1, &[], &[0; 4]);
        let mut seen = vec![told(session, &python, &image).0];
        let mut differs = |image: &image::CodeImage, what: &str| {
            let (id, record) = told(session, &python, image);
            assert!(record.is_some() && !seen.contains(&id), "3.{} {what}", version.minor);
            seen.push(id);
        };
        if let Some(at) = layout.code.version {
            image.object.set(at, 4, 77);
            differs(&image, "version");
            image.object.set(at, 4, 0);
        }
        let data = layout.text.ascii_data;
        image.texts[0].bytes(data + 10, b"7");
        differs(&image, "end of the file name");
        image.texts[1].bytes(data + 1, b"2");
        differs(&image, "name");
        image.texts[1].bytes(data + 2, b"garbage");
        let (id, _) = told(session, &python, &image);
        assert_eq!(Some(&id), seen.last(), "what lies behind a text does not count");
        for text in 0..2 {
            image.texts[text].set(layout.text.hash, 8, 12345);
            let mut differs = |image: &image::CodeImage, what: &str| {
                let (id, _) = told(session, &python, image);
                assert!(!seen.contains(&id), "3.{} {what}", version.minor);
                seen.push(id);
            };
            differs(&image, "hash made");
            image.texts[text].set(layout.text.hash, 8, 12346);
            differs(&image, "other hash");
        }
    }
}

#[test]
fn texts_of_every_width_become_utf_8() {
    let (session, python) = (image::session(), python());
    let utf16 =
        |units: &[u16]| units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>();
    let utf32 =
        |text: &str| text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect::<Vec<_>>();
    let cases: [(u8, Vec<u8>, &[u8]); 6] = [
        (1, vec![b'h', 0xe9], "hé".as_bytes()),
        (2, utf16(&[0x4f60, 0x597d, 0x21]), "你好!".as_bytes()),
        (4, utf32("x😀y"), "x😀y".as_bytes()),
        (2, utf16(&[0x61, 0xdcff, 0x62]), b"a\xffb"),
        (2, utf16(&[0xd83d]), b"\\ud83d"),
        (4, 0x0011_0000_u32.to_le_bytes().to_vec(), "\u{fffd}".as_bytes()),
    ];
    for (kind, raw, expected) in cases {
        let file = image::text(&python.layout, kind, false, &raw);
        let image = image::code(&python, file, ascii(&python, "f"), 1, &[], &[0; 4]);
        let record = told(session, &python, &image).1.unwrap();
        assert_eq!(record.file, expected, "kind {kind}, {raw:?}");
    }
}

#[test]
fn long_texts_and_tables_are_cut_and_texts_say_so() {
    let (session, python) = (image::session(), python());
    let file = image::text(&python.layout, 4, false, &[0x41, 0, 0, 0].repeat(300));
    let name = ascii(&python, &"n".repeat(513));
    let image = image::code(&python, file, name, 1, &[7; TABLE_BYTES + 1], &[0; 4]);
    let record = told(session, &python, &image).1.unwrap();
    assert_eq!(record.file, format!("{}…", "A".repeat(256)).into_bytes());
    assert_eq!(record.name, format!("{}…", "n".repeat(512)).into_bytes());
    assert_eq!(record.table.len(), TABLE_BYTES);
}

#[test]
fn what_cannot_be_read_is_told_without_it() {
    guard();
    let (session, python) = (image::session(), python());
    let (file, name) = (ascii(&python, "a.py"), ascii(&python, "f"));
    let mut image = image::code(&python, file, name, 5, &[1], &[0; 4]);
    image.object.set(python.layout.code.file, 8, 1 << 46).set(python.layout.code.lines, 8, 4096);
    let record = told(session, &python, &image).1.unwrap();
    assert_eq!((record.file, record.name), (b"?".to_vec(), b"f".to_vec()));
    assert_eq!((record.first_line, record.table), (5, vec![]));
    assert_eq!(Code::read(&Own, &python.layout, 1 << 46), None);
}

#[test]
fn a_full_arena_and_a_full_table_are_counted() {
    let (session, python) = (image::session(), python());
    let (file, name) = (ascii(&python, "a.py"), ascii(&python, "f"));
    let mut image = image::code(&python, file, name, 1, &[1; 80], &[0; 4]);
    session.word(word::ARENA_NEXT).store(ARENA_WORDS as u64 - 3, Ordering::Relaxed);
    assert_eq!(told(session, &python, &image), (UNKNOWN_CODE, None));
    assert_eq!(told(session, &python, &image), (UNKNOWN_CODE, None), "and stays unknown");
    assert_eq!(session.word(word::CODE_FULL).load(Ordering::Relaxed), 2);

    session.word(word::ARENA_NEXT).store(0, Ordering::Relaxed);
    for index in 0..CODE_ENTRIES {
        session.word(area::CODE_TABLE + 2 * index).store(1, Ordering::Relaxed);
    }
    image.object.set(python.layout.code.first_line, 4, 2);
    assert_eq!(told(session, &python, &image), (UNKNOWN_CODE, None));
    assert_eq!(session.word(word::CODE_FULL).load(Ordering::Relaxed), 3);
}

#[test]
fn threads_that_see_the_same_codes_agree_on_them() {
    const CODES: usize = 500;
    const THREADS: usize = 8;
    let (session, python) = (image::session(), python());
    let images: Vec<_> = (0..CODES)
        .map(|i| {
            let (file, name) = (ascii(&python, "a.py"), ascii(&python, &format!("f{i}")));
            image::code(&python, file, name, i, &[i as u8; 33], &[0; 4])
        })
        .collect();
    let addresses: Vec<_> = images.iter().map(|image| image.object.address()).collect();
    let barrier = Barrier::new(THREADS);
    let ids: Vec<Vec<u32>> = std::thread::scope(|scope| {
        let work = || {
            barrier.wait();
            addresses
                .iter()
                .map(|&address| {
                    let code = Code::read(&Own, &python.layout, address).unwrap();
                    intern(&Own, session, &python.layout, &code).unwrap()
                })
                .collect()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]));
    for (i, &id) in ids[0].iter().enumerate() {
        let record = read(session, id).unwrap();
        assert_eq!((record.first_line, record.name), (i as u32, format!("f{i}").into_bytes()));
    }
    // Two words in front, "a.py", a name of one word, 33 bytes of table: each told exactly once.
    let used = session.word(word::ARENA_NEXT).load(Ordering::Relaxed);
    assert_eq!(used, (CODES * (2 + 1 + 1 + 5)) as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_session_memory_is_read_without_harm(state: u64, head: u64, texts: u64, id: u32, at in 0..ARENA_WORDS) {
        thread_local!(static SESSION: Session = image::session());
        let session = SESSION.with(|session| *session);
        let entry = id as usize % CODE_ENTRIES;
        for state in [state, (at as u64) << 8 | PUBLISHED, (ARENA_WORDS as u64 - 1) << 8 | PUBLISHED] {
            session.word(area::CODE_TABLE + 2 * entry + 1).store(state, Ordering::Relaxed);
            for (i, value) in [head, texts].into_iter().enumerate() {
                if at + i < ARENA_WORDS {
                    session.word(area::CODE_ARENA + at + i).store(value, Ordering::Relaxed);
                }
            }
            if let Some(record) = read(session, entry as u32) {
                prop_assert!(record.table.len() <= TABLE_BYTES);
            }
            let _ = read(session, id);
        }
    }
}
