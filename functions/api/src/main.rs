//! The front door for management on Lambda: everything below `/v1` that is no hook address, and `/healthz`.
//!
//! API Gateway cannot tell an address from the id of a hook, so a `GET` or `PUT` of a short address goes through here, too.

#[path = "../../http_api.rs"]
mod http_api;

use std::sync::Arc;

use aws::{Clients, WebDestinations, config};
use lambda_http::Error;
use service::{
    Door, Management,
    http::{Front, Request, Response, api::FirstKey, form, web},
};

/// All that a request may be for.
struct Doors {
    hooks: Arc<Door>,
    management: Management,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let doors = &doors().await?;
    http_api::serve(|request| answer(doors, request)).await
}

async fn answer(doors: &Doors, request: Request) -> Response {
    match Front::of(request.method(), request.uri().path()) {
        Front::Form => form::receive(&doors.hooks, &request).await,
        Front::Web => web::receive(&doors.hooks, &request).await,
        Front::Management => doors.management.answer(&request).await,
    }
}

async fn doors() -> Result<Doors, Error> {
    let (door, mail, admin, allowed) = config::read(|reader| {
        let (door, mail, admin, allowed) =
            (reader.door(), reader.mail(), reader.admin(), reader.allowed_destinations());
        Some((door?, mail?, admin?, allowed?))
    })?;
    let (clients, keys) = (Clients::from_env().await, Arc::default());
    let hooks = Arc::new(aws::open_door(&clients, door, Arc::clone(&keys)));
    let management = Management {
        store: hooks.store.clone(),
        queue: hooks.queue.clone(),
        destinations: Arc::new(WebDestinations::new(allowed)),
        world: hooks.world.clone(),
        addresses: hooks.addresses.clone(),
        keys,
        public_url: hooks.public_url.clone(),
        mail: mail.map(|mail| aws::mail_setup(&clients, mail, Arc::clone(&hooks))),
        outbox: None,
        first_key: admin.map(|admin| FirstKey { org: admin.org, digest: admin.key_hash }),
    };
    Ok(Doors { hooks, management })
}
