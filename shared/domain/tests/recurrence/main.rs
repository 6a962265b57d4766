//! Recurrences through their public face: tables of cases as JSON beside, and laws.

#[cfg(test)]
mod laws;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tables;
