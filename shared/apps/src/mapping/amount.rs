//! Amounts of money, exactly. A currency has as many decimals as its provider counts in, which is Stripe's list.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Most decimals an amount has; numbers with more are no amounts.
const SCALE_LIMIT_DIGITS: u32 = 12;

/// Currencies without a smaller unit. *Source*: <https://docs.stripe.com/currencies#zero-decimal>.
const ZERO_DECIMAL: [&str; 15] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];

/// Currencies of a thousand smaller units. *Source*: <https://docs.stripe.com/currencies#three-decimal>.
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// `units` divided by ten to the power of `scale`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amount {
    units: i128,
    scale: u32,
}

impl Amount {
    /// Reads `-12.50`; an exponent, too many decimals or more than some 38 digits give `None`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= SCALE_LIMIT_DIGITS)?;
        if whole.is_empty() || fraction.starts_with(['+', '-']) {
            return None;
        }
        Some(Self { units: format!("{whole}{fraction}").parse().ok()?, scale })
    }

    /// Which is more; `None` where that is too large to tell.
    pub(super) fn compared(self, other: Self) -> Option<Ordering> {
        let scale = self.scale.max(other.scale);
        Some(self.units_at(scale)?.cmp(&other.units_at(scale)?))
    }

    fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Some(Self { units: self.units_at(scale)?.checked_add(other.units_at(scale)?)?, scale })
    }

    /// `scale` is not less than its own.
    fn units_at(self, scale: u32) -> Option<i128> {
        self.units.checked_mul(10_i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    fn number(self) -> Option<Value> {
        let sign = if self.units < 0 { "-" } else { "" };
        let base = 10_u128.checked_pow(self.scale)?;
        let (whole, rest) = (self.units.unsigned_abs() / base, self.units.unsigned_abs() % base);
        let width = usize::try_from(self.scale).ok()?;
        let text = if width == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:0width$}") };
        Some(Value::Number(Number::from_string_unchecked(text)))
    }
}

/// `$cents`: minor units as major ones, `1099` as `10.99`; in a currency without minor units as they are.
pub(super) fn cents(amount: &Value, currency: Option<&Value>) -> Option<Value> {
    let Value::Number(number) = amount else { return None };
    let minor = Amount::parse(number.as_str()).filter(|amount| amount.scale == 0)?;
    Amount { units: minor.units, scale: decimals(currency.and_then(Value::as_str)) }.number()
}

fn decimals(currency: Option<&str>) -> u32 {
    let is_one_of =
        |list: &[&str]| currency.is_some_and(|code| list.iter().any(|other| code.eq_ignore_ascii_case(other)));
    if is_one_of(&ZERO_DECIMAL) {
        0
    } else if is_one_of(&THREE_DECIMAL) {
        3
    } else {
        2
    }
}

/// `$sum`: the numbers of a list, or texts that are numbers, added up; missing where one is neither, or where there are none.
pub(super) fn sum(list: &Value) -> Option<Value> {
    let mut amounts = list.as_array()?.iter().map(amount);
    let first = amounts.next()??;
    amounts.try_fold(first, |total, amount| total.plus(amount?))?.number()
}

/// `$minus`: the first number, or text that is a number, less the second.
pub(super) fn minus(from: &Value, less: &Value) -> Option<Value> {
    let less = amount(less)?;
    amount(from)?.plus(Amount { units: less.units.checked_neg()?, scale: less.scale })?.number()
}

fn amount(value: &Value) -> Option<Amount> {
    match value {
        Value::Number(number) => Amount::parse(number.as_str()),
        Value::String(text) => Amount::parse(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
