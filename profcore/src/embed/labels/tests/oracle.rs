//! Random scopes on several threads, against a map for each.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Map = BTreeMap<&'static str, Value>;

#[derive(Clone, Debug)]
enum Step {
    Job(u64),
    Shard(u64),
    Tenant(u64),
    Region(bool),
    Attach(usize),
    /// Takes the labels along, to be attached later.
    Capture,
    /// Drops the guard of this number, the newest if false.
    Drop(usize, bool),
}

/// What a guard keeps, and which keys it restores to what.
struct Held {
    _guard: Guard,
    keys: Vec<&'static str>,
    before: Map,
}

#[expect(dead_code, reason = "a guard is kept, not read")]
enum Guard {
    _Label(LabelGuard),
    _Region(Region),
    _Attached(Attached),
}

const NAMES: [&str; 4] = ["job", "shard", "tenant", "region"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop_oneof![0_u64..3, Just(u64::MAX)].prop_map(Step::Job),
        (0_u64..3).prop_map(Step::Shard),
        (0_u64..5).prop_map(Step::Tenant),
        any::<bool>().prop_map(Step::Region),
        any::<usize>().prop_map(Step::Attach),
        Just(Step::Capture),
        (any::<usize>(), any::<bool>()).prop_map(|(which, any)| Step::Drop(which, any)),
        (any::<usize>(), any::<bool>()).prop_map(|(which, any)| Step::Drop(which, any)),
    ]
}

fn run(steps: Vec<Step>, mut contexts: Vec<(LabelContext, Map)>) {
    let mut map = Map::new();
    let mut held: Vec<Held> = Vec::new();
    for step in steps {
        let before = map.clone();
        let mut hold = |_guard, keys: &[&'static str]| {
            held.push(Held { _guard, keys: keys.to_vec(), before: before.clone() });
        };
        match step {
            Step::Job(value) => {
                hold(Guard::_Label(JOB.set(value)), &["job"]);
                map.insert("job", Value::Number(value));
            }
            Step::Shard(value) => {
                hold(Guard::_Label(SHARD.set(value)), &["shard"]);
                map.insert("shard", Value::Number(value));
            }
            Step::Tenant(value) => {
                let text = Text::new(&format!("tenant {value}"));
                hold(Guard::_Label(TENANT.set(&text)), &["tenant"]);
                map.insert("tenant", Value::Text(text.as_str()));
            }
            Step::Region(by_place) => {
                let region = if by_place { region!("place") } else { region("function") };
                hold(Guard::_Region(region), &["region"]);
                map.insert("region", Value::Text(if by_place { "place" } else { "function" }));
            }
            Step::Attach(which) => {
                let (context, labels) = &contexts[which % contexts.len()];
                hold(Guard::_Attached(context.attach()), &NAMES);
                map = labels.clone();
            }
            Step::Capture => contexts.push((LabelContext::capture(), map.clone())),
            Step::Drop(_, _) if held.is_empty() => {}
            Step::Drop(which, any) => {
                let last = held.len() - 1;
                let dropped = held.remove(if any { which % held.len() } else { last });
                for key in dropped.keys {
                    match dropped.before.get(key) {
                        Some(&value) => map.insert(key, value),
                        None => map.remove(key),
                    };
                }
            }
        }
        assert_eq!(now(), map.iter().map(|(&name, &value)| (name, value)).collect::<Vec<_>>());
    }
    // The rest goes in the order of a scope's end.
    while held.pop().is_some() {}
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn scopes_are_maps(threads in proptest::collection::vec(proptest::collection::vec(step(), 0..60), 1..4)) {
        let contexts = {
            let _labels = LabelContext::default().attach();
            let none = (LabelContext::capture(), Map::new());
            let (_job, _region) = (JOB.set(99), region!("of the first thread"));
            let map = now().into_iter().collect();
            vec![none, (LabelContext::capture(), map)]
        };
        let threads: Vec<_> = threads
            .into_iter()
            .map(|steps| {
                let contexts = contexts.clone();
                std::thread::spawn(move || run(steps, contexts))
            })
            .collect();
        for thread in threads {
            prop_assert!(thread.join().is_ok());
        }
    }
}
