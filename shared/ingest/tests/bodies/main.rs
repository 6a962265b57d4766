//! What bodies become, seen through the crate's public functions. A new case is a row in `cases/*.json`; only limits and laws are code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what checks a body panics as the tests that call it do"
)]

mod laws;

use ingest::{Note, Reading, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=b";

/// One row: a content type and a body, and either what they become or the code of the refusal.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    content_type: Option<String>,
    /// The body as text; line ends are as written.
    body: Option<String>,
    /// The body with one byte per character, for bytes that are not UTF-8.
    body_latin1: Option<String>,
    data: Option<Value>,
    /// The data as compact JSON, where the spelling of numbers matters.
    json: Option<String>,
    /// `code path` of each note.
    #[serde(default)]
    notes: Vec<String>,
    /// `field fileName contentType size` of each file.
    #[serde(default)]
    files: Vec<String>,
    refusal: Option<String>,
    /// Words the refusal's sentence must have.
    says: Option<String>,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        match (&self.body, &self.body_latin1) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(text)) => text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect(),
            _ => panic!("{}: a case has one body", self.name),
        }
    }

    fn check(&self) {
        let name = &self.name;
        match (ingest::read(self.content_type.as_deref(), &self.bytes()), &self.refusal) {
            (Ok(reading), None) => self.check_reading(&reading),
            (Err(refusal), Some(code)) => {
                assert_eq!(refusal.code(), code, "{name}: {refusal}");
                assert!(refusal.detail().contains(self.says.as_deref().unwrap_or("")), "{name}: {refusal}");
            }
            (Ok(reading), Some(code)) => panic!("{name}: {code} expected, got {}", reading.data),
            (Err(refusal), None) => panic!("{name}: {refusal}"),
        }
    }

    fn check_reading(&self, reading: &Reading) {
        let expected = self.json.clone().or_else(|| self.data.as_ref().map(Value::to_string));
        assert_eq!(Some(reading.data.to_string()), expected, "{}", self.name);

        let notes: Vec<String> = reading.notes.iter().map(|note| format!("{} {}", note.code, note.path)).collect();
        assert_eq!(notes, self.notes, "{}", self.name);

        let file = |file: &ingest::File| {
            format!("{} {} {} {}", file.name, file.file_name, file.content_type, file.bytes.len())
        };
        let files: Vec<String> = reading.files.iter().map(file).collect();
        assert_eq!(files, self.files, "{}", self.name);
    }
}

fn check_cases(table: &str) {
    let cases: Vec<Case> = serde_json::from_str(table).unwrap();
    cases.iter().for_each(Case::check);
}

#[test]
fn json_bodies() {
    check_cases(include_str!("../cases/json.json"));
}

#[test]
fn form_bodies() {
    check_cases(include_str!("../cases/form.json"));
}

#[test]
fn multipart_bodies() {
    check_cases(include_str!("../cases/multipart.json"));
}

#[test]
fn xml_bodies() {
    check_cases(include_str!("../cases/xml.json"));
}

#[test]
fn other_bodies() {
    check_cases(include_str!("../cases/other.json"));
}

/// Reads two bodies, one at a limit and one past it.
#[track_caller]
fn assert_limit(content_type: &str, at: &str, past: &str, code: &str) {
    if let Err(refusal) = ingest::read(Some(content_type), at.as_bytes()) {
        panic!("at the limit: {refusal}");
    }
    let refusal = ingest::read(Some(content_type), past.as_bytes()).expect_err("past the limit");
    assert_eq!(refusal.code(), code);
}

#[test]
fn json_nests_64_levels_and_not_65() {
    for (open, inner, close) in [("[", "1", "]"), ("{\"a\":", "{}", "}"), ("[", "", "]")] {
        let own = usize::from(inner == "{}");
        let nested = |levels: usize| format!("{}{inner}{}", open.repeat(levels - own), close.repeat(levels - own));
        assert_limit("application/json", &nested(64), &nested(65), "too_deep");
    }
}

#[test]
fn a_hundred_thousand_brackets_are_refused_without_ado() {
    for bracket in ["[", "{\"a\":", "[{\"a\":"] {
        let refusal = ingest::json::parse(bracket.repeat(100_000).as_bytes()).unwrap_err();
        assert_eq!(refusal.code(), "too_deep");
    }
}

#[test]
fn json_has_10_000_keys_over_all_objects_and_not_10_001() {
    let objects = |keys: usize| format!("[{}]", vec!["{\"k\":1}"; keys].join(","));
    assert_limit("application/json", &objects(10_000), &objects(10_001), "too_many_keys");
}

#[test]
fn an_owners_json_has_100_000_keys_and_not_100_001() {
    let objects = |keys: usize| format!("[{}]", vec!["{\"k\":1}"; keys].join(","));
    assert!(ingest::json::parse_of_owner(objects(100_000).as_bytes()).is_ok());
    assert_eq!(ingest::json::parse_of_owner(objects(100_001).as_bytes()).unwrap_err().code(), "too_many_keys");
}

#[test]
fn a_number_has_1_000_characters_and_not_1_001() {
    let exponent = |chars: usize| format!("[1e{}]", "0".repeat(chars - 2));
    let digits = |chars: usize| format!("[{}]", "9".repeat(chars));
    assert_limit("application/json", &digits(1_000), &digits(1_001), "number_too_long");
    assert_limit("application/json", &exponent(1_000), &exponent(1_001), "number_too_long");
}

#[test]
fn a_form_has_1_000_fields_and_not_1_001() {
    let fields = |count: usize| vec!["a=1"; count].join("&");
    assert_limit(FORM, &fields(1_000), &fields(1_001), "too_many_fields");
}

#[test]
fn a_field_has_5_brackets_and_not_more() {
    assert_limit(FORM, "a[b][c][d][e][f]=1", "a[b][c][d][e][f][g]=1", "field_too_deep");
}

#[test]
fn a_multipart_form_has_100_parts_and_not_101() {
    let parts = |count: usize| {
        format!("{}--b--\r\n", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n".repeat(count))
    };
    assert_limit(MULTIPART, &parts(100), &parts(101), "too_many_parts");
}

#[test]
fn the_headers_of_a_part_take_8_kib_and_not_more() {
    let frame_bytes = "content-disposition".len() + "form-data; name=".len() + 4;
    let part = |bytes: usize| {
        let name = "n".repeat(bytes - frame_bytes);
        format!("--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n1\r\n--b--\r\n")
    };
    assert_limit(MULTIPART, &part(8_192), &part(8_193), "part_headers_too_large");
}

#[test]
fn a_boundary_has_70_characters_and_not_71() {
    let read = |chars: usize| {
        let boundary = "b".repeat(chars);
        let body = format!("--{boundary}\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--{boundary}--\r\n");
        ingest::read(Some(&format!("multipart/form-data; boundary={boundary}")), body.as_bytes())
    };
    assert_eq!(read(70).unwrap().data, json!({"a": "1"}));
    assert_eq!(read(71).unwrap_err().code(), "boundary_too_long");
}

#[test]
fn a_file_name_keeps_255_characters() {
    let name = "é".repeat(1_000);
    let body = format!("--b\r\nContent-Disposition: form-data; name=a; filename=\"{name}\"\r\n\r\n1\r\n--b--\r\n");
    let reading = ingest::read(Some(MULTIPART), body.as_bytes()).unwrap();
    assert_eq!(reading.files[0].file_name, "é".repeat(255));
    assert_eq!(reading.notes[0].code, "file_name_changed");
}

#[test]
fn a_file_has_one_digest_in_the_data_and_beside_it() {
    let body = "--b\r\nContent-Disposition: form-data; name=a; filename=a.txt\r\nContent-Type: text/plain\r\n\r\nabc\r\n--b--\r\n";
    let reading = ingest::read(Some(MULTIPART), body.as_bytes()).unwrap();

    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(reading.files[0].sha256, digest);
    assert_eq!(reading.data["a"]["sha256"], digest);
    assert_eq!(reading.data["a"]["blob"], reading.files[0].blob());
}

#[test]
fn xml_nests_64_levels_and_not_65() {
    let nested = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    assert_limit("text/xml", &nested(64), &nested(65), "too_deep");

    // An array is a level of the data, too: what is accepted can always be read again.
    let twins = |levels: usize| format!("{}{}", "<a><b/>".repeat(levels), "<b/></a>".repeat(levels));
    assert_limit("text/xml", &twins(62), &twins(63), "too_deep");
}

#[test]
fn xml_has_10_000_nodes_and_not_10_001() {
    let nodes =
        |count: usize| format!("<r>{}</r>", "<a x='1'/>".repeat((count - 1) / 2) + &"<b/>".repeat((count - 1) % 2));
    assert_limit("application/xml", &nodes(10_000), &nodes(10_001), "too_many_nodes");
}

#[test]
fn data_takes_a_million_bytes_of_json_and_not_more() {
    let frame_bytes = json!({"unstructured": ""}).to_string().len();
    let controls = (1_000_000 - frame_bytes) / 6;
    let letters = (1_000_000 - frame_bytes) % 6;
    let text = |letters: usize| format!("{}{}", "\u{1}".repeat(controls), "a".repeat(letters));
    assert_limit("text/plain", &text(letters), &text(letters + 1), "too_large_decoded");
}

#[test]
fn fifty_notes_are_kept_and_the_rest_is_counted() {
    let body = format!("{{{}}}", vec!["\"a\":1"; 61].join(","));
    let notes = ingest::json::parse(body.as_bytes()).unwrap().1;
    assert_eq!(notes.len(), 51);
    assert_eq!(notes[50].message, "10 more notes were left out.");
}

#[test]
fn what_was_sent_is_cut_short_in_notes_and_refusals() {
    let long = "k".repeat(100_000);
    let twice = format!("{{{long:?}:{{\"a\":1,\"a\":2}}}}");
    let notes = ingest::json::parse(twice.as_bytes()).unwrap().1;
    assert_eq!(notes[0].path, format!("$[\"{}…\"].a", "k".repeat(60)));

    for (content_type, body) in [
        (FORM, format!("{long}[1][2][3][4][5][6]=1")),
        (FORM, format!("$serde_json::private::{long}=1")),
        (MULTIPART, format!("--b\r\n{long}{long}\u{1}\r\n\r\n--b--")),
        ("text/xml", format!("<{long}></{long}x>")),
        ("text/xml", format!("<a>&{long};</a>")),
        ("application/json", format!("{{\"$serde_json::private::{long}\":1}}")),
    ] {
        let refusal = ingest::read(Some(content_type), body.as_bytes()).unwrap_err();
        assert!(refusal.detail().chars().count() <= 600, "{content_type}");
    }
}

#[test]
fn a_large_number_in_brackets_is_a_key_like_any_other() {
    let reading = ingest::read(Some(FORM), b"product[58213]=2&product[99999999999999999999]=1").unwrap();
    assert_eq!(reading.data.to_string(), r#"{"product":{"58213":"2","99999999999999999999":"1"}}"#);
}

#[test]
fn each_family_of_refusals_is_told_apart() {
    assert!(matches!(ingest::read(Some("image/png"), b"x"), Err(Refusal::UnsupportedMediaType { .. })));
    assert!(matches!(ingest::read(Some("application/json"), b"x"), Err(Refusal::Malformed { .. })));
    let inflating = "\u{1}".repeat(400_000);
    assert!(matches!(ingest::read(Some("text/plain"), inflating.as_bytes()), Err(Refusal::TooLarge { .. })));
}

#[test]
fn a_note_is_written_as_code_path_and_message() {
    let note = Note { code: "duplicate_key", path: "$.a".to_owned(), message: "Twice.".to_owned() };
    assert_eq!(
        serde_json::to_value(note).unwrap(),
        json!({"code": "duplicate_key", "path": "$.a", "message": "Twice."})
    );
}
