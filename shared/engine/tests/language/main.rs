//! The workflow language through its public face: tables of cases as JSON beside, runs as stories, and properties.

#[cfg(test)]
mod conditions;
#[cfg(test)]
mod documentation;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod explainer;
#[cfg(test)]
mod expressions;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod links;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod support;
#[cfg(test)]
mod surroundings;
#[cfg(test)]
mod templates;
