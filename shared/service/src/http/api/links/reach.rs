//! Which waiting step a link means, where branches are: one in its own branch, in a branch around it, or beside it in a
//! parallel step. Never one of another item of a loop.

use engine::Definition;

/// The action whose branches go together.
const PARALLEL: &str = "flow.parallel";

/// Whether a link that was made in the branch `made` may mean a step in the branch `waiting`. Branches are written
/// `each#1.37/inner#1.2`.
pub(super) fn reaches(definition: &Definition, made: &str, waiting: &str) -> bool {
    if made == waiting {
        return true;
    }
    let (mut made, mut waiting) = (parts(made).peekable(), parts(waiting).peekable());
    while made.peek().is_some() && made.peek() == waiting.peek() {
        made.next();
        waiting.next();
    }
    match (made.next(), waiting.next()) {
        (_, None) => true,
        (None, Some(inner)) => is_parallel(definition, inner) && waiting.all(|part| is_parallel(definition, part)),
        (Some(one), Some(other)) => {
            let is_beside = fork(one) == fork(other) && is_parallel(definition, other);
            is_beside && waiting.all(|part| is_parallel(definition, part))
        }
    }
}

/// Of the steps that a link made in the branch `made` may mean, the one in its own branch, else in the nearest around it, else
/// the only one.
pub(super) fn nearest<T>(
    definition: &Definition,
    made: &str,
    steps: impl Iterator<Item = T>,
    branch: impl Fn(&T) -> &str,
) -> Option<T> {
    let (mut around, mut beside): (Option<T>, Vec<T>) = (None, Vec::new());
    for step in steps {
        let waiting = branch(&step);
        if is_around(waiting, made) {
            if around.as_ref().is_none_or(|found| branch(found).len() < waiting.len()) {
                around = Some(step);
            }
        } else if reaches(definition, made, waiting) {
            beside.push(step);
        }
    }
    around.or_else(|| beside.pop().filter(|_| beside.is_empty()))
}

/// Whether `outer` is `inner`, or a branch around it.
fn is_around(outer: &str, inner: &str) -> bool {
    let rest = inner.strip_prefix(outer);
    outer.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn parts(branch: &str) -> impl Iterator<Item = &str> {
    branch.split('/').filter(|part| !part.is_empty())
}

/// What a part is without the place of the branch: `each#1`.
fn fork(part: &str) -> &str {
    part.rsplit_once('.').map_or(part, |(fork, _)| fork)
}

fn is_parallel(definition: &Definition, part: &str) -> bool {
    let step = fork(part).rsplit_once('#').map_or(part, |(step, _)| step);
    definition.step(step).and_then(|step| step.action()) == Some(PARALLEL)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition() -> Definition {
        let end = |id: &str| json!({ "id": id, "action": "flow.stop", "params": {}, "transitions": [] });
        let each =
            json!({ "id": "each", "action": "flow.for-each", "params": { "items": [], "do": "a" }, "transitions": [] });
        let both =
            json!({ "id": "both", "action": "flow.parallel", "params": { "do": ["a", "b"] }, "transitions": [] });
        let trigger = json!({ "callable": true, "transitions": [] });
        let document = json!({ "name": "n", "trigger": trigger, "steps": [each, both, end("a"), end("b")] });
        Definition::parse(&document).unwrap()
    }

    #[test]
    fn a_link_means_its_own_branch_those_around_it_and_parallel_ones() {
        let definition = definition();
        for (made, waiting, expected) in [
            ("", "", true),
            ("each#1.3", "each#1.3", true),
            ("each#1.3", "", true),
            ("each#1.3", "each#1.4", false),
            ("each#1.3", "each#2.3", false),
            ("", "each#1.3", false),
            ("both#1.0", "both#1.1", true),
            ("both#1.0", "both#2.1", false),
            ("", "both#1.1", true),
            ("each#1.3/both#1.0", "each#1.3/both#1.1", true),
            ("each#1.3/both#1.0", "each#1.4/both#1.1", false),
            ("each#1.3/both#1.0", "each#1.3", true),
            ("both#1.0", "both#1.1/each#1.0", false),
            ("each#1.1", "each#1.10", false),
        ] {
            assert_eq!(reaches(&definition, made, waiting), expected, "{made} {waiting}");
        }
    }

    #[test]
    fn the_nearest_is_meant_and_of_several_beside_none() {
        let definition = definition();
        let nearest = |made, waiting: &[&'static str]| nearest(&definition, made, waiting.iter().copied(), |step| step);
        assert_eq!(nearest("each#1.3", &["", "each#1.3", "each#1.4"]), Some("each#1.3"));
        assert_eq!(nearest("each#1.3/both#1.0", &["", "each#1.3", "each#1.3/both#1.1"]), Some("each#1.3"));
        assert_eq!(nearest("both#1.0", &["both#1.1"]), Some("both#1.1"));
        assert_eq!(nearest("both#1.0", &["both#1.1", "both#1.2"]), None);
        assert_eq!(nearest("each#1.1", &["each#1.10"]), None);
    }
}
