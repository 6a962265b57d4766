//! The management API as a table: which request needs which role and does what.
//!
//! The router, the OpenAPI document and the tests of roles are all made from it.

use super::operation::Operation;

/// A method of the management API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Changes some keys.
    Patch,
    /// Changes some keys; workflows and klasses take it as Kustomer does.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The method on the wire.
    pub const fn as_http(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Patch => http::Method::PATCH,
            Self::Put => http::Method::PUT,
            Self::Delete => http::Method::DELETE,
        }
    }
}

/// One route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{…}` for its variable parts.
    pub path: &'static str,
    /// The role its caller needs; `None` for everybody.
    pub permission: Option<&'static str>,
    /// What it does.
    pub operation: Operation,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The schema of what it is sent.
    pub request: Option<&'static str>,
    /// The schema of what it answers; empty for an answer without a body.
    pub response: &'static str,
    /// Whether its `POST` makes something.
    pub creates: bool,
}

impl Route {
    const fn public(path: &'static str, operation: Operation, summary: &'static str, response: &'static str) -> Self {
        Self { method: Method::Get, path, permission: None, operation, summary, request: None, response, creates: true }
    }

    const fn new(
        method: Method,
        path: &'static str,
        permission: &'static str,
        operation: Operation,
        summary: &'static str,
        response: &'static str,
    ) -> Self {
        Self { method, path, permission: Some(permission), operation, summary, request: None, response, creates: true }
    }

    /// Its `POST` creates nothing that stays and answers `200`.
    const fn answering_here(self) -> Self {
        Self { creates: false, ..self }
    }

    const fn taking(self, request: &'static str) -> Self {
        Self { request: Some(request), ..self }
    }
}

use Method::{Delete, Get, Patch, Post, Put};
use Operation as Op;

/// Every route, in the order of the documentation.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    Route::public("/healthz", Op::ReadHealth, "Says that requests are taken.", "Health"),
    Route::public("/v1/openapi.json", Op::ReadOpenApi, "This document.", "Any"),
    Route::public("/v1/schemas/workflow.json", Op::ReadWorkflowSchema, "The JSON Schema of workflow documents, for editors.", "Any"),

    Route::new(Post, "/v1/hooks/{kind}", "org.permission.hook.create", Op::CreateHook, "Creates a hook.", "Hook").taking("HookDraft"),
    Route::new(Get, "/v1/hooks/{kind}", "org.permission.hook.read", Op::ListHooks, "Lists the hooks of a kind, oldest first.", "HookList"),
    Route::new(Get, "/v1/hooks/{kind}/{id}", "org.permission.hook.read", Op::GetHook, "Reads a hook.", "Hook"),
    Route::new(Patch, "/v1/hooks/{kind}/{id}", "org.permission.hook.update", Op::UpdateHook, "Changes a hook; `debug` keeps its interactions for 24 hours.", "Hook").taking("HookPatch"),
    Route::new(Put, "/v1/hooks/{kind}/{id}", "org.permission.hook.update", Op::UpdateHook, "Changes a hook, as PATCH does.", "Hook").taking("HookPatch"),
    Route::new(Delete, "/v1/hooks/{kind}/{id}", "org.permission.hook.delete", Op::DeleteHook, "Deletes a hook; its address takes nothing any more.", ""),
    Route::new(Get, "/v1/hooks/{kind}/{id}/transactions", "org.permission.hook.read", Op::ListHookTransactions, "Lists the last 10 interactions of a hook in debug, newest first.", "InteractionList"),
    Route::new(Get, "/v1/hooks/{kind}/{id}/refusals", "org.permission.hook.read", Op::ListHookRefusals, "Lists the last 20 refusals of a hook with their likely reasons, newest first.", "RefusalList"),
    Route::new(Get, "/v1/hooks/{kind}/{id}/arrivals", "org.permission.hook.read", Op::ListHookArrivals, "Lists the tape of a hook behind `after` or since `since`, oldest first.", "ArrivalList"),
    Route::new(Get, "/v1/hooks/{kind}/{id}/held", "org.permission.hook.read", Op::ListHeldArrivals, "Lists what a paused hook holds, in the order in which it came; `meta.count` is how much.", "HeldArrivalList"),
    Route::new(Get, "/v1/hooks/{kind}/{id}/duplicates", "org.permission.hook.read", Op::ListDuplicates, "Lists the last 20 repeats at a hook, newest first; `meta.count` is how many there were.", "DuplicateList"),
    Route::new(Get, "/v1/hooks/{kind}/{id}/balance", "org.permission.transaction.read", Op::GetHookBalance, "Counts what became of the next `pageSize` arrivals of a hook, newest first; the places add up to `accepted`.", "BalanceList"),
    Route::new(Get, "/v1/balance", "org.permission.transaction.read", Op::GetBalance, "The same of all hooks, one after another; whoever follows `next` adds the pages up.", "BalanceList"),
    Route::new(Post, "/v1/hooks/{kind}/{id}/samples", "org.permission.hook.update", Op::CreateSample, "A sample of a provider's event, signed for this hook and ready to be sent.", "SignedRequest").taking("SampleDraft").answering_here(),
    Route::new(Get, "/v1/hooks/email/{id}/quarantine", "org.permission.hook.read", Op::ListQuarantine, "Lists the mails of an email hook that wait or waited to be released, newest first.", "QuarantinedMailList"),
    Route::new(Post, "/v1/hooks/email/{id}/quarantine/{mail}/release", "org.permission.hook.update", Op::ReleaseMail, "Lets a mail in as if it had passed the hook's policy; doing it again changes nothing.", "QuarantinedMail").answering_here(),
    Route::new(Delete, "/v1/hooks/email/{id}/quarantine/{mail}", "org.permission.hook.update", Op::DiscardMail, "Takes a mail out of quarantine for good.", ""),
    Route::new(Get, "/v1/mail-domain", "org.permission.hook.read", Op::GetMailDomain, "The domain of email hooks, and what its DNS and its owner still need.", "MailDomain"),
    Route::new(Get, "/v1/outbox", "org.permission.outbox.read", Op::ListOutbox, "Lists the mail that workflows sent, newest first; in local mode, where nobody delivers it.", "SentMailList"),
    Route::new(Get, "/v1/outbox/{id}", "org.permission.outbox.read", Op::GetSentMail, "Reads a mail that a workflow sent: its headers, its text and HTML, and the whole message.", "SentMail"),
    Route::new(Get, "/v1/apps", "org.permission.hook.read", Op::ListApps, "Lists the apps that are installed, then those that are built in.", "AppList"),
    Route::new(Post, "/v1/apps", "org.permission.app.create", Op::InstallApp, "Installs a registered app: its hooks, workflows and klasses are there all at once or not at all.", "App").taking("AppInstallation"),
    Route::new(Post, "/v1/apps/available", "org.permission.app.create", Op::RegisterApp, "Registers a version of an app from its definition; all problems are told at once.", "AvailableApp").taking("AppDefinition"),
    Route::new(Get, "/v1/apps/available", "org.permission.app.read", Op::ListAvailableApps, "Lists the apps that were registered, by name.", "AvailableAppList"),
    Route::new(Get, "/v1/apps/available/{name}", "org.permission.app.read", Op::GetAvailableApp, "Reads the newest version of a registered app, or the one that `version` names.", "AvailableApp"),
    Route::new(Get, "/v1/apps/{name}", "org.permission.hook.read", Op::GetApp, "Reads an app with its events, and what it brought along.", "App"),
    Route::new(Put, "/v1/apps/{name}", "org.permission.app.update", Op::UpgradeApp, "Upgrades an installed app to a higher version; runs under way finish on the one they began with.", "App").taking("AppUpgrade"),
    Route::new(Delete, "/v1/apps/{name}", "org.permission.app.delete", Op::UninstallApp, "Uninstalls an app; its hooks, workflows, klasses and settings go, records stay.", ""),
    Route::new(Get, "/v1/apps/{name}/settings", "org.permission.app_setting.read", Op::GetAppSettings, "Reads the settings of an app, which `getAppSetting` gives to workflows.", "AppSettings"),
    Route::new(Put, "/v1/apps/{name}/settings", "org.permission.app_setting.update", Op::UpdateAppSettings, "Changes the settings that are sent; `null` takes one away.", "AppSettings").taking("AppSettingsPatch"),
    Route::new(Patch, "/v1/apps/{name}/settings", "org.permission.app_setting.update", Op::UpdateAppSettings, "Changes settings, as PUT does.", "AppSettings").taking("AppSettingsPatch"),

    Route::new(Post, "/v1/workflows", "org.permission.workflow.create", Op::CreateWorkflow, "Creates a workflow from its document; all problems are told at once.", "Workflow").taking("WorkflowDocument"),
    Route::new(Get, "/v1/workflows", "org.permission.workflow.read", Op::ListWorkflows, "Lists workflows, oldest first.", "WorkflowList"),
    Route::new(Get, "/v1/workflows/{id}", "org.permission.workflow.read", Op::GetWorkflow, "Reads a workflow.", "Workflow"),
    Route::new(Put, "/v1/workflows/{id}", "org.permission.workflow.update", Op::UpdateWorkflow, "Changes the keys that are sent: `{\"enabled\": true}` switches it on.", "Workflow").taking("WorkflowPatch"),
    Route::new(Patch, "/v1/workflows/{id}", "org.permission.workflow.update", Op::UpdateWorkflow, "Changes a workflow, as PUT does.", "Workflow").taking("WorkflowPatch"),
    Route::new(Delete, "/v1/workflows/{id}", "org.permission.workflow.delete", Op::DeleteWorkflow, "Deletes a workflow; its runs stay readable.", ""),
    Route::new(Get, "/v1/workflows/{id}/export", "org.permission.workflow.read", Op::ExportWorkflow, "The document as it was imported, value for value.", "WorkflowDocument"),
    Route::new(Post, "/v1/workflows/{id}/call", "org.permission.workflow.call", Op::CallWorkflow, "Calls a callable workflow and waits up to `wait` seconds for its answer; `202` where the run is still under way.", "Run").taking("WorkflowCall").answering_here(),
    Route::new(Get, "/v1/workflows/{id}/versions", "org.permission.workflow.read", Op::ListWorkflowVersions, "Lists the versions of a workflow, newest first, also of a deleted one.", "WorkflowVersionList"),
    Route::new(Get, "/v1/workflows/{id}/versions/{version}", "org.permission.workflow.read", Op::GetWorkflowVersion, "Reads a version with its document.", "WorkflowVersion"),
    Route::new(Get, "/v1/workflows/{id}/diff", "org.permission.workflow.read", Op::DiffWorkflow, "What is different between two versions: `from` and `to` are numbers, `live` or `draft`.", "WorkflowDiff"),
    Route::new(Post, "/v1/workflows/{id}/rollback", "org.permission.workflow.update", Op::RollBackWorkflow, "Makes an earlier version live again, as a new version.", "Workflow").taking("WorkflowRollback").answering_here(),
    Route::new(Get, "/v1/workflows/{id}/draft", "org.permission.workflow.read", Op::GetDraft, "Reads the draft of a workflow, with what keeps it from being published.", "WorkflowDraft"),
    Route::new(Put, "/v1/workflows/{id}/draft", "org.permission.workflow.update", Op::PutDraft, "Changes the keys that are sent of the draft, which begins as what is live.", "WorkflowDraft").taking("WorkflowPatch"),
    Route::new(Delete, "/v1/workflows/{id}/draft", "org.permission.workflow.update", Op::DeleteDraft, "Deletes the draft; what is live stays.", ""),
    Route::new(Post, "/v1/workflows/{id}/publish", "org.permission.workflow.update", Op::PublishDraft, "Makes the draft live, as a new version.", "Workflow").taking("WorkflowPublication").answering_here(),
    Route::new(Post, "/v1/workflows/{id}/variables", "org.permission.workflow.update", Op::CreateVariable, "Creates a variable; expressions name it by its id, and its value is never given out.", "WorkflowVariable").taking("WorkflowVariableDraft"),
    Route::new(Get, "/v1/workflows/{id}/variables", "org.permission.workflow.read", Op::ListVariables, "Lists the variables of a workflow, oldest first.", "WorkflowVariableList"),
    Route::new(Get, "/v1/workflow-variables/{id}", "org.permission.workflow.read", Op::GetVariable, "Reads a variable, its value masked.", "WorkflowVariable"),
    Route::new(Put, "/v1/workflow-variables/{id}", "org.permission.workflow.update", Op::UpdateVariable, "Changes the name or the value of a variable.", "WorkflowVariable").taking("WorkflowVariableDraft"),
    Route::new(Patch, "/v1/workflow-variables/{id}", "org.permission.workflow.update", Op::UpdateVariable, "Changes a variable, as PUT does.", "WorkflowVariable").taking("WorkflowVariableDraft"),
    Route::new(Delete, "/v1/workflow-variables/{id}", "org.permission.workflow.update", Op::DeleteVariable, "Deletes a variable.", ""),
    Route::new(Post, "/v1/evaluate", "org.permission.workflow.read", Op::Evaluate, "Works out an expression or a condition over the data that is sent, and explains it.", "Evaluation").taking("EvaluationRequest").answering_here(),
    Route::new(Get, "/v1/actions", "org.permission.workflow.read", Op::ListActions, "Lists the actions that steps may use.", "ActionList"),
    Route::new(Get, "/v1/actions/{name}", "org.permission.workflow.read", Op::GetAction, "Reads what an action takes, gives and fails with.", "Action"),
    Route::new(Post, "/v1/schedules", "org.permission.schedule.create", Op::CreateSchedule, "Creates a business schedule; the first one is the default.", "Schedule").taking("ScheduleDraft"),
    Route::new(Get, "/v1/schedules", "org.permission.schedule.read", Op::ListSchedules, "Lists business schedules, oldest first.", "ScheduleList"),
    Route::new(Get, "/v1/schedules/{id}", "org.permission.schedule.read", Op::GetSchedule, "Reads a business schedule.", "Schedule"),
    Route::new(Put, "/v1/schedules/{id}", "org.permission.schedule.update", Op::UpdateSchedule, "Changes the keys that are sent; `isDefault` makes it the default.", "Schedule").taking("ScheduleDraft"),
    Route::new(Patch, "/v1/schedules/{id}", "org.permission.schedule.update", Op::UpdateSchedule, "Changes a business schedule, as PUT does.", "Schedule").taking("ScheduleDraft"),
    Route::new(Delete, "/v1/schedules/{id}", "org.permission.schedule.delete", Op::DeleteSchedule, "Deletes a business schedule.", ""),
    Route::new(Get, "/v1/audit-log", "org.permission.audit_log.read", Op::ListAuditLog, "Lists what was changed through this API, newest first; `objectType`, `objectId`, `key`, `from` and `until` narrow it.", "AuditEntryList"),
    Route::new(Get, "/v1/audit-log/{id}", "org.permission.audit_log.read", Op::GetAuditEntry, "Reads an entry of the audit log.", "AuditEntry"),
    Route::new(Get, "/v1/org", "org.permission.org.read", Op::GetOrg, "Reads the settings of the org.", "Org"),
    Route::new(Put, "/v1/org", "org.permission.org.update", Op::UpdateOrg, "Changes the settings that are sent; with `rev` only if nobody has changed them since.", "Org").taking("OrgPatch"),
    Route::new(Patch, "/v1/org", "org.permission.org.update", Op::UpdateOrg, "Changes the settings of the org, as PUT does.", "Org").taking("OrgPatch"),
    Route::new(Get, "/v1/workflows/{id}/runs", "org.permission.workflow.read", Op::ListRuns, "Lists runs, newest first; `state`, `from`, `until` and `where` narrow it.", "RunList"),
    Route::new(Get, "/v1/runs/{id}", "org.permission.workflow.read", Op::GetRun, "Reads a run with every step.", "Run"),
    Route::new(Post, "/v1/runs/{id}/cancel", "org.permission.run.update", Op::CancelRun, "Ends a run that is not over; what it has done stays done.", "Run").answering_here(),
    Route::new(Post, "/v1/runs/{id}/pause", "org.permission.run.update", Op::PauseRun, "Holds a run until it is resumed.", "Run").answering_here(),
    Route::new(Post, "/v1/runs/{id}/resume", "org.permission.run.update", Op::ResumeRun, "Lets a run that is held go on.", "Run").answering_here(),
    Route::new(Post, "/v1/runs/{id}/answers", "org.permission.run.update", Op::AnswerRun, "Answers a step of the run that waits for an answer.", "Run").taking("RunAnswer").answering_here(),
    Route::new(Post, "/v1/runs/{id}/outcomes", "org.permission.run.update", Op::GiveOutcome, "Says what came of a step for which the run is held because nobody knows.", "Run").taking("RunOutcome").answering_here(),
    Route::new(Post, "/v1/runs/{id}/replays", "org.permission.run.replay", Op::ReplayRun, "Has a run that is over go on from the step that failed, or another one begin that does the same from the start; dry, it only tells.", "Replay").taking("ReplayDraft").answering_here(),
    Route::new(Post, "/v1/workflows/{id}/replays", "org.permission.run.replay", Op::ReplayRuns, "Replays the runs of a workflow that a filter finds, or only counts them.", "Replays").taking("ReplaysDraft").answering_here(),
    Route::new(Post, "/v1/workflows/{id}/what-if", "org.permission.workflow.read", Op::WhatIf, "Tells what another version would have made of the runs that the workflow has had; sends and writes nothing.", "WhatIf").taking("WhatIfDraft").answering_here(),
    Route::new(Post, "/v1/runs/{id}/answer-links", "org.permission.run.update", Op::CreateAnswerLink, "A link that answers a step which waits now, for whoever is to answer it without a key.", "AnswerLink").taking("AnswerLinkDraft").answering_here(),
    Route::new(Post, "/v1/scheduled-runs", "org.permission.workflow.call", Op::CreateScheduledRun, "Has a callable workflow called at a time.", "ScheduledRun").taking("ScheduledRunDraft"),
    Route::new(Get, "/v1/scheduled-runs", "org.permission.workflow.read", Op::ListScheduledRuns, "Lists scheduled runs, the latest first.", "ScheduledRunList"),
    Route::new(Get, "/v1/scheduled-runs/{id}", "org.permission.workflow.read", Op::GetScheduledRun, "Reads a scheduled run, and what became of it.", "ScheduledRun"),
    Route::new(Post, "/v1/scheduled-runs/{id}/cancel", "org.permission.workflow.call", Op::CancelScheduledRun, "Takes a scheduled run back whose time has not come; it stays readable.", "ScheduledRun").answering_here(),
    Route::new(Post, "/v1/recurring-schedules", "org.permission.workflow.call", Op::CreateRecurringSchedule, "Has a callable workflow called again and again.", "RecurringSchedule").taking("RecurringScheduleDraft"),
    Route::new(Get, "/v1/recurring-schedules", "org.permission.workflow.read", Op::ListRecurringSchedules, "Lists recurring schedules, newest first.", "RecurringScheduleList"),
    Route::new(Post, "/v1/recurring-schedules/preview", "org.permission.workflow.read", Op::PreviewRecurrence, "Tells when a recurrence occurs; nothing is made.", "RecurrencePreview").taking("RecurrencePreviewRequest").answering_here(),
    Route::new(Get, "/v1/recurring-schedules/{id}", "org.permission.workflow.read", Op::GetRecurringSchedule, "Reads a recurring schedule, with its next occurrences.", "RecurringSchedule"),
    Route::new(Put, "/v1/recurring-schedules/{id}", "org.permission.workflow.call", Op::UpdateRecurringSchedule, "Changes the keys that are sent.", "RecurringSchedule").taking("RecurringSchedulePatch"),
    Route::new(Patch, "/v1/recurring-schedules/{id}", "org.permission.workflow.call", Op::UpdateRecurringSchedule, "Changes a recurring schedule, as PUT does.", "RecurringSchedule").taking("RecurringSchedulePatch"),
    Route::new(Delete, "/v1/recurring-schedules/{id}", "org.permission.workflow.call", Op::DeleteRecurringSchedule, "Deletes a recurring schedule; what it has made stays.", ""),
    Route::new(Get, "/v1/transactions/{id}", "org.permission.transaction.read", Op::GetTransaction, "Reads a transaction, with the trace of which workflow ran and why.", "Transaction"),
    Route::new(Get, "/v1/dead-letters", "org.permission.dead_letter.read", Op::ListDeadLetters, "Lists messages that were given up, newest first; `state`, `kind`, `hook`, `event`, `reason`, `from` and `until` narrow it.", "DeadLetterList"),
    Route::new(Post, "/v1/dead-letters/redrive", "org.permission.dead_letter.update", Op::RedriveDeadLetters, "Puts the dead letters that the filter fits on the queue again, a few each second; `dryRun` only counts them.", "DeadLetterRedriveResult").taking("DeadLetterRedrive").answering_here(),
    Route::new(Get, "/v1/dead-letters/{id}", "org.permission.dead_letter.read", Op::GetDeadLetter, "Reads a dead letter with its message.", "DeadLetter"),
    Route::new(Post, "/v1/dead-letters/{id}/redrive", "org.permission.dead_letter.update", Op::RedriveDeadLetter, "Puts a dead letter on the queue again; doing it again changes nothing.", "DeadLetter").answering_here(),
    Route::new(Delete, "/v1/dead-letters/{id}", "org.permission.dead_letter.delete", Op::DiscardDeadLetter, "Takes a dead letter away for good.", ""),

    Route::new(Post, "/v1/klasses", "org.permission.klass.create", Op::CreateKlass, "Creates a klass.", "Klass").taking("KlassDraft"),
    Route::new(Get, "/v1/klasses", "org.permission.klass.read", Op::ListKlasses, "Lists klasses by name.", "KlassList"),
    Route::new(Get, "/v1/klasses/{name}", "org.permission.klass.read", Op::GetKlass, "Reads a klass.", "Klass"),
    Route::new(Put, "/v1/klasses/{name}", "org.permission.klass.update", Op::UpdateKlass, "Changes the keys that are sent.", "Klass").taking("KlassPatch"),
    Route::new(Patch, "/v1/klasses/{name}", "org.permission.klass.update", Op::UpdateKlass, "Changes a klass, as PUT does.", "Klass").taking("KlassPatch"),
    Route::new(Delete, "/v1/klasses/{name}", "org.permission.klass.delete", Op::DeleteKlass, "Deletes a klass; its instances stay readable.", ""),

    Route::new(Post, "/v1/customers", "org.permission.customer.create", Op::CreateCustomer, "Creates a customer.", "Customer").taking("CustomerDraft"),
    Route::new(Get, "/v1/customers", "org.permission.customer.read", Op::ListCustomers, "Lists customers, newest first; `email`, `phone`, `externalId` and their like find one.", "CustomerList"),
    Route::new(Get, "/v1/customers/{id}", "org.permission.customer.read", Op::GetCustomer, "Reads a customer by id, or by `email={address}`, `phone={number}`, `externalId={id}` and their like.", "Customer"),
    Route::new(Put, "/v1/customers/{id}", "org.permission.customer.update", Op::UpdateCustomer, "Changes the attributes that are sent; `null` takes one away, `rev` refuses what has changed since.", "Customer").taking("CustomerDraft"),
    Route::new(Patch, "/v1/customers/{id}", "org.permission.customer.update", Op::UpdateCustomer, "Changes a customer, as PUT does.", "Customer").taking("CustomerDraft"),
    Route::new(Delete, "/v1/customers/{id}", "org.permission.customer.delete", Op::DeleteCustomer, "Deletes a customer; what belongs to it stays readable.", ""),
    Route::new(Post, "/v1/customers/{id}/merge", "org.permission.customer.update", Op::MergeCustomers, "Merges another customer into this one.", "Customer").taking("CustomerMerge").answering_here(),
    Route::new(Get, "/v1/customers/{id}/timeline", "org.permission.customer.read", Op::ListTimeline, "Lists what belongs to a customer, newest first.", "RecordList"),
    Route::new(Get, "/v1/customers/{id}/klasses/{name}", "org.permission.kobject.read", Op::ListInstances, "Lists a customer's instances of a klass, newest first.", "RecordList"),
    Route::new(Post, "/v1/customers/{id}/klasses/{name}", "org.permission.kobject.create", Op::CreateInstanceOfCustomer, "Creates an instance of a klass on a customer's timeline.", "Record").taking("RecordDraft"),
    Route::new(Post, "/v1/conversations", "org.permission.conversation.create", Op::CreateConversation, "Creates a conversation with a customer.", "Record").taking("RecordDraft"),
    Route::new(Get, "/v1/conversations", "org.permission.conversation.read", Op::ListConversations, "Lists the conversations of the `customer` in the query, newest first; `externalId` finds one.", "RecordList"),
    Route::new(Get, "/v1/conversations/{id}", "org.permission.conversation.read", Op::GetConversation, "Reads a conversation by id, or by `externalId={id}`.", "Record"),
    Route::new(Put, "/v1/conversations/{id}", "org.permission.conversation.update", Op::UpdateConversation, "Changes the attributes that are sent; `null` takes one away, `rev` refuses what has changed since.", "Record").taking("RecordDraft"),
    Route::new(Patch, "/v1/conversations/{id}", "org.permission.conversation.update", Op::UpdateConversation, "Changes a conversation, as PUT does.", "Record").taking("RecordDraft"),
    Route::new(Delete, "/v1/conversations/{id}", "org.permission.conversation.delete", Op::DeleteConversation, "Deletes a conversation; what belongs to it stays readable.", ""),
    Route::new(Post, "/v1/messages", "org.permission.message.create", Op::CreateMessage, "Creates a message; without a `conversation` it opens one.", "Record").taking("RecordDraft"),
    Route::new(Get, "/v1/messages", "org.permission.message.read", Op::ListMessages, "Lists the messages of a `customer` or a `conversation`, newest first; `externalId` finds one.", "RecordList"),
    Route::new(Get, "/v1/messages/{id}", "org.permission.message.read", Op::GetMessage, "Reads a message by id, or by `externalId={id}`.", "Record"),
    Route::new(Put, "/v1/messages/{id}", "org.permission.message.update", Op::UpdateMessage, "Changes the attributes that are sent; `null` takes one away, `rev` refuses what has changed since.", "Record").taking("RecordDraft"),
    Route::new(Patch, "/v1/messages/{id}", "org.permission.message.update", Op::UpdateMessage, "Changes a message, as PUT does.", "Record").taking("RecordDraft"),
    Route::new(Delete, "/v1/messages/{id}", "org.permission.message.delete", Op::DeleteMessage, "Deletes a message; what belongs to it stays readable.", ""),
    Route::new(Post, "/v1/notes", "org.permission.note.create", Op::CreateNote, "Creates a note in a conversation or on a timeline.", "Record").taking("RecordDraft"),
    Route::new(Get, "/v1/notes", "org.permission.note.read", Op::ListNotes, "Lists the notes of a `customer` or a `conversation`, newest first; `externalId` finds one.", "RecordList"),
    Route::new(Get, "/v1/notes/{id}", "org.permission.note.read", Op::GetNote, "Reads a note by id, or by `externalId={id}`.", "Record"),
    Route::new(Put, "/v1/notes/{id}", "org.permission.note.update", Op::UpdateNote, "Changes the attributes that are sent; `null` takes one away, `rev` refuses what has changed since.", "Record").taking("RecordDraft"),
    Route::new(Patch, "/v1/notes/{id}", "org.permission.note.update", Op::UpdateNote, "Changes a note, as PUT does.", "Record").taking("RecordDraft"),
    Route::new(Delete, "/v1/notes/{id}", "org.permission.note.delete", Op::DeleteNote, "Deletes a note; what belongs to it stays readable.", ""),
    Route::new(Post, "/v1/companies", "org.permission.company.create", Op::CreateCompany, "Creates a company.", "Record").taking("RecordDraft"),
    Route::new(Get, "/v1/companies", "org.permission.company.read", Op::ListCompanies, "Lists companies, newest first; `externalId` finds one.", "RecordList"),
    Route::new(Get, "/v1/companies/{id}", "org.permission.company.read", Op::GetCompany, "Reads a company by id, or by `externalId={id}`.", "Record"),
    Route::new(Put, "/v1/companies/{id}", "org.permission.company.update", Op::UpdateCompany, "Changes the attributes that are sent; `null` takes one away, `rev` refuses what has changed since.", "Record").taking("RecordDraft"),
    Route::new(Patch, "/v1/companies/{id}", "org.permission.company.update", Op::UpdateCompany, "Changes a company, as PUT does.", "Record").taking("RecordDraft"),
    Route::new(Delete, "/v1/companies/{id}", "org.permission.company.delete", Op::DeleteCompany, "Deletes a company; what belongs to it stays readable.", ""),
    Route::new(Post, "/v1/users", "org.permission.user.create", Op::CreateUser, "Creates a user.", "Record").taking("RecordDraft"),
    Route::new(Get, "/v1/users", "org.permission.user.read", Op::ListUsers, "Lists users, newest first; `email` and `externalId` find one.", "RecordList"),
    Route::new(Get, "/v1/users/{id}", "org.permission.user.read", Op::GetUser, "Reads a user by id, or by `externalId={id}`.", "Record"),
    Route::new(Put, "/v1/users/{id}", "org.permission.user.update", Op::UpdateUser, "Changes the attributes that are sent; `null` takes one away, `rev` refuses what has changed since.", "Record").taking("RecordDraft"),
    Route::new(Patch, "/v1/users/{id}", "org.permission.user.update", Op::UpdateUser, "Changes a user, as PUT does.", "Record").taking("RecordDraft"),
    Route::new(Delete, "/v1/users/{id}", "org.permission.user.delete", Op::DeleteUser, "Deletes a user; what belongs to it stays readable.", ""),
    Route::new(Post, "/v1/tags", "org.permission.tag.create", Op::CreateTag, "Creates a tag.", "Record").taking("RecordDraft"),
    Route::new(Get, "/v1/tags", "org.permission.tag.read", Op::ListTags, "Lists tags, newest first.", "RecordList"),
    Route::new(Get, "/v1/tags/{id}", "org.permission.tag.read", Op::GetTag, "Reads a tag.", "Record"),
    Route::new(Put, "/v1/tags/{id}", "org.permission.tag.update", Op::UpdateTag, "Changes the attributes that are sent; `null` takes one away, `rev` refuses what has changed since.", "Record").taking("RecordDraft"),
    Route::new(Patch, "/v1/tags/{id}", "org.permission.tag.update", Op::UpdateTag, "Changes a tag, as PUT does.", "Record").taking("RecordDraft"),
    Route::new(Delete, "/v1/tags/{id}", "org.permission.tag.delete", Op::DeleteTag, "Deletes a tag; what belongs to it stays readable.", ""),
    Route::new(Post, "/v1/klasses/{name}", "org.permission.kobject.create", Op::CreateInstance, "Creates an instance of a klass.", "Record").taking("RecordDraft"),
    Route::new(Get, "/v1/klasses/{name}/instances", "org.permission.kobject.read", Op::ListInstancesOfKlass, "Lists the instances of a klass that belong to no customer, newest first; `externalId` finds any one.", "RecordList"),
    Route::new(Get, "/v1/klasses/{name}/{id}", "org.permission.kobject.read", Op::GetInstance, "Reads an instance by id, or by `externalId={id}`.", "Record"),
    Route::new(Put, "/v1/klasses/{name}/{id}", "org.permission.kobject.update", Op::UpdateInstance, "Changes the attributes that are sent; `null` takes one away, `rev` refuses what has changed since.", "Record").taking("RecordDraft"),
    Route::new(Patch, "/v1/klasses/{name}/{id}", "org.permission.kobject.update", Op::UpdateInstance, "Changes an instance, as PUT does.", "Record").taking("RecordDraft"),
    Route::new(Post, "/v1/klasses/{name}/{id}/relationships", "org.permission.kobject.update", Op::RelateInstance, "Relates an instance to another record, in the place of what it was related to by that name; `relatedId` `null` takes it away.", "Record").taking("InstanceRelation").answering_here(),
    Route::new(Delete, "/v1/klasses/{name}/{id}", "org.permission.kobject.delete", Op::DeleteInstance, "Deletes an instance.", ""),
    Route::new(Post, "/v1/events", "org.permission.event.create", Op::PublishEvent, "Publishes an event, to which workflows may listen; step 1 sees its `data`.", "Event").taking("EventDraft"),

    Route::new(Post, "/v1/webhooks", "org.permission.webhook.create", Op::CreateOutboundWebhook, "Creates an outbound webhook; its secret is in this answer and never again.", "NewWebhook").taking("WebhookDraft"),
    Route::new(Get, "/v1/webhooks", "org.permission.webhook.read", Op::ListOutboundWebhooks, "Lists outbound webhooks, oldest first.", "WebhookList"),
    Route::new(Get, "/v1/webhooks/{id}", "org.permission.webhook.read", Op::GetOutboundWebhook, "Reads an outbound webhook, with how it fares.", "Webhook"),
    Route::new(Put, "/v1/webhooks/{id}", "org.permission.webhook.update", Op::UpdateOutboundWebhook, "Changes the keys that are sent; `{\"enabled\": true}` begins anew after it was disabled.", "Webhook").taking("WebhookPatch"),
    Route::new(Patch, "/v1/webhooks/{id}", "org.permission.webhook.update", Op::UpdateOutboundWebhook, "Changes an outbound webhook, as PUT does.", "Webhook").taking("WebhookPatch"),
    Route::new(Delete, "/v1/webhooks/{id}", "org.permission.webhook.delete", Op::DeleteOutboundWebhook, "Deletes an outbound webhook; what waits for it is not delivered.", ""),
    Route::new(Post, "/v1/webhooks/{id}/rotate-secret", "org.permission.webhook.update", Op::RotateWebhookSecret, "Gives a webhook a new secret, shown in this answer only; the old one signs beside it for `overlapSeconds`.", "NewWebhook").taking("WebhookRotation").answering_here(),
    Route::new(Post, "/v1/webhooks/{id}/ping", "org.permission.webhook.update", Op::PingOutboundWebhook, "Delivers a test event, `kustomer.webhook.ping`, to this webhook alone.", "Delivery"),
    Route::new(Get, "/v1/webhooks/{id}/deliveries", "org.permission.webhook.read", Op::ListDeliveries, "Lists what a webhook was told in the last 30 days, newest first; `state` narrows it.", "DeliveryList"),
    Route::new(Get, "/v1/webhooks/{id}/deliveries/{delivery}", "org.permission.webhook.read", Op::GetDelivery, "Reads a delivery with its attempts and the body that is sent.", "Delivery"),
    Route::new(Post, "/v1/webhooks/{id}/deliveries/{delivery}/resend", "org.permission.webhook.update", Op::ResendDelivery, "Tries a delivery again at once, whatever came of it, under the same `webhook-id`.", "Delivery").answering_here(),

    Route::new(Post, "/v1/api-keys", "org.permission.api_key.create", Op::CreateApiKey, "Creates an API key; its token is in this answer and never again.", "NewApiKey").taking("ApiKeyDraft"),
    Route::new(Get, "/v1/api-keys", "org.permission.api_key.read", Op::ListApiKeys, "Lists API keys, oldest first.", "ApiKeyList"),
    Route::new(Get, "/v1/api-keys/{id}", "org.permission.api_key.read", Op::GetApiKey, "Reads an API key.", "ApiKey"),
    Route::new(Post, "/v1/api-keys/{id}/rotate", "org.permission.api_key.rotate", Op::RotateApiKey, "Creates a key in the place of this one, which goes on working for `overlapSeconds`.", "NewApiKey").taking("ApiKeyRotation"),
    Route::new(Delete, "/v1/api-keys/{id}", "org.permission.api_key.delete", Op::DeleteApiKey, "Deletes an API key; it stops working at once.", ""),
];
