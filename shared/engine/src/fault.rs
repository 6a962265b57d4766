//! Why an expression could not be worked out: a limit, or a link without an address, because what is missing or of another type is only missing.

use crate::allowance::Exceeded;
use crate::limits::{
    EVALUATION_LIMIT_OPERATIONS, INPUT_LIMIT_BYTES, INPUT_LIMIT_LEVELS, TEMPLATE_LIMIT_BYTES, TEMPLATE_LIMIT_READ_BYTES,
};

/// An expression could not be worked out. The step it belongs to fails with this code and sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A value put together is over [`INPUT_LIMIT_BYTES`].
    #[error("The params came to more than {INPUT_LIMIT_BYTES} bytes of JSON; pass on less, such as single fields.")]
    InputTooLarge,
    /// A value put together nests deeper than [`INPUT_LIMIT_LEVELS`].
    #[error("The params nested more than {INPUT_LIMIT_LEVELS} levels deep; pass on an inner value, not the whole.")]
    InputTooDeep,
    /// The text a template makes is over [`TEMPLATE_LIMIT_BYTES`].
    #[error("A template made more than {TEMPLATE_LIMIT_BYTES} bytes of text; make it shorter.")]
    TemplateTooLarge,
    /// All expressions together do more work than [`EVALUATION_LIMIT_OPERATIONS`].
    #[error(
        "The expressions took more than {EVALUATION_LIMIT_OPERATIONS} operations; loop over fewer items, or search and compare less."
    )]
    TooManyOperations,
    /// The values a template with blocks names are over [`TEMPLATE_LIMIT_READ_BYTES`].
    #[error("A template reads more than {TEMPLATE_LIMIT_READ_BYTES} bytes of values; name smaller ones.")]
    TemplateReadsTooMuch,
    /// A link is wanted, and nobody has said where its reader would go.
    #[error("There is no public address for a link that answers: set PublicUrl, which docs/flow.md tells how to.")]
    NoPublicAddress,
    /// A template compiled but cannot be rendered with this data.
    #[error("A template could not be rendered: {0}.")]
    TemplateFailed(String),
    /// An expression that was never checked is not well formed.
    #[error("{0}")]
    Malformed(String),
}

impl Fault {
    /// The stable name of the fault, as it appears in a run's error.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::InputTooLarge => "input_too_large",
            Fault::InputTooDeep => "input_too_deep",
            Fault::TemplateTooLarge => "template_too_large",
            Fault::TooManyOperations => "too_many_operations",
            Fault::TemplateReadsTooMuch => "template_reads_too_much",
            Fault::NoPublicAddress => "no_public_address",
            Fault::TemplateFailed(_) => "template_failed",
            Fault::Malformed(_) => "malformed_expression",
        }
    }
}

impl From<Exceeded> for Fault {
    fn from(exceeded: Exceeded) -> Fault {
        match exceeded {
            Exceeded::Bytes => Fault::InputTooLarge,
            Exceeded::Levels => Fault::InputTooDeep,
        }
    }
}
