//! What forked processes have in common with those they were forked from.
//!
//! A fork copies no memory: what the child begins with is there once for both. How much of it is left is not known,
//! because footprints do not say which blocks were freed; it is taken for as much as can be: what was inherited, but no
//! more than either of the two still holds. So the total is right as long as nobody frees what they have in common.
//!
//! When a process ends, the one that shares most with it takes its place: it shares with whom that one shared, and the
//! others share with it. So what all of them inherited goes on to count once, and fully when one is left.

use std::collections::HashMap;

use crate::ids::ProcessId;

/// Processes that share with one at a time, at most; one more counts fully.
const SHARERS: usize = 128;
/// Generations that ended, at most, between a process and the one that it shares with.
const GENERATIONS: usize = 64;

/// Bytes of all processes, what several have counted once.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing {
    members: HashMap<ProcessId, Member>,
    total: u128,
}

#[derive(Clone, Debug, Default)]
struct Member {
    parent: Option<ProcessId>,
    held: u64,
    has_ended: bool,
    /// What it has of whom it shares with, at most.
    inherited: u64,
    has_looked: bool,
    /// Whom it shares with, if that one still runs.
    source: Option<ProcessId>,
    /// What it shares at present.
    shared: u64,
    sharers: Vec<ProcessId>,
    /// The most that one of them inherited.
    most: u64,
    /// When it has ended: who has what it had in common with others, and how much of that at most.
    heir: Option<(ProcessId, u64)>,
}

impl Sharing {
    /// Bytes of all that run.
    pub(super) fn total(&self) -> u128 {
        self.total
    }

    pub(super) fn parent(&mut self, process: ProcessId, parent: ProcessId) {
        if process != parent {
            self.members.entry(process).or_default().parent = Some(parent);
        }
    }

    pub(super) fn inherited(&mut self, process: ProcessId, bytes: u64) {
        let member = self.members.entry(process).or_default();
        if !member.has_looked {
            member.inherited = bytes;
        }
    }

    /// A process holds so much from now on; `false` if it has ended.
    pub(super) fn hold(&mut self, process: ProcessId, bytes: u64) -> bool {
        let member = self.members.entry(process).or_default();
        if member.has_ended {
            return false;
        }
        let before = std::mem::replace(&mut member.held, bytes);
        let limits_others = before.min(bytes) < member.most;
        let looks = member.inherited > 0 && !member.has_looked;
        // What it shares is put back first, for a part of what it held is counted with others.
        let shared = std::mem::take(&mut member.shared);
        self.total = self.total + u128::from(shared) + u128::from(bytes) - u128::from(before);
        if looks {
            self.look_for_source(process);
        }
        self.settle(process);
        if limits_others {
            let sharers = self.members.get(&process).map_or_else(Vec::new, |m| m.sharers.clone());
            sharers.into_iter().for_each(|sharer| self.settle(sharer));
        }
        true
    }

    /// A process is gone.
    pub(super) fn end(&mut self, process: ProcessId) {
        let member = self.members.entry(process).or_default();
        if std::mem::replace(&mut member.has_ended, true) {
            return;
        }
        self.total = self.total + u128::from(member.shared) - u128::from(member.held);
        (member.held, member.shared) = (0, 0);
        let (source, inherited) = (member.source.take(), member.inherited);
        let mut sharers = std::mem::take(&mut member.sharers);
        if let Some(source) = source.and_then(|source| self.members.get_mut(&source)) {
            source.sharers.retain(|&sharer| sharer != process);
        }
        let inherited_by =
            |sharer: &ProcessId| self.members.get(sharer).map_or(0, |sharer| sharer.inherited);
        let Some(heir) = sharers.iter().copied().max_by_key(inherited_by) else {
            self.inherit(process, source.map(|source| (source, inherited)));
            return;
        };
        let common = inherited_by(&heir);
        sharers.retain(|&sharer| sharer != heir);
        self.inherit(process, Some((heir, common)));
        self.share(heir, source, inherited);
        sharers.into_iter().for_each(|sharer| self.share(sharer, Some(heir), common));
    }

    fn inherit(&mut self, process: ProcessId, heir: Option<(ProcessId, u64)>) {
        if let Some(member) = self.members.get_mut(&process) {
            member.heir = heir;
        }
    }

    /// At the first point of a process: whom it was forked from, or who has that one's place by now.
    fn look_for_source(&mut self, process: ProcessId) {
        let Some(member) = self.members.get_mut(&process) else { return };
        member.has_looked = true;
        let (mut next, mut limit) = (member.parent, member.inherited);
        for _ in 0..GENERATIONS {
            let Some(source) = next else { return };
            match self.members.entry(source).or_default() {
                ended if ended.has_ended => {
                    let Some((heir, common)) = ended.heir else { return };
                    (next, limit) = (Some(heir), limit.min(common));
                }
                _ if source == process => return,
                _ => return self.share(process, next, limit),
            }
        }
    }

    /// From now on a process shares with `source`, at most `limit`.
    fn share(&mut self, process: ProcessId, source: Option<ProcessId>, limit: u64) {
        let Some(member) = self.members.get_mut(&process) else { return };
        let inherited = member.inherited.min(limit);
        (member.source, member.inherited) = (None, inherited);
        if let Some((id, source)) = source.and_then(|id| Some((id, self.members.get_mut(&id)?)))
            && source.sharers.len() < SHARERS
        {
            source.sharers.push(process);
            source.most = source.most.max(inherited);
            if let Some(member) = self.members.get_mut(&process) {
                member.source = Some(id);
            }
        }
        self.settle(process);
    }

    /// Counts what a process shares, as it is now.
    fn settle(&mut self, process: ProcessId) {
        let Some(member) = self.members.get(&process) else { return };
        let source = member.source.and_then(|source| self.members.get(&source));
        let most = source.map_or(0, |source| source.held);
        let shared = member.inherited.min(member.held).min(most);
        self.total = self.total + u128::from(member.shared) - u128::from(shared);
        if let Some(member) = self.members.get_mut(&process) {
            member.shared = shared;
        }
    }
}
