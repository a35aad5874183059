//! What a signal tells: where it came from, and what it interrupted.

use super::alternate;
use crate::stack::Registers;
use core::ffi::c_int;

/// The head of the kernel's siginfo, with the fields of a timer's.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Info {
    signal: c_int,
    error: c_int,
    code: c_int,
    padding: c_int,
    timer: c_int,
    overrun: c_int,
    value: usize,
    rest: [u64; 12],
}

const _: () = assert!(size_of::<Info>() == size_of::<libc::siginfo_t>());

impl Info {
    /// A fault or another message of the kernel itself, not something a process sent.
    pub(super) fn is_from_kernel(&self) -> bool {
        self.code > 0
    }

    /// A tick of a perf event: the kernel tells of a descriptor, of which we have none ourselves. Its number + 1.
    pub(super) fn perf_event(&self) -> Option<u64> {
        // Layout of SIGPOLL: a long, which is a timer's two numbers, and the descriptor.
        const POLL_IN: c_int = 1;
        const POLL_HUP: c_int = 6;
        matches!(self.code, POLL_IN | POLL_HUP).then_some(u64::from(self.value as u32) + 1)
    }

    /// A message of the calling process to itself.
    pub(super) fn of_mine(signal: c_int, value: usize) -> Self {
        let code = libc::SI_QUEUE;
        Self { signal, error: 0, code, padding: 0, timer: 0, overrun: 0, value, rest: [0; 12] }
    }

    /// The signal by which a frame is measured.
    pub(super) fn is_measurement(&self) -> bool {
        self.code == libc::SI_QUEUE && self.value == alternate::measurement()
    }

    /// A tick of one of our timers.
    pub(super) fn is_tick(&self) -> bool {
        self.code == libc::SI_TIMER && self.value == value()
    }

    /// For a timer's signal: which one.
    pub(super) fn timer(&self) -> c_int {
        self.timer
    }

    /// For a timer's signal: expiries that this one stands for, besides its own.
    pub(super) fn overruns(&self) -> u32 {
        self.overrun.max(0) as u32
    }

    /// For SIGSEGV and SIGBUS: what the kernel ends a process for that ignores the signal or has no handler.
    pub(super) fn is_forced(&self) -> bool {
        // BUS_MCEERR_AO tells of broken memory that the thread did not touch.
        self.is_from_kernel() && !(self.signal == libc::SIGBUS && self.code == libc::BUS_MCEERR_AO)
    }

    /// Of libc's type.
    pub(super) fn of_libc(info: &libc::siginfo_t) -> &Self {
        // SAFETY: as in `as_libc`.
        unsafe { &*core::ptr::from_ref(info).cast() }
    }

    /// As libc's type.
    pub(super) fn as_libc(&self) -> &libc::siginfo_t {
        // SAFETY: same size (asserted above); both are plain words of the kernel's one type.
        unsafe { &*core::ptr::from_ref(self).cast() }
    }
}

/// What our timers' signals carry: an address, so that two copies of this crate in one process never take
/// each other's.
pub(super) fn value() -> usize {
    (&raw const super::SIGNAL).expose_provenance()
}

/// The interrupted context: the third argument of a handler.
#[repr(transparent)]
#[derive(Debug)]
pub(crate) struct Context(*mut libc::ucontext_t);

impl Context {
    fn get(&self) -> &libc::ucontext_t {
        // SAFETY: the kernel's ucontext, valid until the handler returns.
        unsafe { &*self.0 }
    }

    /// The interrupted instruction.
    #[inline]
    pub(super) fn pc(&self) -> usize {
        self.get().uc_mcontext.gregs[libc::REG_RIP as usize] as usize
    }

    /// What the interrupted code's frames are found by.
    #[inline]
    pub(super) fn registers(&self) -> Registers {
        let registers = &self.get().uc_mcontext.gregs;
        let register = |number: libc::c_int| registers[number as usize] as usize;
        Registers {
            pc: register(libc::REG_RIP),
            sp: register(libc::REG_RSP),
            bp: register(libc::REG_RBP),
        }
    }

    /// Goes on somewhere else.
    pub(super) fn set_pc(&mut self, pc: usize) {
        // SAFETY: as in `get`; nothing else refers to the context.
        unsafe { (*self.0).uc_mcontext.gregs[libc::REG_RIP as usize] = pc as i64 };
    }

    /// The signals blocked in the interrupted code, and again after the handler.
    pub(super) fn mask(&self) -> u64 {
        let mask = (&raw const self.get().uc_sigmask).cast::<u64>();
        // SAFETY: a signal set's first word holds signals 1 to 64.
        unsafe { *mask }
    }

    /// Whether the handler's stack is an alternate one with too little room left for the handler and for
    /// another signal's frame of the same size (a guarded read that faults).
    #[inline]
    pub(super) fn is_stack_low(&self) -> bool {
        const OURS: usize = 1024;
        const LEAST: usize = 2048;
        self.alternate_room()
            .is_some_and(|(below, above)| below < LEAST.max(OURS + self.frame_bytes(above)))
    }

    /// If the handler's stack is an alternate one: bytes of it below the context, and from there to its top.
    #[inline]
    pub(super) fn alternate_room(&self) -> Option<(usize, usize)> {
        let here = self.0.expose_provenance();
        let alternate = &self.get().uc_stack;
        let below = here.checked_sub(alternate.ss_sp.expose_provenance())?;
        let above = alternate.ss_size.checked_sub(below).filter(|&above| above > 0)?;
        Some((below, above))
    }

    /// Bytes of the signal frame: from the context to the end of the saved floating-point state.
    pub(super) fn frame_bytes(&self, most: usize) -> usize {
        // struct _fpstate: 512 bytes, of which the last 48 are the software's: magic, size of all.
        const EXTENDED_SIZE: usize = 464 + 4;
        const MAGIC: u32 = 0x4650_5853;
        let state = self.get().uc_mcontext.fpregs.cast::<u32>();
        if state.is_null() {
            return size_of::<libc::ucontext_t>();
        }
        // SAFETY: the kernel wrote at least the 512 bytes of the legacy state into this frame.
        let (magic, size) =
            unsafe { (*state.byte_add(EXTENDED_SIZE - 4), *state.byte_add(EXTENDED_SIZE)) };
        let bytes = if magic == MAGIC { size as usize } else { 512 };
        let end = state.expose_provenance().saturating_add(bytes);
        end.saturating_sub(self.0.expose_provenance()).min(most)
    }
}
