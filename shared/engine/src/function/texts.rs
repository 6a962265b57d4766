//! Texts: their letters, their parts, and what is searched for in them.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::parse::Parser;
use serde_json::{Value, json};

use super::{Arguments, Function, either, literal, optional, path, pattern};
use crate::fault::Fault;
use crate::limits::{EVALUATION_LIMIT_OPERATIONS, TEMPLATE_LIMIT_BYTES};
use crate::naming::quoted;
use crate::problem::Flaw;

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "toLower", aliases: &["lowercase", "toLowerCase"], parameters: &[path("text")], body: to_lower },
    Function { name: "toUpper", aliases: &["uppercase", "toUpperCase"], parameters: &[path("text")], body: to_upper },
    Function { name: "capitalize", aliases: &["upperFirst"], parameters: &[path("text")], body: capitalize },
    Function { name: "titleCase", aliases: &["startCase"], parameters: &[path("text")], body: title_case },
    Function { name: "trim", aliases: &[], parameters: &[path("text")], body: trim },
    Function {
        name: "replace",
        aliases: &[],
        parameters: &[path("text"), literal("sought"), optional(literal("replacement"))],
        body: replace,
    },
    Function {
        name: "substring",
        aliases: &["substr", "slice"],
        parameters: &[path("text"), literal("start"), optional(literal("end"))],
        body: substring,
    },
    Function {
        name: "truncate",
        aliases: &[],
        parameters: &[path("text"), literal("length"), optional(literal("ending"))],
        body: truncate,
    },
    Function {
        name: "padStart",
        aliases: &[],
        parameters: &[path("text"), literal("length"), optional(literal("filler"))],
        body: pad_start,
    },
    Function { name: "split", aliases: &[], parameters: &[path("text"), optional(literal("separator"))], body: split },
    Function { name: "startsWith", aliases: &[], parameters: &[path("text"), either("start")], body: starts_with },
    Function { name: "endsWith", aliases: &[], parameters: &[path("text"), either("end")], body: ends_with },
    Function {
        name: "regexTest",
        aliases: &["matches"],
        parameters: &[path("text"), pattern("pattern")],
        body: regex_test,
    },
    Function {
        name: "regexMatch",
        aliases: &["match"],
        parameters: &[path("text"), pattern("pattern")],
        body: regex_match,
    },
];

/// How long a pattern may be.
const PATTERN_LIMIT_BYTES: usize = 1_024;

/// How much of a pattern's automaton is kept while it searches.
const PATTERN_LIMIT_CACHED_BYTES: usize = 256 * 1_024;

/// How many compiled patterns a thread remembers, and how large each is at the most.
const REMEMBERED_LIMIT_BYTES: usize = 256 << 10;
const PATTERNS_LIMIT: usize = 64;

/// What patterns cost, by what they take once compiled; larger ones cannot be used. *Why* — that is what each byte of the
/// text may have to be held against, and `\w{20}` takes half a megabyte.
const PRICES: [Price; 3] = [
    Price { compiled_limit_bytes: 16 << 10, operations: 100, operations_per_64_bytes: 4 },
    Price { compiled_limit_bytes: 256 << 10, operations: 2_500, operations_per_64_bytes: 64 },
    Price { compiled_limit_bytes: 2 << 20, operations: 20_000, operations_per_64_bytes: 512 },
];

/// The price of a pattern up to some size.
#[derive(Debug, Clone, Copy)]
struct Price {
    compiled_limit_bytes: usize,
    /// To compile it.
    operations: u64,
    /// To search that much of a text.
    operations_per_64_bytes: usize,
}

impl Price {
    /// To compile it and to search all of `text`.
    fn of_search(self, text: &str) -> u64 {
        let searched = text.len().div_ceil(64).saturating_mul(self.operations_per_64_bytes);
        self.operations.saturating_add(searched as u64)
    }
}

type Given<'e, 'a> = Arguments<'e, 'a>;
type Gives = Result<Option<Value>, Fault>;

fn to_lower(arguments: &Given<'_, '_>) -> Gives {
    Ok(arguments.text(0).map(|text| json!(text.to_lowercase())))
}

fn to_upper(arguments: &Given<'_, '_>) -> Gives {
    Ok(arguments.text(0).map(|text| json!(text.to_uppercase())))
}

fn capitalize(arguments: &Given<'_, '_>) -> Gives {
    Ok(arguments.text(0).map(|text| json!(capitalized(&text))))
}

fn title_case(arguments: &Given<'_, '_>) -> Gives {
    let titled = |text: &str| {
        let words = text.split_inclusive(char::is_whitespace);
        words.map(|word| capitalized(&word.to_lowercase())).collect::<String>()
    };
    Ok(arguments.text(0).map(|text| json!(titled(&text))))
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
    first + rest.as_str()
}

fn trim(arguments: &Given<'_, '_>) -> Gives {
    Ok(arguments.text(0).map(|text| json!(text.trim())))
}

/// Every occurrence, letter by letter.
fn replace(arguments: &Given<'_, '_>) -> Gives {
    let Some((text, sought)) = arguments.text(0).zip(arguments.text(1)) else { return Ok(None) };
    let replacement = arguments.text(2).unwrap_or_default();
    if sought.is_empty() {
        return Ok(Some(json!(text)));
    }
    let grown = replacement.len().saturating_sub(sought.len());
    let times = if grown > 0 { text.matches(sought.as_ref()).count() } else { 0 };
    if text.len().saturating_add(times.saturating_mul(grown)) > TEMPLATE_LIMIT_BYTES {
        return Err(Fault::TemplateTooLarge);
    }
    Ok(Some(json!(text.replace(sought.as_ref(), &replacement))))
}

/// From one character up to before another, counted from 0; negative ones count from the end.
fn substring(arguments: &Given<'_, '_>) -> Gives {
    let Some(text) = arguments.text(0) else { return Ok(None) };
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let place = |asked: i64| if asked < 0 { (length.saturating_add(asked)).max(0) } else { asked.min(length) };
    let end = if arguments.is_given(2) { arguments.whole(2) } else { Some(length) };
    let Some((start, end)) = arguments.whole(1).zip(end) else { return Ok(None) };
    let (start, end) = (place(start), place(end));
    let count = usize::try_from(end - start).unwrap_or(0);
    let part: String = text.chars().skip(usize::try_from(start).unwrap_or(0)).take(count).collect();
    Ok(Some(json!(part)))
}

/// At most so many characters, the ending included where something was cut.
fn truncate(arguments: &Given<'_, '_>) -> Gives {
    let length = arguments.whole(1).and_then(|length| usize::try_from(length).ok());
    let Some((text, length)) = arguments.text(0).zip(length) else { return Ok(None) };
    if text.chars().count() <= length {
        return Ok(Some(json!(text)));
    }
    let ending = arguments.text(2).unwrap_or("…".into());
    let kept = length.saturating_sub(ending.chars().count());
    let cut: String = text.chars().take(kept).chain(ending.chars()).take(length).collect();
    Ok(Some(json!(cut)))
}

fn pad_start(arguments: &Given<'_, '_>) -> Gives {
    let length = arguments.whole(1).and_then(|length| usize::try_from(length).ok());
    let Some((text, length)) = arguments.text(0).zip(length) else { return Ok(None) };
    let filler = arguments.text(2).unwrap_or(" ".into());
    let missing = length.saturating_sub(text.chars().count());
    if filler.is_empty() || missing == 0 {
        return Ok(Some(json!(text)));
    }
    if missing > TEMPLATE_LIMIT_BYTES {
        return Err(Fault::TemplateTooLarge);
    }
    let padded: String = filler.chars().cycle().take(missing).chain(text.chars()).collect();
    Ok(Some(json!(padded)))
}

/// The parts between separators; commas, when none is given. An empty separator parts characters.
fn split(arguments: &Given<'_, '_>) -> Gives {
    let Some(text) = arguments.text(0) else { return Ok(None) };
    let separator = arguments.text(1).unwrap_or(",".into());
    let is_by_character = separator.is_empty();
    let count = if is_by_character { text.chars().count() } else { text.matches(separator.as_ref()).count() + 1 };
    arguments.evaluation.pay(count as u64)?;
    let parts: Vec<Value> = if is_by_character {
        text.chars().map(|character| json!(character.to_string())).collect()
    } else {
        text.split(separator.as_ref()).map(|part| json!(part)).collect()
    };
    Ok(Some(Value::Array(parts)))
}

fn starts_with(arguments: &Given<'_, '_>) -> Gives {
    let texts = arguments.text(0).zip(arguments.text(1));
    Ok(texts.map(|(text, start)| json!(text.starts_with(start.as_ref()))))
}

fn ends_with(arguments: &Given<'_, '_>) -> Gives {
    let texts = arguments.text(0).zip(arguments.text(1));
    Ok(texts.map(|(text, end)| json!(text.ends_with(end.as_ref()))))
}

fn regex_test(arguments: &Given<'_, '_>) -> Gives {
    let Some((text, pattern)) = searched(arguments)? else { return Ok(None) };
    Ok(Some(json!(pattern.is_match(&text))))
}

/// The first match, or its first group where the pattern has one.
fn regex_match(arguments: &Given<'_, '_>) -> Gives {
    let Some((text, pattern)) = searched(arguments)? else { return Ok(None) };
    let Some(captures) = pattern.captures(&text) else { return Ok(None) };
    let found = if captures.len() > 1 { captures.get(1) } else { captures.get(0) };
    Ok(found.map(|found| json!(found.as_str())))
}

fn searched(arguments: &Given<'_, '_>) -> Result<Option<(String, Regex)>, Fault> {
    let Some((text, pattern)) = arguments.text(0).zip(arguments.text(1)) else { return Ok(None) };
    match compiled(&pattern) {
        Ok(Pattern { pattern, price }) => {
            arguments.evaluation.pay(price.of_search(&text))?;
            Ok(Some((text.into_owned(), pattern)))
        }
        Err(reason) => {
            arguments.evaluation.pay(PRICES.iter().map(|price| price.operations).sum())?;
            arguments.evaluation.tell(|| reason);
            Ok(None)
        }
    }
}

thread_local! {
    /// *Why* — compiling takes longer than most searches, and a loop asks for the same pattern at every turn.
    static PATTERNS: RefCell<HashMap<String, Pattern>> = RefCell::new(HashMap::new());
}

/// Whether an author's pattern is one, by its form alone. It is not compiled, nor are its classes written out, which takes
/// milliseconds, and a document may have thousands.
pub(super) fn check_pattern(pattern: &str) -> Result<(), Flaw> {
    let wrong = if pattern.len() > PATTERN_LIMIT_BYTES {
        too_long(pattern)
    } else {
        match Parser::new().parse(pattern) {
            Ok(_) => return Ok(()),
            Err(error) => bad_pattern(pattern, &error),
        }
    };
    Err(Flaw { code: "bad_pattern", message: wrong, suggestion: None })
}

/// How much work a search of 64 bytes with the pattern is; as much as of the dearest one where it is none of ours.
pub(crate) fn work_of_64_bytes(pattern: &str) -> usize {
    let dearest = PRICES.last().map_or(0, |price| price.operations_per_64_bytes);
    compiled(pattern).map_or(dearest, |compiled| compiled.price.operations_per_64_bytes)
}

/// Why a text is not searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoSearch {
    /// It is no pattern, too long, or too large once compiled; why, as a sentence.
    Pattern(String),
    /// The search would be more work than all params of a step may be; how much of it, as a sentence.
    Work(String),
}

/// The pattern for a search of `text`, compiled once for all who ask for it again. It searches in time linear in the text, at a
/// price that grows with what is compiled, and the price is that of the functions.
pub fn pattern_for(pattern: &str, text: &str) -> Result<Regex, NoSearch> {
    let Pattern { pattern, price } = compiled(pattern).map_err(NoSearch::Pattern)?;
    let operations = price.of_search(text);
    if operations <= EVALUATION_LIMIT_OPERATIONS {
        return Ok(pattern);
    }
    Err(NoSearch::Work(format!(
        "This pattern would take {operations} operations to search a text of {} bytes, and {EVALUATION_LIMIT_OPERATIONS} are \
         allowed. Repeat less in it, or search a part of the text.",
        text.len()
    )))
}

fn too_long(pattern: &str) -> String {
    format!("A pattern may have at most {PATTERN_LIMIT_BYTES} bytes; this one has {}.", pattern.len())
}

/// A compiled pattern, and what it costs.
#[derive(Debug, Clone)]
struct Pattern {
    pattern: Regex,
    price: Price,
}

/// A compiled pattern, which searches in time linear in the text.
///
/// *Errors* — a sentence: it is no pattern, too long, or too large once compiled.
fn compiled(pattern: &str) -> Result<Pattern, String> {
    if pattern.len() > PATTERN_LIMIT_BYTES {
        return Err(too_long(pattern));
    }
    PATTERNS.with_borrow_mut(|known| {
        if let Some(compiled) = known.get(pattern) {
            return Ok(compiled.clone());
        }
        let compile = |price: Price| {
            let built = RegexBuilder::new(pattern)
                .size_limit(price.compiled_limit_bytes)
                .dfa_size_limit(PATTERN_LIMIT_CACHED_BYTES)
                .build();
            built.map(|pattern| Pattern { pattern, price })
        };
        let mut compiled = Err(String::new());
        for price in PRICES {
            match compile(price) {
                Ok(fitting) => {
                    compiled = Ok(fitting);
                    break;
                }
                Err(regex::Error::CompiledTooBig(_)) => {
                    compiled = Err(format!(
                        "The pattern {} is too large once its repetitions are written out; repeat less, or a smaller class, as [0-9] instead of \\d.",
                        quoted(pattern)
                    ));
                }
                Err(error) => {
                    compiled = Err(bad_pattern(pattern, &error));
                    break;
                }
            }
        }
        let compiled = compiled?;
        if known.len() >= PATTERNS_LIMIT {
            known.clear();
        }
        // Those of the last price would fill the memory of a small function.
        if compiled.price.compiled_limit_bytes <= REMEMBERED_LIMIT_BYTES {
            known.insert(pattern.to_owned(), compiled.clone());
        }
        Ok(compiled)
    })
}

/// The crate draws where the mistake is, and says what it is in its last line.
fn bad_pattern(pattern: &str, error: &impl std::error::Error) -> String {
    let told = error.to_string();
    let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ").trim_end_matches('.');
    format!("The pattern {} cannot be used: {reason}.", quoted(pattern))
}
