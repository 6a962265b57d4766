//! The management API of a server under load, as far as benches need it.

use std::{collections::BTreeMap, path::Path};

use domain::Timestamp;
use serde_json::{Value, json};

use crate::{
    Outcome,
    child::Child,
    load::{self, Client},
    tutorial,
};

/// The management API of a server, with its admin key.
pub struct Api {
    client: Client,
    token: String,
}

/// A hook that was created.
pub struct Hook {
    /// The path to post to.
    pub path: String,
    /// The event it fires.
    pub event: String,
}

impl Api {
    /// The API of a server whose state is in `state_dir`.
    pub async fn of(server: &Child, state_dir: &Path) -> Outcome<Self> {
        let token = std::fs::read_to_string(state_dir.join("admin.key"))?.trim().to_owned();
        Ok(Self { client: Client::connect(server.address).await?, token })
    }

    /// A form hook.
    pub async fn hook(&mut self) -> Outcome<Hook> {
        self.hook_with("form", &json!({ "title": "Orders" })).await
    }

    /// A hook of this kind with these attributes.
    pub async fn hook_with(&mut self, kind: &str, attributes: &Value) -> Outcome<Hook> {
        let created = self.create(&format!("/v1/hooks/{kind}"), attributes).await?;
        let attribute = |name: &str| created["data"]["attributes"][name].as_str().unwrap_or_default().to_owned();
        let url = attribute("url");
        let path = url.find("/v1/").map(|start| url[start..].to_owned()).ok_or("the hook has no address")?;
        Ok(Hook { path, event: attribute("eventName") })
    }

    /// The path to post orders to, and the id of the workflow that takes them.
    pub async fn tutorial(&mut self) -> Outcome<(String, String)> {
        self.create("/v1/klasses", &tutorial::klass()).await?;
        let hook = self.hook().await?;
        let workflow = self.create("/v1/workflows", &tutorial::workflow(&hook.event)).await?;
        Ok((hook.path, workflow["data"]["id"].as_str().ok_or("the workflow has no id")?.to_owned()))
    }

    /// How many runs of the workflow have succeeded, and when the last of them ended.
    pub async fn succeeded(&mut self, workflow: &str) -> Outcome<(usize, Timestamp)> {
        let mut path = format!("/v1/workflows/{workflow}/runs?state=succeeded&pageSize=100");
        let (mut count, mut last_end) = (0, Timestamp::from_millisecond(0));
        loop {
            let page = self.find(&path).await?.ok_or("the workflow is not there")?;
            for run in page["data"].as_array().ok_or("no list of runs")? {
                let ended_at = run["attributes"]["endedAt"].as_str().unwrap_or_default();
                last_end = last_end.max(Timestamp::parse(ended_at).ok_or("a run without an end")?);
                count += 1;
            }
            match page["links"]["next"].as_str() {
                Some(next) => path = next.to_owned(),
                None => return Ok((count, last_end)),
            }
        }
    }

    /// Whether the transaction's run has succeeded.
    pub async fn is_finished(&mut self, transaction: &str) -> Outcome<bool> {
        let found = self.find(&format!("/v1/transactions/{transaction}")).await?;
        Ok(found.is_some_and(|found| found["meta"]["trace"]["considered"][0]["run"]["state"] == "succeeded"))
    }

    /// What `POST` made.
    pub async fn create(&mut self, path: &str, body: &Value) -> Outcome<Value> {
        let request = load::json_request("POST", path, Some(&self.token), &body.to_string());
        let answer = self.client.exchange(&request).await?;
        match answer.status {
            201 => Ok(serde_json::from_str(&answer.body)?),
            status => Err(format!("{path} answered {status}: {}", answer.body).into()),
        }
    }

    /// Every resource of a list.
    pub async fn all(&mut self, path: &str) -> Outcome<Vec<Value>> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let (mut path, mut all) = (format!("{path}{mark}pageSize=100"), Vec::new());
        loop {
            let page = self.find(&path).await?.ok_or("there is no such list")?;
            all.extend(page["data"].as_array().ok_or("this is no list")?.iter().cloned());
            match page["links"]["next"].as_str() {
                Some(next) => path = next.to_owned(),
                None => return Ok(all),
            }
        }
    }

    /// Puts all dead letters back on the queue, and gives how many there were.
    pub async fn redrive_dead_letters(&mut self) -> Outcome<u64> {
        let path = "/v1/dead-letters/redrive";
        let body = json!({ "perSecond": 100 }).to_string();
        let answer = self.client.exchange(&load::json_request("POST", path, Some(&self.token), &body)).await?;
        if answer.status != 200 {
            return Err(format!("{path} answered {}: {}", answer.status, answer.body).into());
        }
        let told: Value = serde_json::from_str(&answer.body)?;
        Ok(told["data"]["attributes"]["redriven"].as_u64().unwrap_or_default())
    }

    /// How many transactions of the org are in which place.
    pub async fn balance(&mut self) -> Outcome<BTreeMap<String, u64>> {
        let (mut path, mut places) = ("/v1/balance?pageSize=100".to_owned(), BTreeMap::new());
        loop {
            let page = self.find(&path).await?.ok_or("there is no balance")?;
            for (place, count) in page["data"][0]["attributes"].as_object().ok_or("this is no balance")? {
                *places.entry(place.clone()).or_default() += count.as_u64().unwrap_or_default();
            }
            match page["links"]["next"].as_str() {
                Some(next) => path = next.to_owned(),
                None => return Ok(places),
            }
        }
    }

    /// What `GET` finds, if anything.
    pub async fn find(&mut self, path: &str) -> Outcome<Option<Value>> {
        let answer = self.client.exchange(&load::json_request("GET", path, Some(&self.token), "")).await?;
        match answer.status {
            200 => Ok(Some(serde_json::from_str(&answer.body)?)),
            404 => Ok(None),
            status => Err(format!("{path} answered {status}: {}", answer.body).into()),
        }
    }
}
