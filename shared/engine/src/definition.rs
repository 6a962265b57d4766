//! A workflow document that passed every check, with everything in it parsed that a run will need.
//!
//! A definition can only be made by [`Definition::parse`], so having one is the proof that every target exists and
//! every expression compiles. It keeps the document as written, value for value, keys it does not know included.

mod promise;
mod reads;

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition::Condition;
use crate::control::FlowControl;
use crate::document;
use crate::expression::{Expression, Use};
use crate::problem::{Place, Problem};

pub use reads::Reads;

/// The id of a trigger that has none written, and what every reference to the trigger says: `/#steps.1`.
pub(crate) const TRIGGER_ID: &str = "1";

/// A checked workflow document.
#[derive(Debug, Clone)]
pub struct Definition {
    pub(crate) document: Value,
    pub(crate) name: String,
    pub(crate) replaces: Option<String>,
    pub(crate) is_enabled: bool,
    pub(crate) control: Option<FlowControl>,
    pub(crate) trigger: Trigger,
    pub(crate) steps: Vec<Step>,
    /// The place of each step in `steps` by its id.
    pub(crate) places: HashMap<String, usize>,
    /// What its expressions read beside the run's own data.
    pub(crate) needs: Needs,
}

/// What expressions read beside the run's own data, so that nothing has to be fetched that nobody reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The workflow's variables.
    pub variables: bool,
    /// Business schedules.
    pub schedules: bool,
    /// Settings of apps.
    pub app_settings: bool,
    /// The org's time zone.
    pub time_zone: bool,
    /// What links to answers are signed with.
    pub answer_links: bool,
}

impl Needs {
    pub(crate) fn of(trigger: &Trigger, steps: &[Step], control: Option<&FlowControl>) -> Needs {
        let mut needs = Needs::default();
        let mut see = |used: Use<'_>, _: &Place<'_>| match used {
            Use::Path(path) => needs.variables |= path.root() == "variables",
            Use::Function("inBusinessHours") => (needs.schedules, needs.time_zone) = (true, true),
            Use::Function("getAppSetting") => needs.app_settings = true,
            Use::Function("date" | "dateFormat" | "dateDiff") => needs.time_zone = true,
            Use::Function("answerLink") => needs.answer_links = true,
            // What it calls is named in a text that may come from data.
            Use::Function("transform") => (needs.app_settings, needs.time_zone) = (true, true),
            Use::Function(_) => {}
        };
        for transition in trigger.transitions.iter().chain(steps.iter().flat_map(|step| &step.transitions)) {
            transition.condition.for_each_use(&Place::ROOT, &mut see);
        }
        control.iter().for_each(|control| control.for_each_use(&mut see));
        for step in steps {
            step.params.iter().for_each(|params| params.for_each_use(&Place::ROOT, &mut see));
            step.error_cases.iter().for_each(|case| case.condition.for_each_use(&Place::ROOT, &mut see));
        }
        needs
    }
}

/// What starts a run.
#[derive(Debug, Clone)]
pub struct Trigger {
    pub(crate) id: String,
    pub(crate) event_name: String,
    pub(crate) kind: TriggerKind,
    pub(crate) transitions: Vec<Transition>,
}

/// How a workflow is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerKind {
    /// By every event of its name.
    Event,
    /// By a call, from a schedule or another workflow.
    Callable,
}

/// A step: an action with its params, or only conditions.
#[derive(Debug, Clone)]
pub struct Step {
    pub(crate) id: String,
    pub(crate) action: Option<String>,
    pub(crate) params: Option<Expression>,
    /// The places of the steps that its branches begin at.
    pub(crate) starts: Vec<usize>,
    /// The event that it waits for.
    pub(crate) awaits: Option<String>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) error_cases: Vec<ErrorCase>,
}

/// The way to another step, open while its condition holds.
#[derive(Debug, Clone)]
pub struct Transition {
    pub(crate) target: String,
    /// The target's place in [`Definition::steps`].
    pub(crate) place: usize,
    pub(crate) condition: Condition,
}

/// What to do when a step fails and the condition holds.
#[derive(Debug, Clone)]
pub(crate) struct ErrorCase {
    pub(crate) condition: Condition,
    pub(crate) action: ErrorAction,
}

/// The answer to a failed step, as documents write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorAction {
    /// `continue`: follow the step's transitions as if it had succeeded without output.
    Continue,
    /// `stop-processing`: end the run without an error.
    StopProcessing,
    /// `retry-action`: perform the step again, three attempts in all.
    RetryAction,
    /// `retry-workflow`: begin again after the trigger, three times in all.
    RetryWorkflow,
}

impl ErrorAction {
    /// Every answer, with how it is written.
    pub(crate) const ALL: [(&'static str, ErrorAction); 4] = [
        ("continue", ErrorAction::Continue),
        ("stop-processing", ErrorAction::StopProcessing),
        ("retry-action", ErrorAction::RetryAction),
        ("retry-workflow", ErrorAction::RetryWorkflow),
    ];
}

impl Definition {
    /// Parses everything in a document that a run needs. Whether it is a sensible workflow is a matter of
    /// [`crate::check`], and is only asked before it is saved.
    ///
    /// *Errors* — every [`Problem`] of the document, in the order of its parts.
    ///
    /// *Source* — `docs/workflow-format.md` describes the format.
    pub fn parse(document: &Value) -> Result<Definition, Vec<Problem>> {
        document::read(document).into_definition()
    }

    /// The workflow's name, unique in its org.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name or id of the workflow that starts no runs where this one does.
    pub fn replaces(&self) -> Option<&str> {
        self.replaces.as_deref()
    }

    /// What its expressions read beside the run's own data.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Whether the author wrote the keys of the step's param `name`, and not some data that a reference leads to.
    ///
    /// True for a param that is not there.
    pub fn writes_keys_of(&self, step: &str, name: &str) -> bool {
        let step = self.places.get(step).and_then(|place| self.steps.get(*place));
        let params = step.and_then(|step| step.params.as_ref());
        params.is_none_or(|params| params.has_written_keys(name))
    }

    /// Whether events start runs of it; true when the document does not say.
    pub fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// What its steps do, step by step.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| step.action.as_deref())
    }

    /// The names of the events that its steps wait for, each once.
    pub fn awaited_events(&self) -> BTreeSet<&str> {
        self.steps.iter().filter_map(|step| step.awaits.as_deref()).collect()
    }

    /// The app and range of versions that the step names for its action.
    pub fn app_version(&self, step: &str) -> Option<&str> {
        let steps = self.document.get("steps")?.as_array()?;
        steps.get(*self.places.get(step)?)?.get("appVersion")?.as_str()
    }

    /// The event that starts it; empty for a callable workflow that names none.
    pub fn event_name(&self) -> &str {
        &self.trigger.event_name
    }

    /// The document, value for value as it was imported.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The trigger.
    pub fn trigger(&self) -> &Trigger {
        &self.trigger
    }

    /// The steps, in the order of the document, which has no meaning.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step of that id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.places.get(id).and_then(|place| self.steps.get(*place))
    }
}

impl Trigger {
    /// The id under which expressions find its output, `"1"` unless the document says otherwise.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How runs are started.
    pub fn kind(&self) -> TriggerKind {
        self.kind
    }

    /// Where a run goes first.
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }
}

impl Step {
    /// The id under which expressions find its output.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The action's name; `None` for a step that only holds conditions.
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// Where a run goes from here; the first whose condition holds.
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }
}

impl Transition {
    /// The id of the step it leads to.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// What must hold for it to be taken.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }
}
