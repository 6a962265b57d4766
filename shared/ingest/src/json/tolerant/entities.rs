//! HTML's character references, decoded once. A reference that is none (`AT&T`, `&unknown;`) stays as it is.

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// Letters of the longest name, `&CounterClockwiseContourIntegral;`, and more than enough digits.
const REFERENCE_LIMIT_BYTES: usize = 40;

/// The text with its character references decoded; `None` when there are none.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut rest = text;
    let mut any = false;

    while let Some((before, from)) = rest.split_once('&') {
        decoded.push_str(before);
        match reference(from) {
            Some((meant, after)) => {
                any = true;
                decoded.extend(meant.into_iter().flatten());
                rest = after;
            }
            None => {
                decoded.push('&');
                rest = from;
            }
        }
    }
    decoded.push_str(rest);
    any.then_some(decoded)
}

/// The one or two characters that the reference at the beginning stands for, and what follows it; it ends with a semicolon.
fn reference(from: &str) -> Option<([Option<char>; 2], &str)> {
    let end = from.bytes().take(REFERENCE_LIMIT_BYTES).position(|byte| byte == b';')?;
    let (name, after) = (from.get(..end)?, from.get(end + 1..)?);

    let meant = match name.strip_prefix('#') {
        Some(digits) => [Some(numbered(digits)?), None],
        None => {
            let (first, second) = NAMED_ENTITIES.get(&format!("{name};")).copied()?;
            [character(first), character(second)]
        }
    };
    Some((meant, after))
}

/// The table has 0 where there is no character.
fn character(number: u32) -> Option<char> {
    char::from_u32(number).filter(|character| *character != '\0')
}

fn numbered(digits: &str) -> Option<char> {
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    // A sign is not a digit, though Rust reads it.
    let number = number.ok().filter(|_| !digits.contains(['+', '-']))?;
    match number {
        // Windows' characters under Latin-1's numbers, as browsers read them.
        0x80..=0x9F => Some(C1_REPLACEMENTS.get(number as usize - 0x80).copied().flatten().unwrap_or('\u{fffd}')),
        0 => Some(char::REPLACEMENT_CHARACTER),
        _ => Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
}
