//! What orgs have set up, read only where a definition asks for it and remembered for seconds.

use std::sync::Arc;

use domain::{OrgId, WorkflowId};
use engine::{
    Setup,
    definition::Needs,
    surroundings::{AnswerLinks, LinkSigner},
};
use futures_util::future::try_join5;
use serde_json::Value;

use crate::{
    directory::{schedules, settings, variables},
    installations,
    ports::{Freshness, Store, Unavailable, World},
    remembered::Remembered,
    runs,
};

/// How long a setup is believed. *Why*: a change of a variable or a schedule takes as long to be seen by all executors.
const AGE_MS: i64 = 5_000;

/// How many are remembered; past it all are forgotten.
const LIMIT: usize = 1_000;

/// Setups by workflow, and whether they have what makes links; those of dates alone are the same for all workflows of an org.
pub(super) struct Setups {
    remembered: Remembered<(OrgId, Option<WorkflowId>, bool), Arc<Setup>>,
    nothing: Arc<Setup>,
    /// What links begin with, where that is known.
    address: Option<String>,
}

impl Default for Setups {
    fn default() -> Self {
        Self { remembered: Remembered::at_most(LIMIT), nothing: Arc::default(), address: None }
    }
}

impl Setups {
    /// The same, whose links begin with `address`.
    pub(super) fn with_address(self, address: Option<&str>) -> Self {
        Self { address: address.map(|address| address.trim_end_matches('/').to_owned()), ..self }
    }

    /// What a definition of `workflow` that needs `needs` finds.
    pub(super) async fn get(
        &self,
        store: &dyn Store,
        world: &dyn World,
        org: OrgId,
        workflow: WorkflowId,
        needs: Needs,
    ) -> Result<Arc<Setup>, Unavailable> {
        if needs == Needs::default() {
            return Ok(Arc::clone(&self.nothing));
        }
        let now = world.now();
        let only_dates = needs == Needs { time_zone: true, ..Needs::default() };
        let key = (org, (!only_dates).then_some(workflow), needs.answer_links);
        if let Some(known) = self.remembered.find(&key, now, AGE_MS) {
            return Ok(known);
        }
        let mut setup = match key.1 {
            None => Setup { time_zone: settings(store, org).await?.time_zone, ..Setup::default() },
            // All of it, whatever this definition needs: another one of the workflow may need more.
            Some(workflow) => read(store, org, workflow).await?,
        };
        if needs.answer_links {
            setup.answer_links = self.answer_links(store, world, org).await?;
        }
        let setup = Arc::new(setup);
        self.remembered.put(key, Arc::clone(&setup), now);
        Ok(setup)
    }

    async fn answer_links(&self, store: &dyn Store, world: &dyn World, org: OrgId) -> Result<AnswerLinks, Unavailable> {
        let Some(address) = self.address.clone() else { return Ok(AnswerLinks::Nowhere) };
        let key = runs::find_or_make_link_key(store, world, org).await?;
        Ok(AnswerLinks::Signed(LinkSigner { address, org, key }))
    }
}

/// All that a definition of `workflow` may find, but for what makes links.
pub(crate) async fn read(store: &dyn Store, org: OrgId, workflow: WorkflowId) -> Result<Setup, Unavailable> {
    let (variables, retired, apps, schedules, settings) = try_join5(
        variables::all(store, org, workflow),
        variables::retired(store, org, workflow),
        installations::settings::of_org(store, org),
        schedules::all(store, org),
        settings(store, org),
    )
    .await?;
    Ok(Setup {
        variables: variables::values(variables),
        retired,
        app_settings: Value::Object(apps.values),
        app_secrets: apps.secrets,
        schedules,
        default_schedule: settings.default_schedule,
        time_zone: settings.time_zone,
        answer_links: AnswerLinks::Unset,
    })
}

async fn settings(store: &dyn Store, org: OrgId) -> Result<settings::Settings, Unavailable> {
    Ok(settings::find(store, org, Freshness::Latest).await?.value)
}
