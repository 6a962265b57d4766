//! Comparisons for templates, `{{#if (eq steps.1.status "open")}}`; they judge as the conditions of the same names do.

use serde_json::{Value, json};

use super::{Arguments, Function, either, path, repeated};
use crate::cast::is_truthy;
use crate::fault::Fault;
use crate::operator::Operator;

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "eq", aliases: &[], parameters: PAIR, body: |arguments| judged(arguments, Operator::Eq) },
    Function { name: "neq", aliases: &["ne"], parameters: PAIR, body: |arguments| judged(arguments, Operator::Neq) },
    Function { name: "gt", aliases: &[], parameters: PAIR, body: |arguments| judged(arguments, Operator::Gt) },
    Function { name: "gte", aliases: &[], parameters: PAIR, body: |arguments| judged(arguments, Operator::Gte) },
    Function { name: "lt", aliases: &[], parameters: PAIR, body: |arguments| judged(arguments, Operator::Lt) },
    Function { name: "lte", aliases: &[], parameters: PAIR, body: |arguments| judged(arguments, Operator::Lte) },
    Function {
        name: "contains",
        aliases: &["includes"],
        parameters: PAIR,
        body: |arguments| judged(arguments, Operator::Contains),
    },
    Function { name: "and", aliases: &[], parameters: &[either("value"), repeated(either("value"))], body: and },
    Function { name: "or", aliases: &[], parameters: &[either("value"), repeated(either("value"))], body: or },
    Function { name: "not", aliases: &[], parameters: &[path("value")], body: not },
];

const PAIR: &[super::Parameter] = &[path("left"), either("right")];

type Gives = Result<Option<Value>, Fault>;

fn judged(arguments: &Arguments<'_, '_>, operator: Operator) -> Gives {
    let values = [arguments.value(0), arguments.value(1)];
    arguments.evaluation.pay_for_bytes(operator.work(&values))?;
    Ok(Some(json!(operator.judge(&values))))
}

fn and(arguments: &Arguments<'_, '_>) -> Gives {
    Ok(Some(json!(arguments.all_from(0).all(is_truthy))))
}

fn or(arguments: &Arguments<'_, '_>) -> Gives {
    Ok(Some(json!(arguments.all_from(0).any(is_truthy))))
}

fn not(arguments: &Arguments<'_, '_>) -> Gives {
    Ok(Some(json!(!is_truthy(arguments.value(0)))))
}
