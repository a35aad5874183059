//! The memory of a profiled process, read from outside while one of its threads stands still.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::sys::probe::Memory;

const PAGE: usize = 4096;
/// Pages kept of one look: a stack's frames lie side by side, its code objects do not.
const PAGES: usize = 16;

/// A process's memory.
#[derive(Debug)]
pub(crate) struct Remote {
    file: File,
    pages: RefCell<Vec<(usize, Box<[u8; PAGE]>)>>,
}

impl Remote {
    /// `None` when we may not look.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let file = File::open(format!("/proc/{pid}/mem")).ok()?;
        Some(Self { file, pages: RefCell::default() })
    }

    /// Forgets what was read: the process has run since.
    pub(crate) fn refresh(&self) {
        self.pages.borrow_mut().clear();
    }

    /// Fills `into` from within one page.
    fn within_page(&self, address: usize, into: &mut [u8]) -> bool {
        let (page, at) = (address & !(PAGE - 1), address & (PAGE - 1));
        let mut pages = self.pages.borrow_mut();
        if !pages.iter().any(|&(known, _)| known == page) {
            let mut bytes = Box::new([0; PAGE]);
            if self.file.read_exact_at(&mut bytes[..], page as u64).is_err() {
                return false;
            }
            if pages.len() == PAGES {
                pages.remove(0);
            }
            pages.push((page, bytes));
        }
        let known = pages.iter().find(|&&(known, _)| known == page);
        match known.and_then(|(_, bytes)| bytes.get(at..at + into.len())) {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }
}

impl Memory for Remote {
    fn word(&self, address: usize) -> Option<u64> {
        let mut bytes = [0; 8];
        self.copy(address, &mut bytes).then(|| u64::from_le_bytes(bytes))
    }

    fn copy(&self, address: usize, into: &mut [u8]) -> bool {
        let mut done = 0;
        while done < into.len() {
            let Some(at) = address.checked_add(done) else { return false };
            let room = PAGE - at % PAGE;
            let end = into.len().min(done + room);
            if !self.within_page(at, &mut into[done..end]) {
                return false;
            }
            done = end;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_across_pages_and_a_hole_is_none() {
        let bytes: Vec<u8> = (0..4 * PAGE).map(|i| (i / 7) as u8).collect();
        let remote = Remote::of(std::process::id()).unwrap();
        let mut copy = vec![0; bytes.len() - 3];
        assert!(remote.copy(bytes.as_ptr() as usize + 3, &mut copy));
        assert_eq!(copy, bytes[3..]);
        let words = [1_u64, 2];
        assert_eq!(remote.word(words.as_ptr() as usize + 8), Some(2));
        assert_eq!(remote.byte(words.as_ptr() as usize), Some(1));
        assert_eq!(remote.word(8), None);
        assert_eq!(remote.word(usize::MAX - 3), None);
    }

    #[test]
    fn what_has_changed_is_seen_after_a_refresh() {
        let cell = std::sync::atomic::AtomicU64::new(1);
        let at = cell.as_ptr() as usize;
        let remote = Remote::of(std::process::id()).unwrap();
        assert_eq!(remote.word(at), Some(1));
        cell.store(2, std::sync::atomic::Ordering::Relaxed);
        remote.refresh();
        assert_eq!(remote.word(at), Some(2));
    }
}
