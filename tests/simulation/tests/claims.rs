//! Every order in which executors can interfere with each other at one run, checked on a model of how a run is claimed and written.
//!
//! The model has what decides in the real one: the revision of the run that every write expects, one intent for each step with
//! who claims it and whether the claim has run out, messages that are delivered again until they are deleted, and executors that
//! remember what they read. It knows no time: a claim may run out at any moment, also while its holder is still at work.

use std::{collections::BTreeSet, fmt::Debug};

use stateright::{Checker, HasDiscoveries, Model, Property};

const EXECUTORS: usize = 3;
const STEPS: u8 = 3;
const DUPLICATES: u8 = 2;
const CRASHES: u8 = 2;

/// How many claims run out; each lets the step be claimed once more.
const CLAIMS_THAT_RUN_OUT: u8 = 3;

const NOT_TWICE: &str = "no step is journaled twice";
const NOT_STUCK: &str = "a run that is not over has a message, or somebody at it";
const CALLED_ONCE: &str = "without crash and claim that ran out, each step is called once";

/// A step's intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Intent {
    rev: u8,
    is_claimed: bool,
    has_run_out: bool,
}

/// What an executor is at, with what it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// Nothing.
    Idle,
    /// It has a message and has read nothing.
    Taken,
    /// It has read the run, and the intent of the step that is next.
    Read { rev: u8, intent: Intent },
    /// It has claimed the step, and not yet called.
    Claimed { rev: u8, step: u8 },
    /// It has called, and not yet written what came of it.
    Called { rev: u8, step: u8 },
    /// The run has moved on or is over, or somebody has the step: it deletes its message, or gives it back.
    Over { deletes: bool },
}

/// Everything there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    /// How often the run was written, and how many steps are journaled.
    rev: u8,
    journaled: u8,
    /// Whether a step was journaled that was before.
    journaled_twice: bool,
    intents: [Intent; STEPS as usize],
    /// How often each step was called, up to 3.
    calls: [u8; STEPS as usize],
    /// Messages that can be delivered, and that are with an executor.
    visible: u8,
    executors: [At; EXECUTORS],
    duplicates_left: u8,
    crashes_left: u8,
    claims_left: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Take(usize),
    Read(usize),
    Claim(usize),
    Call(usize),
    Write(usize),
    End(usize),
    Crash(usize),
    Duplicate,
    RunOut(usize),
}

/// How runs are claimed. With a part left out, the checker has to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Ours,
    /// Writes expect nothing of the run.
    WithoutFence,
    /// Nobody looks whether the step is claimed.
    WithoutClaim,
    /// A message is deleted when somebody else has the step, and nothing is sent for it.
    DeletesWhileClaimed,
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            rev: 0,
            journaled: 0,
            journaled_twice: false,
            intents: [Intent::default(); STEPS as usize],
            calls: [0; STEPS as usize],
            visible: 1,
            executors: [At::Idle; EXECUTORS],
            duplicates_left: DUPLICATES,
            crashes_left: CRASHES,
            claims_left: CLAIMS_THAT_RUN_OUT,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (index, at) in world.executors.iter().enumerate() {
            match at {
                At::Idle if world.visible > 0 => actions.push(Action::Take(index)),
                At::Idle => {}
                At::Taken => actions.push(Action::Read(index)),
                At::Read { .. } => actions.push(Action::Claim(index)),
                At::Claimed { .. } => actions.push(Action::Call(index)),
                At::Called { .. } => actions.push(Action::Write(index)),
                At::Over { .. } => actions.push(Action::End(index)),
            }
            if *at != At::Idle && world.crashes_left > 0 {
                actions.push(Action::Crash(index));
            }
        }
        if world.duplicates_left > 0 {
            actions.push(Action::Duplicate);
        }
        for (step, intent) in world.intents.iter().enumerate() {
            if intent.is_claimed && !intent.has_run_out && world.claims_left > 0 {
                actions.push(Action::RunOut(step));
            }
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        match action {
            Action::Take(index) => {
                next.visible -= 1;
                next.executors[index] = At::Taken;
            }
            Action::Duplicate => {
                next.visible += 1;
                next.duplicates_left -= 1;
            }
            Action::RunOut(step) => {
                next.claims_left -= 1;
                next.intents[step].has_run_out = true;
            }
            Action::Crash(index) => {
                next.crashes_left -= 1;
                next.visible += 1;
                next.executors[index] = At::Idle;
            }
            Action::Read(index) => {
                next.executors[index] = match world.intents.get(usize::from(world.journaled)) {
                    None => At::Over { deletes: true },
                    Some(intent) => At::Read { rev: world.rev, intent: *intent },
                }
            }
            Action::Claim(index) => next.executors[index] = self.claim(&mut next, index),
            Action::Call(index) => {
                let At::Claimed { rev, step } = world.executors[index] else { return None };
                let calls = &mut next.calls[usize::from(step)];
                *calls = (*calls + 1).min(3);
                next.executors[index] = At::Called { rev, step };
            }
            Action::Write(index) => next.executors[index] = self.write(&mut next, index),
            Action::End(index) => {
                let At::Over { deletes } = world.executors[index] else { return None };
                // What is given back comes again; only once the claim that it met has run out does that help.
                next.visible += u8::from(!deletes);
                next.executors[index] = At::Idle;
            }
        }
        Some(next)
    }

    /// A protocol with a part left out may write for ever.
    fn within_boundary(&self, world: &World) -> bool {
        world.rev <= 2 * STEPS + CLAIMS_THAT_RUN_OUT
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NOT_TWICE, |_, world: &World| !world.journaled_twice),
            Property::always("what is journaled was called", |_, world: &World| {
                world.calls.iter().take(usize::from(world.journaled)).all(|calls| *calls > 0)
            }),
            Property::always("no step is called before the one before it is journaled", |_, world: &World| {
                world.calls.iter().skip(usize::from(world.journaled) + 1).all(|calls| *calls == 0)
            }),
            Property::always(NOT_STUCK, |_, world: &World| {
                let is_over = world.journaled == STEPS;
                is_over || world.visible > 0 || world.executors.iter().any(|at| *at != At::Idle)
            }),
            Property::always(CALLED_ONCE, |_, world: &World| {
                let is_calm = world.crashes_left == CRASHES && world.claims_left == CLAIMS_THAT_RUN_OUT;
                !is_calm || world.calls.iter().all(|calls| *calls <= 1)
            }),
            Property::sometimes("the run comes to its end", |_, world: &World| {
                world.journaled == STEPS && world.visible == 0
            }),
            Property::sometimes("a step is called again under its key", |_, world: &World| {
                world.calls.iter().any(|calls| *calls > 1)
            }),
        ]
    }
}

impl Protocol {
    /// The write that claims the step: it expects the run and the intent as they were read.
    fn claim(self, world: &mut World, index: usize) -> At {
        let At::Read { rev, intent } = world.executors[index] else { return world.executors[index] };
        let is_held = intent.is_claimed && !intent.has_run_out;
        if is_held && self != Self::WithoutClaim {
            return At::Over { deletes: self == Self::DeletesWhileClaimed };
        }
        let step = usize::from(world.journaled);
        let Some(now) = world.intents.get(step).copied() else { return At::Taken };
        let is_as_read = world.rev == rev && now == intent;
        if !is_as_read && self != Self::WithoutFence {
            // Overtaken: what is true now decides.
            return At::Taken;
        }
        // One write of both, so that whoever has claimed the step before cannot write any more.
        world.rev += 1;
        world.intents[step] = Intent { rev: now.rev + 1, is_claimed: true, has_run_out: false };
        At::Claimed { rev: world.rev, step: world.journaled }
    }

    /// The write of what came of the call: it expects the run as it was claimed.
    fn write(self, world: &mut World, index: usize) -> At {
        let At::Called { rev, step } = world.executors[index] else { return world.executors[index] };
        if world.rev != rev && self != Self::WithoutFence {
            return At::Taken;
        }
        if world.journaled != step {
            world.journaled_twice = true;
            return At::Taken;
        }
        world.rev += 1;
        world.journaled += 1;
        At::Taken
    }
}

/// Whether the checker finds a way to break the property.
fn is_broken(protocol: Protocol, property: &'static str) -> bool {
    let until = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    protocol.checker().threads(2).finish_when(until).spawn_bfs().join().discovery(property).is_some()
}

#[test]
fn three_executors_two_duplicates_and_two_crashes_break_nothing_in_any_order() {
    let checker = Protocol::Ours.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.unique_state_count() > 1_000_000, "{}", checker.unique_state_count());
}

#[test]
fn the_checker_finds_what_each_part_of_the_protocol_is_for() {
    for (protocol, property) in [
        (Protocol::WithoutFence, NOT_TWICE),
        (Protocol::WithoutClaim, CALLED_ONCE),
        (Protocol::DeletesWhileClaimed, NOT_STUCK),
    ] {
        assert!(is_broken(protocol, property), "{protocol:?} does not break: {property}");
    }
}
