//! Links: the address at which a step of the run is answered.

use serde_json::{Value, json};

use super::Arguments;
use crate::fault::Fault;
use crate::surroundings::{AnswerLinks, MASK};

/// The address at which the step named first is answered, with the choice named second.
pub(super) fn answer_link(arguments: &Arguments<'_, '_>) -> Result<Option<Value>, Fault> {
    let evaluation = arguments.evaluation;
    let Some(step) = arguments.text(0) else { return Ok(None) };
    let choice = arguments.text(1).unwrap_or_default();
    let link = match &evaluation.setup().answer_links {
        AnswerLinks::Unset => {
            evaluation.tell_missing(|| "There is no link to an answer, because there is no run here.".to_owned());
            None
        }
        AnswerLinks::Nowhere => return Err(Fault::NoPublicAddress),
        AnswerLinks::Masked => Some(MASK.to_owned()),
        AnswerLinks::Signed(signer) => {
            let link = evaluation.link_to(signer, &step, &choice);
            if link.is_none() {
                let name = || crate::naming::quoted(&step);
                evaluation.tell_missing(|| format!("The names are too long for a link to the step {}.", name()));
            }
            link
        }
    };
    Ok(link.map(|link| json!(link)))
}
