use super::*;
use std::sync::OnceLock;

const RULES: [Rule; 2] = [Rule::End, Rule::Plt];

/// loom goes on with another thread at writes that read; see the ring's model.
fn step(steps: &AtomicU64) {
    steps.fetch_add(1, Ordering::Relaxed);
}

fn steps() -> loom::sync::Arc<AtomicU64> {
    loom::sync::Arc::new(AtomicU64::new(0))
}

fn tables() -> Tables {
    // Leaked: a view's words outlive everything, and a model that is run anew wants new ones.
    let words: Vec<AtomicU64> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
    Tables { words: words.leak() }
}

fn model(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn a_walk_sees_a_module_whole_or_not_at_all() {
    static SEEN: [OnceLock<()>; 2] = [OnceLock::new(), OnceLock::new()];
    model(|| {
        let (tables, steps) = (tables(), steps());
        let others = steps.clone();
        let collector = loom::thread::spawn(move || {
            let rows = [(0, RULES[0].encode()), (0x80, RULES[1].encode())];
            assert!(tables.publish(0x1000..0x1100, 0x1000, &rows));
            step(&others);
        });
        step(&steps);
        let found = tables.lookup(&[]).rule(0x1090);
        assert!(found == RULES[1] || found == Rule::Unknown, "{found:?}");
        let _ = SEEN[usize::from(found == Rule::Unknown)].set(());
        collector.join().expect("no panic");
        assert_eq!(tables.lookup(&[]).rule(0x1090), RULES[1]);
    });
    assert!(SEEN.iter().all(|seen| seen.get().is_some()), "both happen");
}

#[test]
fn a_cache_never_outlives_a_withdrawal_that_its_thread_has_seen() {
    model(|| {
        let (tables, steps) = (tables(), steps());
        let others = steps.clone();
        let cache: Vec<AtomicU64> = (0..2).map(|_| AtomicU64::new(0)).collect();
        let rows = [(0, RULES[0].encode())];
        assert!(tables.publish(0x1000..0x1100, 0x1000, &rows));
        assert_eq!(tables.lookup(&cache).rule(0x1010), RULES[0]);
        let collector = loom::thread::spawn(move || {
            tables.withdraw(0, 0x1000);
            step(&others);
        });
        step(&steps);
        let amid = tables.lookup(&cache).rule(0x1010);
        assert!(amid == RULES[0] || amid == Rule::Unknown);
        collector.join().expect("no panic");
        assert_eq!(tables.lookup(&cache).rule(0x1010), Rule::Unknown);
    });
}
