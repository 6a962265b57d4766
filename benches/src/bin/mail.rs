//! Mails read for their data, beside the bare parsers, and beside `mail-parser` with `scraper` doing the same job.
//!
//! `cargo run --release -p benches --bin mail`. One core; each figure is the best of many short rounds, all rows in turn, because a busy
//! machine can only ever make a round slower. The mail with a large attachment has a process of its own for every row.

use std::{
    env, fs,
    hint::black_box,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use benches::{
    Outcome, child, figures,
    mails::{self, Known},
};
use bytes::Bytes;
use ingest::mail::{self, Source, Wishes};
use lol_html::{HtmlRewriter, Settings, element, text};
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use mailparse::parse_mail;
use mimalloc::MiMalloc;
use scraper::{Html, Selector};
use serde_json::Value;

/// As in `hookwright dev`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Together about ten seconds for each table.
const ROUNDS: usize = 200;
const ROUND: Duration = Duration::from_millis(10);

const GRADES: [&str; 4] = ["must", "should", "optional", "robust"];

/// What is done to the mail with a large attachment.
const LARGE_ROWS: [&str; 5] =
    ["the file in memory", "mail::read", "mail::read, PDF in pieces", "mailparse, PDF as one", "mail-parser, scraper"];

const BYTES_PER_MB: f64 = 1e6;

/// What is timed, with its name.
type Row<'r> = (&'r str, Box<dyn Fn() + 'r>);

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    if let (Some(row), Some(file)) = (arguments.next(), arguments.next()) {
        return read_large(&row, Path::new(&file));
    }
    let corpus = mails::corpus()?;
    correctness(&corpus)?;
    let mut raw: Vec<Vec<u8>> = corpus.into_iter().map(|known| known.raw).collect();
    speed(&format!("The corpus, {} mails of {} bytes on average", raw.len(), total(&raw) / raw.len()), &raw)?;
    raw.retain(|raw| mail::read(raw, &Wishes::default()).source != Some(Source::Microdata));
    speed(&format!("Of it the {} mails whose data is no microdata, which only ours reads", raw.len()), &raw)?;
    let marketing = mails::marketing();
    speed(&format!("A marketing mail of {} bytes", marketing.len()), &[marketing])?;
    large()
}

/// How many mails of the corpus give the data that is expected.
fn correctness(corpus: &[Known]) -> Outcome<()> {
    let selector = script_selector()?;
    figures::head("Mails of the corpus read as expected", &["mails", "ours", "theirs"]);
    for grade in GRADES {
        let of_grade = || corpus.iter().filter(|known| known.grade == grade);
        let ours = of_grade().filter(|known| mails::is_same(&ours(&known.raw), &known.data));
        let theirs = of_grade().filter(|known| mails::is_same(&combined(theirs(&known.raw, &selector)), &known.data));
        figures::row(grade, &[of_grade().count(), ours.count(), theirs.count()].map(|count| Some(count as f64)));
    }
    Ok(())
}

fn speed(title: &str, mails: &[Vec<u8>]) -> Outcome<()> {
    let selector = script_selector()?;
    let html: Vec<String> = mails.iter().flat_map(|raw| html_of(raw)).collect();
    let rows: [Row<'_>; 5] = [
        ("ingest::mail::read", Box::new(|| each(mails, |raw| mail::read(raw, &Wishes::default())))),
        ("mail-parser, scraper, serde_json", Box::new(|| each(mails, |raw| theirs(raw, &selector)))),
        ("mail-parser alone", Box::new(|| each(mails, |raw| MessageParser::default().parse(raw)))),
        ("mailparse alone, no body decoded", Box::new(|| each(mails, |raw| parse_mail(raw)))),
        ("lol_html alone, on decoded HTML", Box::new(|| each(&html, |html| scripts(html)))),
    ];

    let mut best = [f64::MAX; 5];
    for _ in 0..ROUNDS {
        for (best, (_, call)) in best.iter_mut().zip(&rows) {
            *best = best.min(seconds(call));
        }
    }
    figures::head(title, &["MB/s of mail", "us per mail", "of theirs"]);
    for (seconds, (name, _)) in best.iter().zip(&rows) {
        let megabytes = total(mails) as f64 / BYTES_PER_MB;
        let microseconds = seconds * 1e6 / mails.len() as f64;
        figures::row(name, &[Some(megabytes / seconds), Some(microseconds), Some(best[1] / seconds)]);
    }
    Ok(())
}

/// Time and memory for the mail with a large attachment.
fn large() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("large.eml");
    fs::write(&file, mails::with_attachment())?;

    let bytes = fs::metadata(&file)?.len();
    figures::head(
        &format!("A mail of {bytes} bytes with a PDF, in a process of its own (goal: 64 MB)"),
        &["ms", "peak MB"],
    );
    for row in LARGE_ROWS {
        let output = Command::new(env::current_exe()?).arg(row).arg(&file).output()?;
        let printed = String::from_utf8(output.stdout)?;
        let figures: Vec<Option<f64>> = printed.split_whitespace().map(|figure| figure.parse().ok()).collect();
        figures::row(row, &figures);
    }
    Ok(())
}

/// One row of [`large`], in the process that was started for it: prints milliseconds and the most memory it ever had.
fn read_large(row: &str, file: &Path) -> Outcome<()> {
    let raw = Bytes::from(fs::read(file)?);
    let begun = Instant::now();
    match row {
        "mail::read" => drop(black_box(mail::read(&raw, &Wishes::default()))),
        "mail::read, PDF in pieces" => {
            for attachment in mail::read(&raw, &Wishes::default()).attachments {
                let sent: usize = attachment.pieces(raw.clone()).map(|piece| black_box(piece).len()).sum();
                assert_eq!(sent as u64, attachment.size);
            }
        }
        "mailparse, PDF as one" => {
            for part in &parse_mail(&raw)?.subparts {
                black_box(part.get_body_raw()?);
            }
        }
        "mail-parser, scraper" => drop(black_box(theirs(&raw, &script_selector()?))),
        _ => drop(black_box(raw)),
    }
    println!("{} {}", begun.elapsed().as_secs_f64() * 1e3, child::usage("self")?.peak_memory_mb);
    Ok(())
}

/// The data of a mail without its microdata, which the expected data is without and the others do not read.
fn ours(raw: &[u8]) -> Value {
    let mail = mail::read(raw, &Wishes::default());
    if mail.source == Some(Source::Microdata) { Value::Null } else { mail.data }
}

/// The same job as most would do it: the mail's HTML parsed to a tree, the scripts selected, each read as JSON when it is.
fn theirs(raw: &[u8], selector: &Selector) -> Vec<Value> {
    let message = MessageParser::default().parse(raw);
    let html = message.iter().flat_map(html_parts);
    html.flat_map(|html| values(&Html::parse_document(html), selector)).collect()
}

fn values(document: &Html, selector: &Selector) -> Vec<Value> {
    let texts = document.select(selector).map(|script| script.text().collect::<String>());
    texts.filter_map(|text| serde_json::from_str(text.trim()).ok()).collect()
}

fn html_parts<'m>(message: &'m Message<'_>) -> impl Iterator<Item = &'m str> {
    message.parts.iter().filter_map(|part| match &part.body {
        PartType::Html(html) if !part.content_disposition().is_some_and(|how| how.is_attachment()) => Some(&**html),
        _ => None,
    })
}

/// What several values come to, by the corpus: one array without repeats, arrays spliced; one is itself; none is null.
fn combined(values: Vec<Value>) -> Value {
    let is_data = |value: &Value| match value {
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    };
    let mut values: Vec<Value> = values.into_iter().filter(is_data).collect();
    if values.len() < 2 {
        return values.pop().unwrap_or_default();
    }
    let spliced = values.into_iter().flat_map(|value| match value {
        Value::Array(list) => list,
        value => vec![value],
    });
    let mut once = Vec::new();
    for value in spliced {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    Value::Array(once)
}

fn script_selector() -> Outcome<Selector> {
    Selector::parse(r#"script[type="application/ld+json" i], script[type="application/json" i]"#)
        .map_err(|error| error.to_string().into())
}

fn html_of(raw: &[u8]) -> Vec<String> {
    let message = MessageParser::default().parse(raw);
    message.iter().flat_map(html_parts).map(str::to_owned).collect()
}

/// How many bytes of scripts the bare tokenizer finds.
fn scripts(html: &str) -> usize {
    let mut bytes = 0;
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("script", |_| Ok(())))
        .append_element_content_handler(text!("script", |chunk| {
            bytes += chunk.as_str().len();
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let written = rewriter.write(html.as_bytes());
    drop(written.and_then(|()| rewriter.end()));
    bytes
}

fn each<'t, T, R>(things: &'t [T], read: impl Fn(&'t T) -> R) {
    for thing in things {
        black_box(read(thing));
    }
}

fn total(mails: &[Vec<u8>]) -> usize {
    mails.iter().map(Vec::len).sum()
}

/// Seconds for one call, over one short round.
fn seconds(call: impl Fn()) -> f64 {
    let begun = Instant::now();
    let mut calls = 0_u32;
    while calls == 0 || begun.elapsed() < ROUND {
        call();
        calls += 1;
    }
    begun.elapsed().as_secs_f64() / f64::from(calls)
}
