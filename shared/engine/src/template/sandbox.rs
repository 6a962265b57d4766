//! Renders a compiled template within the limits of its evaluation.
//!
//! The crate brings the blocks and their scopes; what a value is, what is truthy, and every function are ours. Its own
//! `each` is replaced by one that pays for every turn, because a loop that writes nothing would otherwise never meet a
//! limit; and every copy the crate makes is paid for, because a turn may copy as much as it likes.

use std::borrow::Cow;
use std::io;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use handlebars::template::TemplateElement;
use handlebars::{
    BlockContext, BlockParams, Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson,
    RenderContext, RenderError, RenderErrorReason, Renderable, ScopedJson, Template,
};
use serde_json::{Map, Value};

use crate::allowance::weight;
use crate::cast::{is_truthy, to_text};
use crate::evaluation::Evaluation;
use crate::fault::Fault;
use crate::function::{self, Argument};
use crate::limits::TEMPLATE_LIMIT_BYTES;
use crate::path::Path;

/// The helpers every template may use; nothing is ever added to it.
static HELPERS: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut helpers = Handlebars::new();
    helpers.unregister_helper("log");
    helpers.unregister_helper("raw");
    helpers
});

/// Renders with the slots' values.
///
/// *Errors* — [`Fault`] when a limit is passed.
pub(super) fn render(template: &Template, slots: Value, evaluation: &Evaluation<'_>) -> Result<String, Fault> {
    let context = Context::from(slots);
    let meter = Meter { evaluation, fault: Mutex::new(None) };
    let mut metered = Metered { text: String::new(), meter: &meter };
    let mut state = RenderContext::new(None);
    state.register_local_helper("each", Box::new(Each(&meter)));
    state.register_local_helper("with", Box::new(With(&meter)));
    state.register_local_helper("truthy", Box::new(Truthy(&meter)));
    state.register_local_helper("text-of", Box::new(TextOf(&meter)));
    state.register_local_helper("call", Box::new(CallFunction(&meter)));
    state.register_local_helper("value-of", Box::new(ValueOf(&meter)));
    let outcome = template.render(&HELPERS, &context, &mut state, &mut metered);
    let text = metered.text;
    // It borrows the meter.
    drop(state);
    match (outcome, meter.fault().take()) {
        (_, Some(fault)) => Err(fault),
        (Err(error), None) => Err(Fault::TemplateFailed(error.reason().to_string())),
        (Ok(()), None) => Ok(text),
    }
}

/// What pays for the rendering, and why it ended if it did. The crate's errors cannot carry a fault.
struct Meter<'e, 'a> {
    evaluation: &'e Evaluation<'a>,
    fault: Mutex<Option<Fault>>,
}

impl Meter<'_, '_> {
    fn fault(&self) -> MutexGuard<'_, Option<Fault>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pays for a copy of the value, or for its text.
    fn pay_for(&self, value: &Value) -> Result<(), RenderError> {
        let paid = self.evaluation.pay_for_bytes(weight(value));
        paid.map_err(|fault| RenderErrorReason::from(self.end(fault)).into())
    }

    /// Pays for the copy that the crate made of what does not lie in the slots.
    fn pay_for_copy(&self, given: Option<&PathAndJson<'_>>) -> Result<(), RenderError> {
        match given {
            Some(given) if given.context_path().is_none() => self.pay_for(given.value()),
            Some(_) | None => Ok(()),
        }
    }

    fn end(&self, fault: Fault) -> io::Error {
        *self.fault() = Some(fault);
        io::Error::other("a limit of the template was passed")
    }
}

/// Collects the text; writing nothing at all is how a helper pays for one operation.
struct Metered<'m, 'e, 'a> {
    text: String,
    meter: &'m Meter<'e, 'a>,
}

impl Output for Metered<'_, '_, '_> {
    fn write(&mut self, segment: &str) -> io::Result<()> {
        self.meter.evaluation.pay(1).map_err(|fault| self.meter.end(fault))?;
        if self.text.len() + segment.len() > TEMPLATE_LIMIT_BYTES {
            return Err(self.meter.end(Fault::TemplateTooLarge));
        }
        self.text.push_str(segment);
        Ok(())
    }
}

/// `call "toLower" value`: what the function gives, with its type.
struct CallFunction<'m, 'e, 'a>(&'m Meter<'e, 'a>);

impl HelperDef for CallFunction<'_, '_, '_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let name = helper.param(0).and_then(|name| name.value().as_str()).unwrap_or_default();
        // The name was looked up when the template was compiled.
        let Some(function) = function::find(name) else { return Ok(ScopedJson::Missing) };
        let mut given: Vec<Argument<'_>> = helper.params().iter().skip(1).map(argument).collect();
        for (name, value) in helper.hash() {
            let Some(place) = function.place_of(name) else { continue };
            if given.len() <= place {
                given.resize(place + 1, Argument::Absent);
            }
            if let Some(at) = given.get_mut(place) {
                *at = argument(value);
            }
        }
        match function.call(&given, self.0.evaluation) {
            Ok(result) => Ok(result.map_or(ScopedJson::Missing, ScopedJson::Derived)),
            Err(fault) => Err(RenderErrorReason::from(self.0.end(fault)).into()),
        }
    }
}

fn argument<'v>(value: &'v PathAndJson<'_>) -> Argument<'v> {
    if value.is_value_missing() { Argument::Missing } else { Argument::Value(Cow::Borrowed(value.value())) }
}

/// `truthy value includeZero=true`: what decides an `if`, as Handlebars has it: an empty list is falsy, an empty object is not.
struct Truthy<'m, 'e, 'a>(&'m Meter<'e, 'a>);

impl HelperDef for Truthy<'_, '_, '_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        self.0.pay_for_copy(helper.param(0))?;
        let value = helper.param(0).map(PathAndJson::value);
        let includes_zero = helper.hash_get("includeZero").is_some_and(|flag| is_truthy(Some(flag.value())));
        let truth = match value {
            Some(Value::Array(elements)) => !elements.is_empty(),
            Some(Value::Number(_)) if includes_zero => true,
            other => is_truthy(other),
        };
        Ok(ScopedJson::Derived(Value::Bool(truth)))
    }
}

/// `text-of value`: the value's text; escaped by the crate when the tag has two braces.
struct TextOf<'m, 'e, 'a>(&'m Meter<'e, 'a>);

impl HelperDef for TextOf<'_, '_, '_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let Some(value) = helper.param(0).map(PathAndJson::value) else { return Ok(ScopedJson::Missing) };
        self.0.pay_for(value)?;
        Ok(ScopedJson::Derived(Value::String(to_text(value).into_owned())))
    }
}

/// `value-of item "path"`: what is at the path below the item, or nothing.
struct ValueOf<'m, 'e, 'a>(&'m Meter<'e, 'a>);

impl HelperDef for ValueOf<'_, '_, '_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        self.0.pay_for_copy(helper.param(0))?;
        let path = helper.param(1).and_then(|path| path.value().as_str()).and_then(|path| Path::parse(path).ok());
        let Some((path, item)) = path.zip(helper.param(0)) else { return Ok(ScopedJson::Missing) };
        let Some(found) = path.find_below(item.value()) else {
            let why = || self.0.evaluation.setup().mask_text(&path.explain_missing_below(item.value()));
            self.0.evaluation.tell_missing(|| format!("`{}` is missing: {}", path.text(), why()));
            return Ok(ScopedJson::Missing);
        };
        self.0.pay_for(found)?;
        Ok(ScopedJson::Derived(found.clone()))
    }
}

/// `#with value`: its body with the value as the item; the `else` part where there is none. As Handlebars has it, `0` and
/// an empty object are values, and the crate's own says that they are not.
struct With<'m, 'e, 'a>(&'m Meter<'e, 'a>);

impl HelperDef for With<'_, '_, '_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        helpers: &'reg Handlebars<'reg>,
        context: &'rc Context,
        state: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let item = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("with", 0))?;
        let is_there = match item.value() {
            Value::Object(_) | Value::Number(_) => true,
            Value::Array(elements) => !elements.is_empty(),
            other @ (Value::Null | Value::Bool(_) | Value::String(_)) => is_truthy(Some(other)),
        };
        if !is_there {
            return helper.inverse().map_or(Ok(()), |body| body.render(helpers, context, state, out));
        }
        let Some(body) = helper.template() else { return Ok(()) };
        let mut block = BlockContext::new();
        let mut names = BlockParams::new();
        match item.context_path() {
            Some(path) => {
                *block.base_path_mut() = path.clone();
                if let Some(name) = helper.block_param() {
                    names.add_path(name, Vec::new())?;
                }
            }
            None => {
                self.0.pay_for(item.value())?;
                block.set_base_value(item.value().clone());
                if let Some(name) = helper.block_param() {
                    names.add_value(name, item.value().clone())?;
                }
            }
        }
        block.set_block_params(names);
        state.push_block(block);
        body.render(helpers, context, state, out)?;
        state.pop_block();
        Ok(())
    }
}

/// `#each list`: once per element or key, with `@index`, `@key`, `@first`, `@last`; the `else` part when there is none.
struct Each<'m, 'e, 'a>(&'m Meter<'e, 'a>);

impl HelperDef for Each<'_, '_, '_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        helpers: &'reg Handlebars<'reg>,
        context: &'rc Context,
        state: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let list = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("each", 0))?;
        self.0.pay_for_copy(Some(list))?;
        let length = list.value().as_array().map(Vec::len).or(list.value().as_object().map(Map::len)).unwrap_or(0);
        let chosen = if length == 0 { helper.inverse() } else { helper.template() };
        let Some(body) = chosen else {
            return Ok(());
        };
        if length == 0 {
            return body.render(helpers, context, state, out);
        }

        let operations = 1 + count(Some(body));
        state.push_block(BlockContext::new());
        for (index, (key, item)) in items(list.value()).enumerate() {
            for _ in 0..operations {
                out.write("")?;
            }
            if list.context_path().is_none() {
                self.0.pay_for(item)?;
            }
            if let Some(block) = state.block_mut() {
                let turn = Turn { index, key: &key, item, is_last: index + 1 == length };
                turn.enter(block, helper, list.context_path())?;
            }
            body.render(helpers, context, state, out)?;
        }
        state.pop_block();
        Ok(())
    }
}

/// One turn of a loop.
struct Turn<'t> {
    index: usize,
    key: &'t Value,
    item: &'t Value,
    is_last: bool,
}

impl Turn<'_> {
    fn enter<'rc>(
        &self,
        block: &mut BlockContext<'rc>,
        helper: &Helper<'rc>,
        list_path: Option<&Vec<String>>,
    ) -> HelperResult {
        block.set_local_var("first", Value::Bool(self.index == 0));
        block.set_local_var("last", Value::Bool(self.is_last));
        block.set_local_var("index", Value::from(self.index));
        block.set_local_var("key", self.key.clone());
        match list_path {
            Some(path) => {
                let mut path = path.clone();
                path.push(to_text(self.key).into_owned());
                *block.base_path_mut() = path;
            }
            None => block.set_base_value(self.item.clone()),
        }
        block.set_block_params(self.names(helper, list_path)?);
        Ok(())
    }

    fn names<'rc>(
        &self,
        helper: &Helper<'rc>,
        list_path: Option<&Vec<String>>,
    ) -> Result<BlockParams<'rc>, RenderError> {
        let mut names = BlockParams::new();
        let pair = helper.block_param_pair();
        if let Some(item_name) = helper.block_param().or(pair.map(|(item_name, _)| item_name)) {
            match list_path {
                Some(_) => names.add_path(item_name, Vec::new())?,
                None => names.add_value(item_name, self.item.clone())?,
            }
        }
        if let Some((_, key_name)) = pair {
            names.add_value(key_name, self.key.clone())?;
        }
        Ok(names)
    }
}

/// One after the other: a list of 10^6 is not made into another one before its first turn is paid.
fn items(list: &Value) -> Box<dyn Iterator<Item = (Value, &Value)> + '_> {
    match list {
        Value::Array(elements) => Box::new(elements.iter().enumerate().map(|(index, item)| (Value::from(index), item))),
        Value::Object(object) => Box::new(object.iter().map(|(key, item)| (Value::String(key.clone()), item))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Box::new(std::iter::empty()),
    }
}

/// How many elements a template has at every depth.
fn count(template: Option<&Template>) -> u64 {
    let elements = template.map(|template| template.elements.as_slice()).unwrap_or_default();
    elements.iter().map(count_element).sum()
}

fn count_element(element: &TemplateElement) -> u64 {
    if let TemplateElement::HelperBlock(block) = element {
        return 1 + count(block.template.as_ref()) + count(block.inverse.as_ref());
    }
    1
}
