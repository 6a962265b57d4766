//! What is to come of the workflows that listen to one event.

use std::collections::{BTreeMap, HashMap};

use domain::RunId;

use super::{Considered, Verdict};
use crate::directory::workflows::Trigger;

/// Of each workflow, in the order of `triggers`, whether it starts: those that are enabled do, unless another one that
/// listens as well replaces them. `event` is which of the transaction's events it was.
pub fn verdicts(triggers: &[Trigger], run: impl Fn(&Trigger) -> RunId, event: Option<u32>) -> Vec<Considered> {
    let replacements = Replacements::of(triggers);
    let verdict = |(place, trigger): (usize, &Trigger)| {
        let replacing = replacements.replacing(place).and_then(|place| triggers.get(place));
        let verdict = match (trigger.enabled, replacing) {
            (false, _) => Verdict::Disabled,
            (true, Some(_)) => Verdict::Replaced,
            (true, None) => Verdict::Started,
        };
        Considered {
            workflow: trigger.workflow,
            name: trigger.name.clone(),
            hash: trigger.hash.clone(),
            version: trigger.version,
            verdict,
            replaced_by: replacing.filter(|_| verdict == Verdict::Replaced).map(|other| other.workflow),
            run: (verdict == Verdict::Started).then(|| run(trigger)),
            event,
            apps: BTreeMap::new(),
            caller: None,
        }
    };
    triggers.iter().enumerate().map(verdict).collect()
}

/// Who replaces whom among those that listen.
struct Replacements {
    /// Which one each replaces, if it is enabled.
    replaces: Vec<Option<usize>>,
    /// Those that replace each, oldest first.
    replaced_by: Vec<Vec<usize>>,
}

impl Replacements {
    fn of(triggers: &[Trigger]) -> Self {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, trigger) in triggers.iter().enumerate() {
            places.insert(trigger.workflow.to_string(), place);
        }
        for (place, trigger) in triggers.iter().enumerate() {
            places.insert(trigger.name.clone(), place);
        }
        let mut replaced_by = vec![Vec::new(); triggers.len()];
        let mut replaces = Vec::with_capacity(triggers.len());
        for (place, trigger) in triggers.iter().enumerate() {
            let named = trigger.replaces.as_ref().filter(|_| trigger.enabled);
            let other = named.and_then(|name| places.get(name)).copied().filter(|other| *other != place);
            if let Some(replacing) = other.and_then(|other| replaced_by.get_mut(other)) {
                replacing.push(place);
            }
            replaces.push(other);
        }
        Self { replaces, replaced_by }
    }

    /// The one because of which the workflow at `place` starts no run.
    ///
    /// What a replaced one replaces stays replaced: of `v3`, `v2` and `v1` only `v3` runs. Where they replace each other in a
    /// circle, and nobody replaces one of them from outside, the oldest of them runs.
    fn replacing(&self, place: usize) -> Option<usize> {
        let first = self.replaced_by.get(place)?.first().copied()?;
        let is_spared = self.circle(place).is_some_and(|circle| {
            let inside = |member: &usize| {
                self.replaced_by.get(*member).is_some_and(|by| by.iter().all(|by| circle.contains(by)))
            };
            circle.iter().min() == Some(&place) && circle.iter().all(inside)
        });
        (!is_spared).then_some(first)
    }

    /// The circle in which the workflow at `place` replaces itself in the end.
    fn circle(&self, place: usize) -> Option<Vec<usize>> {
        let mut circle = vec![place];
        let mut at = place;
        loop {
            at = self.replaces.get(at).copied().flatten()?;
            if at == place {
                return Some(circle);
            }
            if circle.contains(&at) {
                return None;
            }
            circle.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{RunId, TransactionId, WorkflowId};

    use super::{Trigger, Verdict, verdicts};

    fn trigger(number: u8, enabled: bool, replaces: Option<&str>) -> Trigger {
        Trigger {
            workflow: WorkflowId::parse(&format!("5a345109e578360010eaa1{number:02}")).unwrap(),
            name: format!("w{number}"),
            hash: String::new(),
            version: 1,
            enabled,
            replaces: replaces.map(str::to_owned),
            apps: Vec::new(),
        }
    }

    #[test]
    fn whoever_is_replaced_starts_no_run_and_one_of_a_circle_does() {
        let transaction = TransactionId::parse("5a345109e578360010eaa1ad").unwrap();
        let id = "5a345109e578360010eaa101";
        for (about, triggers, started) in [
            ("by name", vec![trigger(1, true, None), trigger(2, true, Some("w1"))], vec!["w2"]),
            ("by id", vec![trigger(1, true, None), trigger(2, true, Some(id))], vec!["w2"]),
            ("by one that is disabled", vec![trigger(1, true, None), trigger(2, false, Some("w1"))], vec!["w1"]),
            ("by one that listens to something else", vec![trigger(1, true, None)], vec!["w1"]),
            (
                "one after the other",
                vec![trigger(1, true, None), trigger(2, true, Some("w1")), trigger(3, true, Some("w2"))],
                vec!["w3"],
            ),
            ("by each other", vec![trigger(1, true, Some("w2")), trigger(2, true, Some("w1"))], vec!["w1"]),
            (
                "by each other and from outside",
                vec![trigger(1, true, Some("w2")), trigger(2, true, Some("w1")), trigger(3, true, Some("w2"))],
                vec!["w3"],
            ),
            (
                "in a circle of three that replaces nobody else",
                vec![
                    trigger(1, true, Some("w2")),
                    trigger(2, true, Some("w3")),
                    trigger(3, true, Some("w1")),
                    trigger(4, true, None),
                ],
                vec!["w1", "w4"],
            ),
            ("by itself", vec![trigger(1, true, Some("w1"))], vec!["w1"]),
        ] {
            let run = |trigger: &Trigger| RunId::for_transaction(transaction, trigger.workflow);
            let considered = verdicts(&triggers, run, None);
            let starts = considered.iter().filter(|considered| considered.verdict == Verdict::Started);
            let names: Vec<&str> = starts.map(|considered| considered.name.as_str()).collect();
            assert_eq!(names, started, "{about}");
            for considered in &considered {
                assert_eq!(considered.replaced_by.is_some(), considered.verdict == Verdict::Replaced, "{about}");
            }
        }
    }
}
