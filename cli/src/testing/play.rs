//! Playing one case: everything is made anew, what happens happens, and time passes only to the next thing that is due.

use std::collections::HashMap;

use domain::Timestamp;
use serde_json::Value;

use super::{
    arrive::{Arrived, arrive},
    case::Case,
    folder::{Folder, Tests},
    judge::{Evidence, Mismatch, judge},
    reading::{At, Problem, Reading},
    setup::Estate,
    tests_file::Suite,
    witness::{Seen, Witness, mails, records},
    world::World,
};

/// What came of a case.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The case.
    pub(crate) case: String,
    /// Everything that is not as expected; nothing where it passed.
    pub(crate) mismatches: Vec<Mismatch>,
    /// The runs that began.
    pub(crate) runs: Vec<Seen>,
}

/// Plays the case in a world of its own.
///
/// *Errors*: documents of the folder that are refused, which are so in every case.
pub(crate) async fn play(folder: &Folder, suite: &Suite<'_>, case: &Case) -> Result<Outcome, Vec<Problem>> {
    let whole = |message: String| vec![Problem::of_file(&suite.tests.file, message)];
    let mut world = World::at(case.given.now).await.map_err(whole)?;
    let mut estate = Estate::build(&world, folder, &case.given).await?;
    let outcome = |mismatches, runs| Outcome { case: case.name.clone(), mismatches, runs };
    if let Err(told) = estate.give(&world, &case.given).await {
        let mismatches = told.into_iter().map(|sentence| Mismatch::of("given", sentence)).collect();
        return Ok(outcome(mismatches, Vec::new()));
    }
    let Some(filled) = filled(suite.tests, case, &estate) else {
        return Err(whole(format!("The case \"{}\" cannot be read once its placeholders are filled.", case.name)));
    };
    match happen(&mut world, &estate, suite, &filled).await {
        Ok(evidence) => {
            let mismatches = judge(&filled.expected, &evidence);
            Ok(outcome(mismatches, evidence.runs))
        }
        Err(mismatch) => Ok(outcome(vec![mismatch], Vec::new())),
    }
}

/// The case with what its placeholders stand for in this world.
fn filled(tests: &Tests, case: &Case, estate: &Estate) -> Option<Case> {
    let value = estate.names.filled(&case.raw);
    let places = HashMap::new();
    let mut reading = Reading::new(&tests.file, &places);
    Case::read(&mut reading, &At { value: &value, path: case.path.clone() }, &tests.folder)
}

async fn happen(world: &mut World, estate: &Estate, suite: &Suite<'_>, case: &Case) -> Result<Evidence, Mismatch> {
    let unexplained = |told: Vec<String>| Mismatch::of("case", told.join(" "));
    let start = world.now();
    world.calls.answer_with(case.mocks.clone());
    let mut witness = Witness::default();
    let mut traces: Vec<Value> = Vec::new();
    let mut arrivals: Vec<Arrived> = Vec::with_capacity(case.arrivals.len());
    for (count, arrival) in case.arrivals.iter().enumerate() {
        let at = world.now().plus_seconds(arrival.after_seconds);
        go_on(world, estate, &mut witness, at).await?;
        world.pass_to(at);
        let arrived = arrive(world, estate, &arrival.what, count).await;
        let arrived = arrived.map_err(|sentence| Mismatch::of("case", sentence))?;
        go_on(world, estate, &mut witness, at).await?;
        traces.extend(trace(world, &arrived).await);
        arrivals.push(arrived);
    }
    let until = start.plus_seconds(case.until_seconds).max(world.now());
    go_on(world, estate, &mut witness, until).await?;
    let mut found = Vec::with_capacity(case.expected.records.len());
    for (collection, _) in &case.expected.records {
        found.push((collection.clone(), records(world, collection).await));
    }
    Ok(Evidence {
        start,
        workflow: suite.workflow.clone(),
        traces,
        arrivals,
        runs: witness.into_runs(),
        records: found,
        calls: world.calls.made(),
        unexpected: world.calls.unexpected(),
        mails: mails(world).await.map_err(unexplained)?,
        dead_letters: world.dead_letters.clone(),
    })
}

/// Does what is due, and lets the time pass to what is due next, as long as that is not after `bound`.
async fn go_on(world: &mut World, estate: &Estate, witness: &mut Witness, bound: Timestamp) -> Result<(), Mismatch> {
    loop {
        let settled = world.settle().await;
        let looked = witness.look(world, estate).await;
        settled.map_err(|sentence| Mismatch::of("until", sentence))?;
        looked.map_err(|told| Mismatch::of("case", told.join(" ")))?;
        let due = world.next_due().await.map_err(|sentence| Mismatch::of("case", sentence))?;
        match due.filter(|due| *due <= bound) {
            Some(due) => world.pass_to(due),
            None => return Ok(()),
        }
    }
}

/// Why which workflow ran, where what happened became a transaction.
async fn trace(world: &World, arrived: &Arrived) -> Option<Value> {
    let transaction = world.get(&format!("/v1/transactions/{}", arrived.transaction.as_ref()?)).await.ok()?;
    transaction.pointer("/meta/trace").cloned()
}
