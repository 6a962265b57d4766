//! The report that build servers read, in the format of `JUnit`.
//!
//! There are no times in it: a case whose clock stands still has none, and two runs of the same tests give the same bytes.

use std::io;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{
    play::Outcome,
    report::{FileReport, Report, failure_lines},
};

/// The report as XML.
///
/// *Errors*: none is known; it is written into memory.
pub(crate) fn document(report: &Report) -> io::Result<Vec<u8>> {
    let (passed, failed) = report.counts();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let (tests, failures) = ((passed + failed).to_string(), failed.to_string());
    writer
        .create_element("testsuites")
        .with_attributes([("name", "hookwright"), ("tests", &tests), ("failures", &failures)])
        .write_inner_content(|writer| report.files.iter().try_for_each(|file| suite(writer, file)))?;
    let mut bytes = writer.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

fn suite(writer: &mut Writer<Vec<u8>>, FileReport { file, outcomes }: &FileReport) -> io::Result<()> {
    let failed = outcomes.iter().filter(|outcome| !outcome.has_passed()).count();
    let (file, tests, failures) = (allowed(file), outcomes.len().to_string(), failed.to_string());
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", file.as_str()),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", "0"),
            ("skipped", "0"),
        ])
        .write_inner_content(|writer| outcomes.iter().try_for_each(|outcome| case(writer, &file, outcome)))?;
    Ok(())
}

fn case(writer: &mut Writer<Vec<u8>>, file: &str, outcome: &Outcome) -> io::Result<()> {
    let name = allowed(&outcome.case);
    let element = writer.create_element("testcase").with_attributes([("classname", file), ("name", &name)]);
    let Some(first) = outcome.mismatches.first() else {
        element.write_empty()?;
        return Ok(());
    };
    let (part, message) = (allowed(&first.part), allowed(&first.message));
    let text = allowed(&failure_lines(outcome).join("\n"));
    element.write_inner_content(|writer| {
        let failure =
            writer.create_element("failure").with_attributes([("type", part.as_str()), ("message", &message)]);
        failure.write_text_content(BytesText::new(&text)).map(|_| ())
    })?;
    Ok(())
}

/// The text without what XML 1.0 has no way to write, whatever the escape.
fn allowed(text: &str) -> String {
    let is_allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|character| if is_allowed(character) { character } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::judge::Mismatch, *};

    #[test]
    fn what_strangers_write_is_escaped_and_what_xml_cannot_hold_is_replaced() {
        let outcome = |case: &str, mismatches| Outcome { case: case.to_owned(), mismatches, runs: Vec::new() };
        let failing = outcome("a <b> & \"c\"", vec![Mismatch::of("state", "]]> \u{1b}[2J <x>\u{fffe}")]);
        let files =
            vec![FileReport { file: "a&b.test.yaml".to_owned(), outcomes: vec![outcome("ok", Vec::new()), failing] }];
        let xml = String::from_utf8(document(&Report { files, untested: Vec::new() }).unwrap()).unwrap();
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"hookwright\" tests=\"2\" failures=\"1\">
  <testsuite name=\"a&amp;b.test.yaml\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">
    <testcase classname=\"a&amp;b.test.yaml\" name=\"ok\"/>
    <testcase classname=\"a&amp;b.test.yaml\" name=\"a &lt;b&gt; &amp; &quot;c&quot;\">
      <failure type=\"state\" message=\"]]&gt; \u{fffd}[2J &lt;x&gt;\u{fffd}\">state: ]]&gt; \u{fffd}[2J &lt;x&gt;\u{fffd}</failure>
    </testcase>
  </testsuite>
</testsuites>
";
        assert_eq!(xml, expected);
    }
}
