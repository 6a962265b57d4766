//! The HTML tests of the W3C for JSON-LD, one by one. They ask for expansion, compaction and RDF, none of which is done here; what can be
//! compared is which scripts are found and what is taken for their content.

use serde::Deserialize;
use serde_json::Value;

use crate::{fixture, read};

/// A test of the W3C and what is made of its HTML here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    /// The test's name in the W3C's manifest (`te001`).
    id: String,
    /// The HTML, which several tests share.
    file: String,
    /// What the W3C expects, in a few words.
    w3c: String,
    decision: Decision,
    /// Why that is right for mails, in a sentence.
    reason: String,
    /// The data of a mail with this HTML.
    data: Value,
    /// The status of each block.
    statuses: Vec<String>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
enum Decision {
    /// The W3C takes the same scripts; their content is not processed here.
    #[serde(rename = "taken as written")]
    TakenAsWritten,
    #[serde(rename = "same as the W3C")]
    Same,
    #[serde(rename = "differs")]
    Differs,
}

#[test]
fn every_html_test_of_the_w3c_has_a_decision_and_is_read_by_it() {
    let cases: Vec<Case> = serde_json::from_str(&fixture("json-ld-html/decisions.json")).unwrap();
    assert_eq!(cases.len(), 52);

    for case in cases {
        let mail = read(&fixture(&format!("json-ld-html/{}", case.file)));
        let statuses: Vec<&str> = mail.blocks.iter().map(|block| block.status.word()).collect();

        assert_eq!(mail.data, case.data, "{}", case.id);
        assert_eq!(statuses, case.statuses, "{}", case.id);
        assert!(!case.w3c.is_empty() && case.reason.ends_with('.'), "{}", case.id);
        match case.decision {
            Decision::TakenAsWritten => assert!(!mail.data.is_null(), "{}", case.id),
            Decision::Same => assert!(mail.data.is_null(), "{}", case.id),
            Decision::Differs => {}
        }
    }
}
