//! What bounds an expression, as it is written and as it is worked out.

/// How deep params may nest, and conditions inside conditions.
///
/// *Why* — arrivals are held to the same depth, and no walk over a document can then exhaust the stack.
pub const NESTING_LIMIT_LEVELS: usize = 64;

/// The most operations of one evaluation: elements rendered, each turn of a loop counting all elements of its body,
/// and calls of functions, each 64 bytes they read or make counting as one more.
pub const EVALUATION_LIMIT_OPERATIONS: u64 = 250_000;

/// How many bytes the params of a step may come to as compact JSON, and any other value put together: 1 MiB.
///
/// *Why* — a list may name the same large value thousands of times.
pub const INPUT_LIMIT_BYTES: usize = 1_048_576;

/// How many lists and objects may stand inside each other in it, the params themselves counted.
///
/// *Why* — journals are read with `serde_json`, which ends at 127, and a value stands inside of an entry there.
pub const INPUT_LIMIT_LEVELS: usize = 100;

/// The most text one template may make: 1 MiB.
pub const TEMPLATE_LIMIT_BYTES: usize = 1 << 20;

/// The most bytes of compact JSON that the paths of one template with blocks may lead to, each path counted: 4 MiB.
///
/// *Why* — these values are copied for the `handlebars` crate.
pub const TEMPLATE_LIMIT_READ_BYTES: usize = 4 << 20;
