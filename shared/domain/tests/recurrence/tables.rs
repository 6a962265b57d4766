//! Cases as tables: what comes next, and what is refused.

use domain::{Recurrence, Timestamp};
use serde::Deserialize;
use serde_json::{Value, from_str};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Occurrences {
    /// What the case is about.
    case: String,
    recurrence: Value,
    after: Timestamp,
    /// The occurrences from there on, with the offset that holds then.
    next: Vec<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    recurrence: Value,
    path: String,
    #[serde(default = "bad_recurrence")]
    code: String,
    /// Parts of the sentence.
    says: Vec<String>,
}

fn bad_recurrence() -> String {
    "bad_recurrence".to_owned()
}

#[test]
fn occurrences_come_when_the_table_says() {
    let cases: Vec<Occurrences> = from_str(include_str!("../cases/occurrences.json")).unwrap();
    for Occurrences { case, recurrence, after, next } in cases {
        let recurrence = Recurrence::parse(&recurrence).unwrap_or_else(|refusal| panic!("{case}: {refusal}"));
        let found: Vec<String> = recurrence.upcoming(after, next.len()).iter().map(Timestamp::to_string).collect();
        let wanted: Vec<String> = next.iter().map(Timestamp::to_string).collect();
        assert_eq!(found, wanted, "{case}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_place_and_how_to_write_it() {
    let cases: Vec<Refusal> = from_str(include_str!("../cases/refused-recurrences.json")).unwrap();
    for Refusal { recurrence, path, code, says } in cases {
        let refusal = Recurrence::parse(&recurrence).expect_err(&recurrence.to_string());
        assert_eq!((refusal.path.as_str(), refusal.code), (path.as_str(), code.as_str()), "{recurrence}: {refusal}");
        assert!(refusal.detail.ends_with('.'), "{refusal}");
        for part in says {
            assert!(refusal.detail.contains(&part), "{recurrence}: {refusal:?} does not say {part:?}");
        }
    }
}
