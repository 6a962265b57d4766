//! Renders a compiled template under limits: of text made and of elements rendered.
//!
//! The crate's own `each` is replaced by one that pays for every turn, because a loop that writes nothing would
//! otherwise never meet a limit. Not bounded is the cost of a single element: `eq` on two large values compares them.

use std::io;
use std::sync::LazyLock;

use handlebars::template::TemplateElement;
use handlebars::{
    BlockContext, BlockParams, Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext,
    RenderError, RenderErrorReason, Renderable, ScopedJson, Template,
};
use serde_json::Value;

use super::{TEMPLATE_LIMIT_BYTES, TEMPLATE_LIMIT_OPERATIONS};
use crate::cast::to_text;
use crate::expression::Fault;
use crate::path::Path;

/// The helpers every template may use; nothing is ever added to it.
static HELPERS: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut helpers = Handlebars::new();
    helpers.unregister_helper("log");
    helpers.unregister_helper("raw");
    helpers.register_helper("each", Box::new(Each));
    helpers.register_helper("text-of", Box::new(TextOf));
    helpers.register_helper("value-of", Box::new(ValueOf));
    helpers
});

/// Renders with the slots' values.
///
/// *Errors* — [`Fault`] when a limit is passed or a helper refuses its arguments.
pub(super) fn render(template: &Template, slots: Value) -> Result<String, Fault> {
    let context = Context::from(slots);
    let mut metered = Metered::default();
    let outcome = template.render(&HELPERS, &context, &mut RenderContext::new(None), &mut metered);
    match (outcome, metered.fault) {
        (_, Some(fault)) => Err(fault),
        (Err(error), None) => Err(Fault::TemplateFailed(error.reason().to_string())),
        (Ok(()), None) => Ok(metered.text),
    }
}

/// Collects the text; writing nothing at all is how a helper pays for one operation.
#[derive(Debug, Default)]
struct Metered {
    text: String,
    operations: u64,
    fault: Option<Fault>,
}

impl Output for Metered {
    fn write(&mut self, segment: &str) -> io::Result<()> {
        self.operations += 1;
        if self.operations > TEMPLATE_LIMIT_OPERATIONS {
            self.fault = Some(Fault::TemplateTooLong);
        } else if self.text.len() + segment.len() > TEMPLATE_LIMIT_BYTES {
            self.fault = Some(Fault::TemplateTooLarge);
        }
        if self.fault.is_some() {
            return Err(io::Error::other("a limit of the template was passed"));
        }
        self.text.push_str(segment);
        Ok(())
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
struct ValueOf;

impl HelperDef for ValueOf {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let path = helper.param(1).and_then(|path| path.value().as_str()).and_then(|path| Path::parse(path).ok());
        let found = path.zip(helper.param(0)).and_then(|(path, item)| path.find_below(item.value()).cloned());
        Ok(found.map_or(ScopedJson::Missing, ScopedJson::Derived))
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
