//! Spans of time as people type them: `90s`, `15m`, `24h`, `7d`.

/// The seconds in the text: a whole number and one of `s`, `m`, `h`, `d`.
///
/// *Errors*: a sentence, for anything else.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
    let read = || {
        let (at, unit) = text.char_indices().next_back()?;
        let unit_seconds: u32 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let number = text.get(..at).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
        number.parse::<u32>().ok()?.checked_mul(unit_seconds)
    };
    read().ok_or_else(|| "a span of time is a number and s, m, h or d, such as 24h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_its_unit() {
        for (text, read) in [("0s", 0), ("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(seconds(text), Ok(read));
        }
        for wrong in ["", "h", "24", "24 h", "-1h", "+1h", "1.5h", "1w", "24hh", "99999999999h", "4294967295d", "1µ"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
