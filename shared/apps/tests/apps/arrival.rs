//! A sample as the webhook would read it: only the headers that the app keeps, a batch cut into its pieces.

use apps::{App, Fired, Input, samples::Sample};
use serde_json::{Map, Value};

pub(crate) struct Arrival {
    pub(crate) pieces: Vec<Value>,
    headers: Map<String, Value>,
    query: Map<String, Value>,
    method: String,
}

impl Arrival {
    pub(crate) fn of(app: &App, sample: &Sample) -> Self {
        let bytes = sample.body.bytes();
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => {
                ingest::read(app.read_as().or(sample.content_type()), &bytes).expect("a sample's body can be read").data
            }
        };
        let is_kept = |(name, _): &(&String, &Value)| app.headers().contains(name);
        let kept = sample.headers.iter().filter(is_kept).map(|(name, value)| (name.clone(), value.clone()));
        Self {
            pieces: app.split(&body).unwrap_or_else(|| vec![body]),
            headers: kept.collect(),
            query: sample.query.clone(),
            method: sample.method.clone(),
        }
    }

    pub(crate) fn inputs(&self) -> impl Iterator<Item = Input<'_>> {
        let input = |body| Input { body, headers: &self.headers, query: &self.query, method: &self.method };
        self.pieces.iter().map(input)
    }

    pub(crate) fn events(&self, app: &App) -> Vec<Fired> {
        self.inputs().flat_map(|input| app.events(&input)).collect()
    }
}
