//! Renders a compiled template within the limits of its evaluation.
//!
//! The crate brings the blocks and their scopes; what a value is, what is truthy, and every function are ours. Its own
//! `each` is replaced by one that pays for every turn, because a loop that writes nothing would otherwise never meet a
//! limit.

use std::borrow::Cow;
use std::io;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use handlebars::template::TemplateElement;
use handlebars::{
    BlockContext, BlockParams, Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson,
    RenderContext, RenderError, RenderErrorReason, Renderable, ScopedJson, Template,
};
use serde_json::Value;

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
    helpers.register_helper("each", Box::new(Each));
    helpers.register_helper("text-of", Box::new(TextOf));
    helpers.register_helper("truthy", Box::new(Truthy));
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
struct Truthy;

impl HelperDef for Truthy {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
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
struct TextOf;

impl HelperDef for TextOf {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let text = helper.param(0).map(|value| to_text(value.value()).into_owned()).unwrap_or_default();
        Ok(ScopedJson::Derived(Value::String(text)))
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
        let path = helper.param(1).and_then(|path| path.value().as_str()).and_then(|path| Path::parse(path).ok());
        let Some((path, item)) = path.zip(helper.param(0)) else { return Ok(ScopedJson::Missing) };
        let found = path.find_below(item.value());
        if found.is_none() {
            let why = || path.explain_missing_below(item.value());
            self.0.evaluation.tell(|| format!("`{}` is missing: {}", path.text(), why()));
        }
        Ok(found.cloned().map_or(ScopedJson::Missing, ScopedJson::Derived))
    }
}

/// `#each list`: once per element or key, with `@index`, `@key`, `@first`, `@last`; the `else` part when there is none.
struct Each;

impl HelperDef for Each {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        helpers: &'reg Handlebars<'reg>,
        context: &'rc Context,
        state: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let list = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("each", 0))?;
        let items = items(list.value());
        let chosen = if items.is_empty() { helper.inverse() } else { helper.template() };
        let Some(body) = chosen else {
            return Ok(());
        };
        if items.is_empty() {
            return body.render(helpers, context, state, out);
        }

        let operations = 1 + count(Some(body));
        state.push_block(BlockContext::new());
        for (index, (key, item)) in items.iter().enumerate() {
            for _ in 0..operations {
                out.write("")?;
            }
            if let Some(block) = state.block_mut() {
                let turn = Turn { index, key, item, is_last: index + 1 == items.len() };
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

fn items(list: &Value) -> Vec<(Value, &Value)> {
    match list {
        Value::Array(elements) => elements.iter().enumerate().map(|(index, item)| (Value::from(index), item)).collect(),
        Value::Object(object) => object.iter().map(|(key, item)| (Value::String(key.clone()), item)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
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
