//! What a slot counts: exact counters, and what could not be kept.

/// Exact counters of a slot, as offsets from [`super::slot_word::COUNTERS`]. Cumulative over all owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Count {
    Ticks,
    Samples,
    Overruns,
    AllocBytes,
    AllocCalls,
    AllocPythonBytes,
    CopyBytes,
    CopyCalls,
    SelfNanos,
}

impl Count {
    /// All counters, with the names they have in the trace.
    pub(crate) const ALL: [(Count, &'static str); 9] = [
        (Count::Ticks, "ticks"),
        (Count::Samples, "samples"),
        (Count::Overruns, "overruns"),
        (Count::AllocBytes, "alloc_bytes"),
        (Count::AllocCalls, "alloc_calls"),
        (Count::AllocPythonBytes, "alloc_python_bytes"),
        (Count::CopyBytes, "copy_bytes"),
        (Count::CopyCalls, "copy_calls"),
        (Count::SelfNanos, "self_ns"),
    ];
}

/// Kind of a lost event: the row in the slot's table of losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum LostKind {
    Tick,
    Alloc,
    Copy,
}

/// Why an event could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Loss {
    /// The ring had no room: the collector was too slow, or is gone.
    RingFull,
    /// The signal arrived while this thread was inside a hook or a handler of ours.
    Reentered,
    /// Too little room on the alternate signal stack.
    AltstackLow,
    /// The thread has no slot (all are taken, or it is past its own end).
    NoSlot,
    /// The kind is switched off while an event of it was under way.
    Off,
    /// The program blocks SIGSEGV or SIGBUS while one that was sent waits, which guarded reads would let arrive; or it
    /// blocks the tick's signal and took it by `sigwait`.
    SignalBlocked,
}

impl Loss {
    /// All reasons, with the names they have in the trace and in reports.
    pub(crate) const ALL: [(Loss, &'static str); 6] = [
        (Loss::RingFull, "ring_full"),
        (Loss::Reentered, "reentered"),
        (Loss::AltstackLow, "altstack_low"),
        (Loss::NoSlot, "no_slot"),
        (Loss::Off, "off"),
        (Loss::SignalBlocked, "signal_blocked"),
    ];
}

/// Words for each kind in the slot's table of losses.
pub(crate) const LOSSES: usize = 16;
