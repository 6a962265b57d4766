//! A decimal number as it was written, comparable exactly and in time linear in its text.
//!
//! Nothing is ever expanded: `1e999999999` is a sign, a magnitude and one digit, so no input can make a comparison
//! slow or large.

use std::cmp::Ordering;
use std::iter::Peekable;

/// Exponents longer than this are not read as numbers; it keeps a magnitude inside an `i128` with room to spare.
const EXPONENT_LIMIT_DIGITS: usize = 30;

/// A number borrowed from its text.
///
/// *Shape* — what JSON writes (`-12.50e3`), also with a leading `+`, and with digits on only one side of the point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal<'a> {
    sign: Sign,
    /// Power of ten of the first significant digit, plus one; of no meaning for zero.
    magnitude: i128,
    whole: &'a str,
    fraction: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Negative,
    Zero,
    Positive,
}

impl<'a> Decimal<'a> {
    /// Reads a number; white space around it is ignored. Anything that is not wholly a number gives `None`.
    pub(crate) fn parse(text: &'a str) -> Option<Decimal<'a>> {
        let text = text.trim();
        let (negative, unsigned) = split_sign(text);
        let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }

        let Some(magnitude) = magnitude(whole, fraction) else {
            return Some(Decimal { sign: Sign::Zero, magnitude: 0, whole, fraction });
        };
        let sign = if negative { Sign::Negative } else { Sign::Positive };
        Some(Decimal { sign, magnitude: magnitude.checked_add(exponent)?, whole, fraction })
    }

    /// Whether the number is zero, however many zeros it was written with.
    pub(crate) fn is_zero(&self) -> bool {
        self.sign == Sign::Zero
    }

    /// A spelling that equal numbers share and others do not.
    pub(crate) fn canonical(&self) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        let sign = if self.sign == Sign::Negative { "-" } else { "" };
        let digits: String = self.digits().map(char::from).collect();
        format!("{sign}0.{}e{}", digits.trim_end_matches('0'), self.magnitude)
    }

    /// Compares by value: `0.1` equals `0.10`, `1e400` is less than `1e999999999`.
    pub(crate) fn compare(&self, other: &Decimal<'_>) -> Ordering {
        match (self.sign, other.sign) {
            (Sign::Zero, Sign::Zero) => Ordering::Equal,
            (Sign::Positive, Sign::Positive) => self.compare_size(other),
            (Sign::Negative, Sign::Negative) => other.compare_size(self),
            (Sign::Negative, Sign::Zero | Sign::Positive) | (Sign::Zero, Sign::Positive) => Ordering::Less,
            (Sign::Positive, Sign::Zero | Sign::Negative) | (Sign::Zero, Sign::Negative) => Ordering::Greater,
        }
    }

    fn compare_size(&self, other: &Decimal<'_>) -> Ordering {
        self.magnitude.cmp(&other.magnitude).then_with(|| compare_digits(self.digits(), other.digits()))
    }

    fn digits(&self) -> Peekable<impl Iterator<Item = u8>> {
        self.whole.bytes().chain(self.fraction.bytes()).skip_while(|digit| *digit == b'0').peekable()
    }
}

fn split_sign(text: &str) -> (bool, &str) {
    if let Some(rest) = text.strip_prefix('-') {
        return (true, rest);
    }
    (false, text.strip_prefix('+').unwrap_or(text))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_exponent(text: &str) -> Option<i128> {
    let (negative, digits) = split_sign(text);
    if digits.is_empty() || !all_digits(digits) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    if digits.len() > EXPONENT_LIMIT_DIGITS {
        return None;
    }
    let size: i128 = digits.parse().ok()?;
    Some(if negative { -size } else { size })
}

/// How many places the first significant digit is left of the point; `None` when every digit is zero.
fn magnitude(whole: &str, fraction: &str) -> Option<i128> {
    let significant = whole.trim_start_matches('0');
    if !significant.is_empty() {
        return i128::try_from(significant.len()).ok();
    }
    let leading_zeros = fraction.bytes().position(|digit| digit != b'0')?;
    i128::try_from(leading_zeros).ok().map(|zeros| -zeros)
}

/// Compares two runs of digits that start at the same magnitude; a missing digit is a zero.
fn compare_digits(
    mut left: Peekable<impl Iterator<Item = u8>>,
    mut right: Peekable<impl Iterator<Item = u8>>,
) -> Ordering {
    while left.peek().is_some() || right.peek().is_some() {
        let order = left.next().unwrap_or(b'0').cmp(&right.next().unwrap_or(b'0'));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::Decimal;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    fn compare(left: &str, right: &str) -> Option<Ordering> {
        Some(Decimal::parse(left)?.compare(&Decimal::parse(right)?))
    }

    #[test]
    fn numbers_compare_by_value_and_not_by_spelling() {
        let rows = [
            ("0.1", "0.10", Ordering::Equal),
            ("1e400", "1e999999999", Ordering::Less),
            ("-1e400", "-1e999999999", Ordering::Greater),
            ("100", "1e2", Ordering::Equal),
            ("0.001", "1e-3", Ordering::Equal),
            ("-0", "0.000e5", Ordering::Equal),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("12.5", "12.50001", Ordering::Less),
            ("+7", "007", Ordering::Equal),
            (".5", "0.5", Ordering::Equal),
            ("1e123456789012345678901234567890", "1e123456789012345678901234567891", Ordering::Less),
        ];
        for (left, right, order) in rows {
            assert_eq!(compare(left, right), Some(order), "{left} against {right}");
            assert_eq!(compare(right, left), Some(order.reverse()), "{right} against {left}");
        }
    }

    #[test]
    fn text_that_is_not_wholly_a_number_is_none() {
        for text in ["", " ", ".", "-", "1,000", "0x10", "1e", "e5", "1e+", "NaN", "Infinity", "5 kg", "--1", "1.2.3"] {
            assert!(Decimal::parse(text).is_none(), "{text:?}");
        }
        assert!(Decimal::parse(&format!("1e1{}", "0".repeat(30))).is_none());
    }

    proptest! {
        #[test]
        fn comparing_agrees_with_whole_numbers_of_the_same_scale(
            left in -1_000_000i64..1_000_000, right in -1_000_000i64..1_000_000, places in 0usize..6, shift in -20i32..20,
        ) {
            let scale = 10i64.pow(u32::try_from(places).unwrap());
            let write = |n: i64| {
                let sign = if n < 0 { "-" } else { "" };
                format!("{sign}{}.{:0places$}e{shift}", n.abs() / scale, n.abs() % scale)
            };
            prop_assert_eq!(compare(&write(left), &write(right)), Some(left.cmp(&right)));
        }

        #[test]
        fn reading_never_panics(text in "\\PC*") {
            let _ = Decimal::parse(&text);
        }
    }
}
