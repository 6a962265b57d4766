//! Public keys that are found on the web: certificates of Amazon SNS, key sets of token issuers.

use bytes::Bytes;
use domain::{Auth, Timestamp};
use verify::{Needs, PublicKey, Refusal, Scheme};

use super::Unchecked;
use crate::{
    accept::Door,
    ports::{FetchRequest, Unavailable},
    remembered::Remembered,
};

/// How long a page is believed. *Why*: issuers tell an hour to a day, and announce a key before they use it.
const PAGE_MS: i64 = 60 * 60 * 1_000;

/// How soon a page is fetched again because a key is not on it; tokens with made-up keys cost one fetch in that time.
const REFETCH_MS: i64 = 60 * 1_000;

/// How long a page is believed while its place does not answer. *Why*: keys of yesterday are better than refusing everybody.
const STALE_MS: i64 = 24 * 60 * 60 * 1_000;

/// How soon a place that did not answer is asked again; until then nobody waits for it.
const AWAY_MS: i64 = 10 * 1_000;

/// How many pages are remembered; past it all are forgotten.
const PAGES_LIMIT: usize = 200;

/// How old a page may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Any,
    Fresh,
}

/// Pages that were fetched lately.
pub(super) struct Pages {
    pages: Remembered<String, Bytes>,
    away: Remembered<String, Unavailable>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { pages: Remembered::at_most(PAGES_LIMIT), away: Remembered::at_most(PAGES_LIMIT) }
    }
}

impl Pages {
    /// The keys that a check needs.
    pub(super) async fn keys(
        &self,
        door: &Door,
        auth: &Auth,
        scheme: &Scheme,
        needs: &Needs,
        age: Age,
    ) -> Result<Vec<PublicKey>, Unchecked> {
        match needs {
            Needs::Nothing => Ok(Vec::new()),
            Needs::Certificate { url } => {
                let page = self.page(door, url, age).await?;
                let now_seconds = door.world.now().as_second();
                Ok(vec![verify::certificate_key(&page, now_seconds).map_err(Unchecked::Refused)?])
            }
            Needs::Jwks { .. } => {
                let url = self.jwks_url(door, auth, scheme).await?;
                let page = self.page(door, &url, age).await?;
                verify::jwks_keys(&page).map_err(Unchecked::Refused)
            }
        }
    }

    /// Where the issuer's keys are: as the hook says, as the scheme says, or as the issuer's discovery document does.
    async fn jwks_url(&self, door: &Door, auth: &Auth, scheme: &Scheme) -> Result<String, Unchecked> {
        if let Some(url) = auth.jwks_url.as_deref().or_else(|| scheme.jwks_url()) {
            return Ok(url.to_owned());
        }
        let Some(issuer) = &auth.issuer else {
            return Err(Unchecked::Misset("The hook names neither `jwksUrl` nor `issuer`.".to_owned()));
        };
        let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let page = self.page(door, &discovery, Age::Any).await?;
        let document: serde_json::Value =
            serde_json::from_slice(&page).map_err(|_| Unchecked::Refused(Refusal::BadKeySet))?;
        let url = document.get("jwks_uri").and_then(serde_json::Value::as_str);
        url.map(str::to_owned).ok_or(Unchecked::Refused(Refusal::BadKeySet))
    }

    async fn page(&self, door: &Door, url: &str, age: Age) -> Result<Bytes, Unavailable> {
        let now = door.world.now();
        let believed_ms = match age {
            Age::Any => PAGE_MS,
            Age::Fresh => REFETCH_MS,
        };
        let key = url.to_owned();
        if let Some(page) = self.pages.find(&key, now, believed_ms) {
            return Ok(page);
        }
        let fetched = match self.fetch(door, url, now).await {
            Ok(fetched) => fetched,
            // A key that is not on the page of before may be on the present one: that is for the sender to try again.
            Err(error) => match age {
                Age::Any => return self.pages.find(&key, now, STALE_MS).ok_or(error),
                Age::Fresh => return Err(error),
            },
        };
        self.pages.put(key, fetched.clone(), now);
        Ok(fetched)
    }

    /// *Errors*: the place does not answer, or did not a moment ago.
    async fn fetch(&self, door: &Door, url: &str, now: Timestamp) -> Result<Bytes, Unavailable> {
        let key = url.to_owned();
        if let Some(error) = self.away.find(&key, now, AWAY_MS) {
            return Err(error);
        }
        let error = match door.web.fetch(FetchRequest { url: url.to_owned(), form: None }).await {
            Ok(fetched) if fetched.status == 200 => return Ok(fetched.body),
            Ok(fetched) => {
                Unavailable { port: "web", cause: format!("a page of keys was answered {}", fetched.status) }
            }
            Err(error) => error,
        };
        self.away.put(key, error.clone(), now);
        Err(error)
    }
}
