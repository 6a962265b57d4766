//! Mail that workflows send: what goes out, what does not, and how often.

mod attachments;
mod crashes;
mod loops;
mod params;
mod retries;

use std::sync::Arc;

use domain::{HookId, HookKind, StoredFile, Timestamp, Transaction, TransactionId};
use serde_json::{Value, json};
use service::{
    Envelope, Executor,
    actions::Mailing,
    memory::{FixedWorld, MemoryPost, MemoryStore},
    ports::{OutgoingContent, OutgoingMail, Post, Store},
};
use tests::world::{FormHook, NOON, World, always, workflow_of};

/// A world that can send mail, with one workflow on one hook.
pub(crate) struct Office {
    pub(crate) world: World,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) post: Arc<MemoryPost>,
    pub(crate) hook: FormHook,
    pub(crate) workflow: String,
}

impl Office {
    pub(crate) async fn with_steps(steps: Value) -> Self {
        let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let world = World::over(store.clone(), clock).await;
        let hook = world.form_hook().await;
        let workflow = world.workflow(workflow_of("mail", &hook.event, steps)).await;
        let mut office = Self { world, store, post: Arc::default(), hook, workflow };
        office.world.executor = office.executor();
        office
    }

    /// One whose only step sends a mail with these params.
    pub(crate) async fn with_params(params: Value) -> Self {
        Self::with_steps(
            json!([{ "id": "send", "action": "kustomer.app.mail.send", "params": params, "transitions": [] }]),
        )
        .await
    }

    pub(crate) fn executor(&self) -> Executor {
        self.executor_over(self.store.clone(), self.post.clone())
    }

    /// Another process over other ports.
    pub(crate) fn executor_over(&self, store: Arc<dyn Store>, post: Arc<dyn Post>) -> Executor {
        let (queue, clock) = (self.world.queue.clone(), self.world.clock.clone());
        self.with_post(Executor::new(store, queue, clock), post)
    }

    /// The executor, whose workflows send mail by `post`.
    pub(crate) fn with_post(&self, executor: Executor, post: Arc<dyn Post>) -> Executor {
        executor.with_post(Mailing {
            post,
            blobs: self.world.blobs.clone(),
            domain: Some("hooks.example".to_owned()),
            from: Some("Shop <orders@shop.example>".to_owned()),
        })
    }

    /// Posts `data` and gives the run that came of it.
    pub(crate) async fn run(&self, data: Value) -> Value {
        let transaction = self.world.arrive(&self.hook, data).await;
        self.world.run_of(&transaction).await
    }

    /// Posts `data` and gives the message on the queue.
    pub(crate) async fn message(&self, data: Value) -> String {
        self.world.post(&self.hook, data).await.expect(202);
        self.world.queue.receive(1, 60).remove(0).body
    }

    /// The run of a transaction with these parts, given to the executor past the doors.
    pub(crate) async fn run_of(&self, data: Value, email: Option<Value>) -> Value {
        self.run_past_the_doors(data, email, Vec::new()).await
    }

    /// The same of one with files.
    pub(crate) async fn run_with_files(&self, data: Value, files: Vec<StoredFile>) -> Value {
        self.run_past_the_doors(data, None, files).await
    }

    async fn run_past_the_doors(&self, data: Value, email: Option<Value>, files: Vec<StoredFile>) -> Value {
        let transaction = Transaction {
            id: TransactionId::parse("a5c3694a5d1ab8ffee5b2b0e").unwrap(),
            org: self.world.org,
            hook: Some(HookId::parse(&self.hook.id).unwrap()),
            hook_kind: Some(HookKind::Email),
            created_at: Timestamp::parse(NOON).unwrap(),
            data,
            email,
            files,
            generation: 0,
            fired: None,
        };
        let id = transaction.id.to_string();
        let message = Envelope::new(self.hook.event.clone(), transaction, Vec::new()).message().unwrap();
        self.world.executor.execute(&message).await.unwrap();
        self.world.run_of(&id).await
    }

    /// The only run of the workflow.
    pub(crate) async fn only_run(&self) -> Value {
        let runs = self.world.get(&format!("/v1/workflows/{}/runs", self.workflow)).await.expect(200);
        assert_eq!(runs.body["data"].as_array().unwrap().len(), 1);
        let id = runs.body["data"][0]["id"].as_str().unwrap().to_owned();
        self.world.get(&format!("/v1/runs/{id}")).await.expect(200).body["data"]["attributes"].clone()
    }
}

/// The text of a mail that was written by a step.
#[track_caller]
pub(crate) fn text_of(mail: &OutgoingMail) -> String {
    match &mail.content {
        OutgoingContent::Raw(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        OutgoingContent::Template { .. } => panic!("{mail:?} is a template"),
    }
}

#[track_caller]
pub(crate) fn message_id_of(mail: &OutgoingMail) -> String {
    let text = text_of(mail);
    text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned()
}

/// Params of a mail that can be sent.
pub(crate) fn greeting() -> Value {
    json!({ "to": "ann@example.com", "subject": "Hello", "text": "Hello Ann" })
}

#[tokio::test]
async fn a_step_sends_a_mail_and_tells_the_next_step_what_it_sent() {
    let office = Office::with_steps(json!([
        {
            "id": "send",
            "action": "kustomer.app.mail.send",
            "params": {
                "to": ["/#steps.1.attributes.data.email", { "name": "Größe, Bob", "address": "bob@example.com" }],
                "cc": "\"Shop, Ltd\" <desk@shop.example>",
                "bcc": "audit@shop.example",
                "replyTo": "help@shop.example",
                "subject": "Order {{steps.1.attributes.data.order}}",
                "text": "Thank you.\n",
                "html": "<p>Thank you.</p>",
                "inReplyTo": "<42@example.com>",
            },
            "transitions": always("company"),
        },
        { "id": "company", "action": "kustomer.company.create", "params": { "name": "/#steps.send.messageId" }, "transitions": [] },
    ]))
    .await;

    let run = office.run(json!({ "email": "ann@example.com", "order": 1234 })).await;

    assert_eq!(run["state"], "succeeded", "{run}");
    let [mail] = &office.post.sent()[..] else { panic!("{:?}", office.post.sent()) };
    assert_eq!(mail.from, "orders@shop.example");
    assert_eq!(mail.recipients, ["ann@example.com", "bob@example.com", "desk@shop.example", "audit@shop.example"]);
    let [id, step, visit] = mail.key.split('/').collect::<Vec<_>>()[..] else { panic!("{}", mail.key) };
    assert_eq!((step, visit), ("send", "1"));
    let message_id = message_id_of(mail);
    assert_eq!(message_id, format!("<{id}.27ce1d1bf427.1@hooks.example>"));
    let text = text_of(mail);
    let (head, body) = text.split_once("Content-Type: multipart/alternative").unwrap();
    let expected = [
        "Date: Sun, 22 Nov 2026 12:00:00 +0000",
        "From: \"Shop\" <orders@shop.example>",
        &format!("Message-ID: {message_id}"),
        "To: <ann@example.com>, =?utf-8?B?R3LDtsOfZSwgQm9i?= <bob@example.com>",
        "Cc: \"Shop, Ltd\" <desk@shop.example>",
        "Reply-To: <help@shop.example>",
        "Subject: Order 1234",
        "In-Reply-To: <42@example.com>",
        "References: <42@example.com>",
        "Auto-Submitted: auto-generated",
        &format!("X-Hookwright-Org: {}", office.world.org),
        &format!("X-Hookwright-Run: {id}"),
        "MIME-Version: 1.0",
        "",
    ];
    assert_eq!(head.split("\r\n").collect::<Vec<_>>(), expected);
    assert!(body.contains("Thank you.\r\n") && body.contains("<p>Thank you.</p>"), "{body}");
    assert!(!text.contains("audit"), "{text}");
    let output = &run["steps"][1]["output"];
    assert_eq!(
        *output,
        json!({
            "id": "memory-1",
            "messageId": message_id,
            "from": "orders@shop.example",
            "to": ["ann@example.com", "bob@example.com"],
            "cc": ["desk@shop.example"],
            "bcc": ["audit@shop.example"],
            "subject": "Order 1234",
        })
    );
    assert_eq!(run["steps"][2]["output"]["name"], output["messageId"]);
}

#[tokio::test]
async fn a_template_goes_out_by_name_with_its_data() {
    let office = Office::with_params(json!({
        "to": "Ann <ann@example.com>", "bcc": "audit@shop.example", "replyTo": "help@shop.example",
        "template": "order_shipped-2", "templateData": { "total": "/#steps.1.attributes.data.total" },
    }))
    .await;

    let run = office.run(json!({ "total": 12.50 })).await;

    assert_eq!(run["state"], "succeeded", "{run}");
    let [mail] = &office.post.sent()[..] else { panic!("{:?}", office.post.sent()) };
    let list = |address: &str| vec![address.to_owned()];
    assert_eq!(
        mail.content,
        OutgoingContent::Template {
            name: "order_shipped-2".to_owned(),
            data: r#"{"total":12.5}"#.to_owned(),
            to: list("ann@example.com"),
            cc: Vec::new(),
            bcc: list("audit@shop.example"),
            reply_to: list("help@shop.example"),
        }
    );
    let output = &run["steps"][1]["output"];
    assert_eq!((&output["messageId"], &output["subject"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_step_in_a_cycle_sends_one_mail_each_time_it_comes_by() {
    let again = json!([{ "target": "again", "condition": { "op": "dne", "values": ["/#steps.again.id"] } }]);
    let office = Office::with_steps(json!([
        { "id": "send", "action": "kustomer.app.mail.send", "params": greeting(), "transitions": again },
        { "id": "again", "action": "kustomer.company.create", "params": { "name": "again" }, "transitions": always("send") },
    ]))
    .await;

    let run = office.run(json!({})).await;

    assert_eq!(run["state"], "succeeded", "{run}");
    let sent = office.post.sent();
    let visits: Vec<&str> = sent.iter().map(|mail| mail.key.rsplit('/').next().unwrap()).collect();
    assert_eq!(visits, ["1", "2"]);
    assert_ne!(message_id_of(&sent[0]), message_id_of(&sent[1]));
}

#[tokio::test]
async fn mails_in_a_row_go_out_in_their_order_and_once_each() {
    let send = |id: &str, next: Value| json!({ "id": id, "action": "kustomer.app.mail.send", "params": greeting(), "transitions": next });
    let steps = json!([send("a", always("b")), send("b", always("c")), send("c", json!([]))]);
    let office = Office::with_steps(steps).await;

    assert_eq!(office.run(json!({})).await["state"], "succeeded");

    let steps: Vec<String> =
        office.post.sent().iter().map(|mail| mail.key.split('/').nth(1).unwrap().to_owned()).collect();
    assert_eq!(steps, ["a", "b", "c"]);
}

#[tokio::test]
async fn without_a_way_out_the_step_fails_and_says_what_to_set_up() {
    let mut office = Office::with_params(greeting()).await;
    office.world.executor = Executor::new(office.store.clone(), office.world.queue.clone(), office.world.clock.clone());

    let run = office.run(json!({})).await;

    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("mail_not_set_up")));
}

#[tokio::test]
async fn the_sender_comes_from_the_step_or_else_from_the_deployment() {
    let mut office = Office::with_params(greeting()).await;
    let mailing = |from: Option<&str>| Mailing {
        post: office.post.clone(),
        blobs: office.world.blobs.clone(),
        domain: None,
        from: from.map(str::to_owned),
    };
    let executor = |from| {
        Executor::new(office.store.clone(), office.world.queue.clone(), office.world.clock.clone())
            .with_post(mailing(from))
    };
    let (none, wrong) = (executor(None), executor(Some("orders at shop.example")));

    office.world.executor = none;
    assert_eq!(office.run(json!({})).await["error"]["code"], "missing_param");
    office.world.executor = wrong;
    assert_eq!(office.run(json!({})).await["error"]["code"], "mail_not_set_up");

    let with_from = Office::with_params(json!({
        "from": "Ann <Ann@Shop.EXAMPLE>", "to": "bob@example.com", "subject": "Hello", "html": "<p>Hello</p>",
    }))
    .await;
    // A policy of SES knows the domain in lower case only.
    assert_eq!(with_from.run(json!({})).await["steps"][1]["output"]["from"], "Ann@shop.example");
    assert_eq!(with_from.post.sent()[0].from, "Ann@shop.example");
    assert!(text_of(&with_from.post.sent()[0]).contains("\r\nFrom: \"Ann\" <Ann@shop.example>\r\n"));
}

#[tokio::test]
async fn two_runs_never_have_the_same_message_id() {
    let office = Office::with_params(greeting()).await;
    for order in [1, 2] {
        office.run(json!({ "order": order })).await;
    }
    let sent = office.post.sent();
    assert_ne!(message_id_of(&sent[0]), message_id_of(&sent[1]));
}
