//! The three tables: names of attributes and indexes, and how to create them where no template does.
//!
//! `template.yaml` describes the same tables for AWS; `docs/tables.md` shows them to people. Change the three together.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification,
};
use service::ports::{Table, Unavailable};

use crate::attempts::cause;

pub(crate) const PARTITION: &str = "pk";
pub(crate) const SORT: &str = "sk";
pub(crate) const REV: &str = "rev";
pub(crate) const EXPIRES_AT: &str = "expires_at";
pub(crate) const INDEX_PARTITION: &str = "gpk";
pub(crate) const INDEX_SORT: &str = "gsk";

/// What the tables are called here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// Name of [`Table::Directory`].
    pub directory: String,
    /// Name of [`Table::Runs`].
    pub runs: String,
    /// Name of [`Table::Records`].
    pub records: String,
}

impl TableNames {
    /// `{prefix}-directory`, `{prefix}-runs`, `{prefix}-records`.
    pub fn with_prefix(prefix: &str) -> Self {
        let name = |table| format!("{prefix}-{table}");
        Self { directory: name("directory"), runs: name("runs"), records: name("records") }
    }

    pub(crate) fn of(&self, table: Table) -> &str {
        match table {
            Table::Directory => &self.directory,
            Table::Runs => &self.runs,
            Table::Records => &self.records,
        }
    }
}

/// The name of the index of `table`, if it has one.
pub(crate) const fn index_name(table: Table) -> Option<&'static str> {
    match table {
        Table::Directory => None,
        Table::Runs => Some("by-workflow"),
        Table::Records => Some("by-parent"),
    }
}

/// Creates the tables that are not there yet, on demand, with their indexes and their time to live.
///
/// *Once it returns* all three exist. On AWS a new table takes some seconds more until it can be used; the template
/// creates them there.
pub async fn create_tables(client: &Client, names: &TableNames) -> Result<(), Unavailable> {
    for table in [Table::Directory, Table::Runs, Table::Records] {
        let name = names.of(table);
        match definition(client, table).table_name(name).send().await {
            Ok(_) => expire_items(client, name).await?,
            Err(SdkError::ServiceError(answer))
                if matches!(answer.err(), CreateTableError::ResourceInUseException(_)) => {}
            Err(error) => return Err(unavailable(cause(&error))),
        }
    }
    Ok(())
}

fn definition(client: &Client, table: Table) -> CreateTableFluentBuilder {
    let create = client
        .create_table()
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(texts(&[PARTITION, SORT]))
        .set_key_schema(key_schema(PARTITION, SORT));
    let Some(index_name) = index_name(table) else { return create };

    let held = match table {
        Table::Directory | Table::Runs => ProjectionType::KeysOnly,
        Table::Records => ProjectionType::All,
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name(index_name)
        .set_key_schema(key_schema(INDEX_PARTITION, INDEX_SORT))
        .projection(Projection::builder().projection_type(held).build())
        .build()
        .ok();
    create
        .set_attribute_definitions(texts(&[PARTITION, SORT, INDEX_PARTITION, INDEX_SORT]))
        .set_global_secondary_indexes(index.map(|index| vec![index]))
}

async fn expire_items(client: &Client, name: &str) -> Result<(), Unavailable> {
    let by_attribute = TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES_AT).build().ok();
    client
        .update_time_to_live()
        .table_name(name)
        .set_time_to_live_specification(by_attribute)
        .send()
        .await
        .map_err(|error| unavailable(cause(&error)))?;
    Ok(())
}

fn texts(names: &[&str]) -> Option<Vec<AttributeDefinition>> {
    let text = |name: &&str| {
        AttributeDefinition::builder().attribute_name(*name).attribute_type(ScalarAttributeType::S).build().ok()
    };
    names.iter().map(text).collect()
}

fn key_schema(partition: &str, sort: &str) -> Option<Vec<KeySchemaElement>> {
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().ok();
    Some(vec![element(partition, KeyType::Hash)?, element(sort, KeyType::Range)?])
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "store", cause }
}
