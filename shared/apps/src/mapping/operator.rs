//! The operators: their names, what they take, and which function each is.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Mapping, Reader, Scope, amount, list, logic, object, text, time};

/// An operator with its operands.
#[derive(Debug, Clone)]
pub(super) enum Operator {
    First(Vec<Mapping>),
    If {
        condition: Mapping,
        then: Mapping,
        otherwise: Option<Mapping>,
    },
    And(Vec<Mapping>),
    Or(Vec<Mapping>),
    Not(Mapping),
    Each([Mapping; 2]),
    Where([Mapping; 2]),
    Merge(Vec<Mapping>),
    Table {
        value: Mapping,
        rows: Vec<(String, Mapping)>,
        otherwise: Option<Mapping>,
    },
    Fields {
        list: Mapping,
        name: String,
        values: Vec<String>,
    },
    Numbered {
        object: Mapping,
        prefixes: Vec<(String, String)>,
    },
    Cents {
        amount: Mapping,
        currency: Option<Mapping>,
    },
    /// A function of one value that is there.
    One(fn(&Value) -> Option<Value>, Mapping),
    /// A function of two values that are both there.
    Two(fn(&Value, &Value) -> Option<Value>, [Mapping; 2]),
    /// A question about values of which any may be missing, which counts as `null`.
    Test(fn(&Value, &Value) -> bool, [Mapping; 2]),
}

impl Operator {
    /// Reads the operator `name` and its operand.
    ///
    /// *Errors*: no such operator, or another number or kind of operands.
    pub(super) fn read(name: &str, operand: &Value, reader: Reader<'_>) -> Result<Self, String> {
        let several = || reader.mappings(elements(name, operand)?);
        let two = || exactly::<2>(name, several()?);
        let one = || reader.mapping(operand);
        Ok(match name {
            "$first" => Self::First(several()?),
            "$if" => branch(several()?)?,
            "$and" => Self::And(several()?),
            "$or" => Self::Or(several()?),
            "$not" => Self::Not(one()?),
            "$exists" => Self::Test(logic::is_not_equal, [one()?, reader.mapping(&Value::Null)?]),
            "$eq" => Self::Test(logic::is_equal, two()?),
            "$ne" => Self::Test(logic::is_not_equal, two()?),
            "$in" => Self::Test(logic::is_in, two()?),
            "$contains" => Self::Test(logic::contains, two()?),
            "$startsWith" => Self::Test(logic::starts_with, two()?),
            "$gt" => Self::Test(logic::is_greater, two()?),
            "$lt" => Self::Test(logic::is_less, two()?),
            "$each" => Self::Each(two()?),
            "$where" => Self::Where(two()?),
            "$length" => Self::One(list::length, one()?),
            "$join" => Self::Two(text::join, two()?),
            "$split" => Self::Two(text::split, two()?),
            "$json" => Self::One(text::json, one()?),
            "$base64" => Self::One(text::base64, one()?),
            "$number" => Self::One(text::number, one()?),
            "$text" => Self::One(text::text, one()?),
            "$lower" => Self::One(text::lower, one()?),
            "$upper" => Self::One(text::upper, one()?),
            "$get" => Self::Two(object::get, two()?),
            "$merge" => Self::Merge(several()?),
            "$table" => table(elements(name, operand)?, reader)?,
            "$fields" => fields(elements(name, operand)?, reader)?,
            "$numbered" => numbered(elements(name, operand)?, reader)?,
            "$sum" => Self::One(amount::sum, one()?),
            "$minus" => Self::Two(amount::minus, two()?),
            "$cents" => cents(operand, reader)?,
            "$seconds" => Self::One(time::seconds, one()?),
            "$millis" => Self::One(time::millis, one()?),
            _ => return Err(format!("there is no operator {name}")),
        })
    }

    pub(super) fn value<'s>(&'s self, scope: Scope<'s>) -> Option<Cow<'s, Value>> {
        let owned = match self {
            Self::First(mappings) => return list::first(mappings, scope),
            Self::If { condition, then, otherwise } => {
                return if condition.holds_at(scope) { then.at(scope) } else { otherwise.as_ref()?.at(scope) };
            }
            Self::Table { value, rows, otherwise } => {
                return object::table(value.at(scope).as_deref(), rows, otherwise.as_ref())?.at(scope);
            }
            Self::And(conditions) => Some(Value::Bool(conditions.iter().all(|condition| condition.holds_at(scope)))),
            Self::Or(conditions) => Some(Value::Bool(conditions.iter().any(|condition| condition.holds_at(scope)))),
            Self::Not(condition) => Some(Value::Bool(!condition.holds_at(scope))),
            Self::Each([list, item]) => list::each(&*list.at(scope)?, item, scope.context),
            Self::Where([list, condition]) => list::filter(&*list.at(scope)?, condition, scope.context),
            Self::Merge(mappings) => object::merge(mappings.iter().filter_map(|mapping| mapping.owned(scope))),
            Self::Fields { list, name, values } => object::fields(&*list.at(scope)?, name, values),
            Self::Numbered { object, prefixes } => object::numbered(&*object.at(scope)?, prefixes),
            Self::Cents { amount, currency } => {
                amount::cents(&*amount.at(scope)?, currency.as_ref().and_then(|currency| currency.at(scope)).as_deref())
            }
            Self::One(function, value) => function(&*value.at(scope)?),
            Self::Two(function, [left, right]) => function(&*left.at(scope)?, &*right.at(scope)?),
            Self::Test(function, [left, right]) => {
                let [left, right] = [left, right].map(|mapping| mapping.at(scope).unwrap_or(Cow::Owned(Value::Null)));
                Some(Value::Bool(function(&left, &right)))
            }
        };
        owned.map(Cow::Owned)
    }
}

fn elements<'v>(name: &str, operand: &'v Value) -> Result<&'v [Value], String> {
    operand.as_array().map(Vec::as_slice).ok_or_else(|| format!("{name} takes a list"))
}

fn exactly<const COUNT: usize>(name: &str, mappings: Vec<Mapping>) -> Result<[Mapping; COUNT], String> {
    mappings.try_into().map_err(|given: Vec<_>| format!("{name} takes {COUNT} operands, not {}", given.len()))
}

fn branch(operands: Vec<Mapping>) -> Result<Operator, String> {
    let mut operands = operands.into_iter();
    match (operands.next(), operands.next(), operands.next(), operands.next()) {
        (Some(condition), Some(then), otherwise, None) => Ok(Operator::If { condition, then, otherwise }),
        _ => Err("$if takes a condition, what then and, if wanted, what else".to_owned()),
    }
}

fn table(operands: &[Value], reader: Reader<'_>) -> Result<Operator, String> {
    let (value, rows, otherwise) = match operands {
        [value, Value::Object(rows)] => (value, rows, None),
        [value, Value::Object(rows), otherwise] => (value, rows, Some(otherwise)),
        _ => return Err("$table takes a value, an object and, if wanted, what else it is".to_owned()),
    };
    let row = |(from, to): (&String, &Value)| Ok((from.clone(), reader.mapping(to)?));
    Ok(Operator::Table {
        value: reader.mapping(value)?,
        rows: rows.iter().map(row).collect::<Result<_, String>>()?,
        otherwise: otherwise.map(|json| reader.mapping(json)).transpose()?,
    })
}

fn fields(operands: &[Value], reader: Reader<'_>) -> Result<Operator, String> {
    let problem = || "$fields takes a list, the key of the name and the key or keys of the value".to_owned();
    let [list, Value::String(name), values] = operands else { return Err(problem()) };
    let values = match values {
        Value::String(key) => vec![key.clone()],
        Value::Array(keys) => {
            keys.iter().map(|key| key.as_str().map(str::to_owned)).collect::<Option<_>>().ok_or_else(problem)?
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return Err(problem()),
    };
    Ok(Operator::Fields { list: reader.mapping(list)?, name: name.clone(), values })
}

fn numbered(operands: &[Value], reader: Reader<'_>) -> Result<Operator, String> {
    let problem = || "$numbered takes an object and, for each member, the prefix of its numbered keys".to_owned();
    let [object, Value::Object(prefixes)] = operands else { return Err(problem()) };
    Ok(Operator::Numbered { object: reader.mapping(object)?, prefixes: texts(prefixes).ok_or_else(problem)? })
}

fn texts(object: &Map<String, Value>) -> Option<Vec<(String, String)>> {
    object.iter().map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn cents(operand: &Value, reader: Reader<'_>) -> Result<Operator, String> {
    let (amount, currency) = match operand {
        Value::Array(operands) => match operands.as_slice() {
            [amount, currency] => (amount, Some(currency)),
            _ => return Err("$cents takes an amount, or an amount and a currency".to_owned()),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => (operand, None),
    };
    Ok(Operator::Cents {
        amount: reader.mapping(amount)?,
        currency: currency.map(|json| reader.mapping(json)).transpose()?,
    })
}
