//! The executor on Lambda: batches of transactions from the queue, failures reported message by message; and what the queue
//! has given up, which is kept and not executed.

mod batch;
mod message;

use std::{sync::Arc, time::SystemTime};

use aws::{Clients, config};
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

use batch::Function;
use message::Message;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let config = config::read(|reader| reader.executor())?;
    let dead_letter_queue = &config.dead_letter_queue.clone();
    let clients = Clients::from_env().await;
    let queue = aws::open_transactions(&clients, &config);
    let function = &Function { executor: Arc::new(aws::open_executor(&clients, config)), queue };
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let messages = event.payload.records.into_iter().map(|record| Message::new(record, dead_letter_queue));
        Ok::<_, Error>(function.take(messages.collect(), left).await)
    }))
    .await
}
