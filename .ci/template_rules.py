"""The rules template.yaml keeps beyond what cfn-lint knows, and the matrix of who may do what.

A rule is a generator of complaints; a rule that complains of nothing holds.

    template_rules.py            checks everything, prints each rule and the matrix
    template_rules.py --matrix   prints the matrix only, as docs/deploy.md shows it
"""

import re
import sys
import tomllib

from template import (
    BUCKETS,
    DAY_SECONDS,
    FUNCTIONS,
    KEPT_FROM,
    PARAMETERS,
    QUEUES,
    ROLES,
    ROOT,
    RULES_OF_SES,
    TABLES,
    TEMPLATE,
    TOPICS,
    arn_text,
    dead_letter_queues,
    event_sources,
    given_up_to,
    is_read,
    listed,
    queue_pairs,
    resolved,
    resource_policies,
    resources,
    retention,
    role_of,
    statements,
    tail,
    target,
)

STAR_ACTIONS = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}  # AWS knows no resources for these.
PUBLIC_FUNCTIONS = ["FormHookFunction", "WebhookFunction"]  # Whoever knows an address may ask these.
LINKS = "/v1/answers/"  # Whoever was sent a link may ask these, of a function that else takes keys.
SENDING_ACTIONS = {"ses:SendRawEmail", "ses:SendTemplatedEmail"}
# Identities are named by parameters and templates by whoever writes workflows; neither is a resource of this file.
SENDING_ARN = re.compile(
    r"arn:\$\{AWS::Partition\}:ses:\$\{AWS::Region\}:\$\{AWS::AccountId\}:(identity/\$\{(Mail|Sender)Domain\}|template/\*)"
)
MATRIX_MARKS = ("<!-- permissions: printed by .ci/template_rules.py --matrix -->", "<!-- end of permissions -->")


def a_message_stays_hidden_for_six_timeouts():
    for name, source, queue in event_sources():
        least = 6 * FUNCTIONS[name]["Timeout"] + source.get("MaximumBatchingWindowInSeconds", 0)
        hidden = QUEUES[queue]["Properties"].get("VisibilityTimeout", 30)
        if hidden < least:
            yield f"{queue} hides a message for {hidden} s; {name} needs {least} s"


def a_message_is_tried_five_times_then_kept_longer_than_it_could_wait():
    for queue, dead, tries in queue_pairs():
        if dead is None or tries < 5:
            yield f"{queue} gives up after {tries} tries, into {dead}"
        elif retention(dead) < 14 * DAY_SECONDS or retention(dead) <= retention(queue):
            yield f"{dead} keeps a message {retention(dead)} s, {queue} {retention(queue)} s"


def a_function_that_wakes_itself_through_its_queue_may_do_so_often():
    for name, _, queue in event_sources():
        for statement in statements(role_of(name)):
            sends = "sqs:SendMessage" in listed(statement["Action"])
            is_own = queue in [target(resource) for resource in listed(statement["Resource"])]
            if sends and is_own and FUNCTIONS[name].get("RecursiveLoop") != "Allow":
                yield f"{name} sends to {queue}, which it reads, and Lambda ends that after 16 times"


def watched_queues():
    """The queues with an alarm for what is on them; of one that is read, also for what is hidden because it is being read."""
    for alarm in resources("AWS::CloudWatch::Alarm").values():
        properties = alarm["Properties"]
        parts = [metric.get("MetricStat", {}).get("Metric", {}) for metric in properties.get("Metrics", [])] or [properties]
        seen = {}
        for part in parts:
            for dimension in part.get("Dimensions", []):
                seen.setdefault(target(dimension["Value"]), set()).add(part["MetricName"])
        for queue, names in seen.items():
            wanted = {"ApproximateNumberOfMessagesVisible"} | ({"ApproximateNumberOfMessagesNotVisible"} if is_read(queue) else set())
            if wanted <= names:
                yield queue


def a_dead_letter_sounds_an_alarm():
    watched = set(watched_queues())
    yield from (f"{dead} is not watched" for dead in dead_letter_queues() if dead not in watched)


def a_dead_letter_that_is_kept_sounds_an_alarm():
    line = "a dead letter was kept"
    written = f'"{line}"' in (ROOT / "shared/service/src/dead_letters.rs").read_text()
    alarms = [body["Properties"] for body in resources("AWS::CloudWatch::Alarm").values()]
    for name, body in resources("AWS::Logs::MetricFilter").items():
        properties = body["Properties"]
        metric = properties["MetricTransformations"][0]
        readers = {target(FUNCTIONS[reader]["LoggingConfig"]["LogGroup"]) for reader, _, queue in event_sources() if queue in KEPT_FROM}
        is_heard = any(alarm.get("MetricName") == metric["MetricName"] and alarm.get("Namespace") == metric["MetricNamespace"] for alarm in alarms)
        if not (written and line in properties["FilterPattern"] and is_heard and {target(properties["LogGroupName"])} == readers):
            yield f"{name} counts {properties['FilterPattern']} in {target(properties['LogGroupName'])}"
    if not resources("AWS::Logs::MetricFilter"):
        yield "nothing counts the dead letters that are kept"


def a_mail_is_tried_three_times_then_kept_as_long_as_can_be():
    for name, body in resources("AWS::SNS::Subscription").items():
        subscription = body["Properties"]
        function = target(subscription["Endpoint"])
        retries = FUNCTIONS[function].get("EventInvokeConfig", {}).get("MaximumRetryAttempts")
        dead = given_up_to(function)
        if retries != 2 or dead is None or retention(dead) < 14 * DAY_SECONDS:
            yield f"{function} is tried {retries} times again, then {dead}"
        if target(subscription.get("RedrivePolicy", {}).get("deadLetterTargetArn")) != dead:
            yield f"{name} forgets what it may not deliver"


def a_mail_is_stored_where_it_is_read_before_anybody_is_told():
    for name, body in RULES_OF_SES.items():
        rule = body["Properties"]["Rule"]
        stored = rule["Actions"][0].get("S3Action", {})
        if len(rule["Actions"]) != 1 or target(stored.get("TopicArn")) not in TOPICS or not rule.get("ScanEnabled"):
            yield f"{name} does {rule['Actions']}, scanned: {rule.get('ScanEnabled')}"
        if rule["Recipients"] != [{"Ref": "MailDomain"}]:
            yield f"{name} is for {rule['Recipients']}"
        for function, properties in FUNCTIONS.items():
            told = properties["Environment"]["Variables"]
            if "HOOKWRIGHT_MAIL_BUCKET" not in told:
                continue
            read = (target(told["HOOKWRIGHT_MAIL_BUCKET"]), resolved(told["HOOKWRIGHT_MAIL_PREFIX"]))
            if read != (target(stored["BucketName"]), stored["ObjectKeyPrefix"]):
                yield f"{function} reads {read}, {name} stores {stored}"
        if len(RULES_OF_SES) != 1:
            yield "a mail that several rules fit comes several times"


def a_service_is_let_in_for_one_source_of_this_account():
    for name, body in RULES_OF_SES.items():
        rule_set = TEMPLATE["Resources"][target(body["Properties"]["RuleSetName"])]["Properties"]["RuleSetName"]["Fn::Sub"]
        own = f"receipt-rule-set/{rule_set}:receipt-rule/{body['Properties']['Rule']['Name']}"
    for name, statement in resource_policies():
        if statement["Effect"] == "Deny":
            continue
        service, condition = statement["Principal"].get("Service"), statement.get("Condition", {})
        source = next((keys.get("aws:SourceArn") for keys in condition.values() if "aws:SourceArn" in keys), None)
        account = condition.get("StringEquals", {}).get("aws:SourceAccount")
        is_own_rule = arn_text(source).endswith(":${AWS::AccountId}:" + own) and account == {"Ref": "AWS::AccountId"}
        is_own_topic = "ArnEquals" in condition and target(source) in TOPICS
        if not {"ses.amazonaws.com": is_own_rule, "sns.amazonaws.com": is_own_topic}.get(service, False):
            yield f"{name} grants {statement['Sid']} to {statement['Principal']}"
    for name, body in resources("AWS::Lambda::Permission").items():
        permission = body["Properties"]
        # A topic's ARN names its account; SNS says no SourceAccount, so asking for one would let nothing in.
        if permission["Principal"] != "sns.amazonaws.com" or target(permission.get("SourceArn")) not in TOPICS:
            yield f"{name} lets in {permission['Principal']} for {permission.get('SourceArn')}"


def nothing_of_mail_is_there_without_a_mail_domain():
    ours = {**TEMPLATE["Resources"], **TEMPLATE["Outputs"]}
    for name, body in ours.items():
        is_of_mail = name.startswith(("Mail", "EmailHook")) or "ReceiveMail" in name
        if is_of_mail != (body.get("Condition") == "HasMail"):
            yield f"{name} has the condition {body.get('Condition')}"


def a_batch_fails_message_by_message_within_the_reserved_concurrency():
    for name, source, _ in event_sources():
        if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name} fails a batch as a whole"
        most = resolved(source.get("ScalingConfig", {}).get("MaximumConcurrency"))
        if most is None or most > resolved(FUNCTIONS[name].get("ReservedConcurrentExecutions", 0)):
            yield f"{name} may be polled for {most} batches at once, more than it reserves"


def every_function_states_its_size_and_runs_traced_on_arm64():
    wanted = {"Architectures": ["arm64"], "Runtime": "provided.al2023", "Handler": "bootstrap", "Tracing": "Active"}
    for name, function in FUNCTIONS.items():
        yield from (f"{name} has {key} {function.get(key)}" for key, value in wanted.items() if function.get(key) != value)
        own = TEMPLATE["Resources"][name]["Properties"]
        for key in ("MemorySize", "Timeout", "ReservedConcurrentExecutions"):
            if key not in own:
                yield f"{name} leaves {key} to Lambda"


def every_function_is_built_from_its_folder_with_the_lambda_profile():
    for name in FUNCTIONS:
        metadata = TEMPLATE["Resources"][name].get("Metadata", {})
        binary = metadata.get("BuildProperties", {}).get("Binary")
        if metadata.get("BuildMethod") != "rust-cargolambda" or not (ROOT / "functions" / str(binary)).is_dir():
            yield f"{name} is built by {metadata.get('BuildMethod')} from {binary}"
    profile = tomllib.loads((ROOT / "Cargo.toml").read_text())["profile"]["lambda"]
    build = tomllib.loads((ROOT / "CargoLambda.toml").read_text())["build"]
    repeated = tomllib.loads("\n".join(build["config"]))["profile"]["release"]
    meant = {key: value for key, value in profile.items() if key != "inherits"}
    if repeated != meant or not build["disable_optimizations"]:
        yield f"CargoLambda.toml builds with {repeated}, [profile.lambda] says {meant}"


def every_function_has_a_role_and_a_log_group_of_its_own():
    groups = resources("AWS::Logs::LogGroup")
    roles = [role_of(name) for name in FUNCTIONS]
    logs = [target(function.get("LoggingConfig", {}).get("LogGroup")) for function in FUNCTIONS.values()]
    if len(set(roles)) < len(FUNCTIONS) or not set(roles) <= set(ROLES):
        yield f"roles are {roles}"
    if len(set(logs)) < len(FUNCTIONS) or not set(logs) <= set(groups):
        yield f"log groups are {logs}"
    yield from (f"{name} keeps lines for ever" for name, body in groups.items() if "RetentionInDays" not in body["Properties"])


def no_role_reaches_past_a_named_resource():
    indexes = {(name, index["IndexName"]) for name, body in TABLES.items() for index in body["Properties"].get("GlobalSecondaryIndexes", [])}
    for role, body in ROLES.items():
        if "ManagedPolicyArns" in body["Properties"]:
            yield f"{role} takes a managed policy"
        for statement in statements(role):
            actions = set(listed(statement["Action"]))
            if any("*" in action for action in actions):
                yield f"{role} may do {sorted(actions)}"
            for resource in listed(statement["Resource"]):
                if resource == "*" and actions <= STAR_ACTIONS:
                    continue
                if SENDING_ARN.fullmatch(arn_text(resource)) and actions <= SENDING_ACTIONS:
                    if "ses:FromAddress" not in statement.get("Condition", {}).get("StringLike", {}):
                        yield f"{role} may send from any address"
                    continue
                name = target(resource)
                rest = tail(resource) if name else resource
                is_object = name in BUCKETS and re.fullmatch(r"(/\w+)*/\*", rest)
                if name is None or not (rest == "" or is_object or (name, rest.removeprefix("/index/")) in indexes):
                    yield f"{role} reaches {resource}"


def a_function_is_told_of_exactly_what_it_may_touch():
    # The names of the tables go to every function together, because the store adapter carries all three.
    stores = set(TABLES) | set(QUEUES) | set(BUCKETS)
    polled = {(name, queue) for name, _, queue in event_sources()}
    for name, function in FUNCTIONS.items():
        told = {target(value) for value in function["Environment"]["Variables"].values()} & stores
        told |= {queue for reader, queue in polled if reader == name} | {given_up_to(name)} & stores
        allowed = {target(resource) for statement in statements(role_of(name)) for resource in listed(statement["Resource"])} & stores
        if told != allowed | set(TABLES):
            yield f"{name} is told of {sorted(told)} and may touch {sorted(allowed)}"


def who_reads_what_may_be_gone_can_tell_that_it_is():
    # To a role that may not list a bucket S3 answers 403 for what is not there, and each try would end like that.
    for name in FUNCTIONS:
        allowed = [(action, target(resource)) for statement in statements(role_of(name)) for action in listed(statement["Action"]) for resource in listed(statement["Resource"])]
        sends = any(action in SENDING_ACTIONS for action, _ in allowed)
        read = {bucket for action, bucket in allowed if action == "s3:GetObject" and (sends or bucket == "MailBucket")}
        yield from (f"{name} may not list {bucket}" for bucket in sorted(read) if ("s3:ListBucket", bucket) not in allowed)


def what_is_kept_outlives_the_stack():
    for name, body in {**TABLES, **QUEUES, **BUCKETS}.items():
        if (body.get("DeletionPolicy"), body.get("UpdateReplacePolicy")) != ("Retain", "Retain"):
            yield f"{name} goes with the stack"


def every_table_can_be_restored_and_expires_what_may_expire():
    key = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    wanted = {
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        "KeySchema": key,
    }
    for name, body in TABLES.items():
        yield from (f"{name} has {field} {body['Properties'].get(field)}" for field, value in wanted.items() if body["Properties"].get(field) != value)


def buckets_are_private_and_what_is_in_them_outlives_a_dead_letter():
    longest = max(retention(dead) for dead in dead_letter_queues() if dead) / DAY_SECONDS
    mails = {target(body["Properties"]["Rule"]["Actions"][0]["S3Action"]["BucketName"]) for body in RULES_OF_SES.values()}
    for name, body in BUCKETS.items():
        properties = body["Properties"]
        block = properties.get("PublicAccessBlockConfiguration", {})
        if len(block) != 4 or not all(block.values()) or "BucketEncryption" not in properties:
            yield f"{name} is open or unencrypted"
        # A mail is never written twice and has to be gone in the end; a blob may be written again and stays.
        if (properties.get("VersioningConfiguration") == {"Status": "Enabled"}) == (name in mails):
            yield f"{name} has versions: {properties.get('VersioningConfiguration')}"
        for rule in properties["LifecycleConfiguration"]["Rules"]:
            days = rule.get("ExpirationInDays") if name in mails else rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
            if days is None or days < longest or ("ExpirationInDays" in rule) != (name in mails):
                yield f"{name} forgets sooner than a dead letter is forgotten, or never: {rule['Id']}"


def queues_buckets_and_topics_refuse_plain_http():
    refusing = {
        target(resource)
        for _, statement in resource_policies()
        if statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for resource in listed(statement["Resource"])
    }
    yield from (f"{name} answers plain HTTP" for name in {**QUEUES, **BUCKETS, **TOPICS} if name not in refusing)
    yield from (f"{name} is not encrypted" for name, body in QUEUES.items() if not body["Properties"].get("SqsManagedSseEnabled"))


def public_addresses_are_throttled_apart_and_requests_are_logged():
    for name, api in resources("AWS::Serverless::HttpApi").items():
        properties = api["Properties"]
        if "AccessLogSettings" not in properties or "DefaultRouteSettings" not in properties:
            yield f"{name} is not logged or not throttled"
        public = [event for function in PUBLIC_FUNCTIONS for event in FUNCTIONS[function]["Events"].values()]
        public += [event for event in FUNCTIONS["ApiFunction"]["Events"].values() if event["Properties"]["Path"].startswith(LINKS)]
        for event in public:
            route = f"{event['Properties']['Method']} {event['Properties']['Path']}"
            if set(properties.get("RouteSettings", {}).get(route, {})) != {"ThrottlingRateLimit", "ThrottlingBurstLimit"}:
                yield f"{route} has no limit of its own"


def every_parameter_says_what_fits():
    for name, body in PARAMETERS.items():
        bounded = "AllowedPattern" in body or "AllowedValues" in body or {"MinValue", "MaxValue"} <= set(body)
        if not bounded or "Description" not in body:
            yield f"{name} takes anything"


def the_matrix_in_the_docs_is_this_one():
    text = (ROOT / "docs" / "deploy.md").read_text()
    before, found, rest = text.partition(MATRIX_MARKS[0])
    if not found or rest.partition(MATRIX_MARKS[1])[0].strip() != matrix():
        yield "docs/deploy.md shows another one; paste the output of --matrix"


RULES = [
    a_message_stays_hidden_for_six_timeouts,
    a_message_is_tried_five_times_then_kept_longer_than_it_could_wait,
    a_function_that_wakes_itself_through_its_queue_may_do_so_often,
    a_dead_letter_sounds_an_alarm,
    a_dead_letter_that_is_kept_sounds_an_alarm,
    a_mail_is_tried_three_times_then_kept_as_long_as_can_be,
    a_mail_is_stored_where_it_is_read_before_anybody_is_told,
    a_service_is_let_in_for_one_source_of_this_account,
    nothing_of_mail_is_there_without_a_mail_domain,
    a_batch_fails_message_by_message_within_the_reserved_concurrency,
    every_function_states_its_size_and_runs_traced_on_arm64,
    every_function_is_built_from_its_folder_with_the_lambda_profile,
    every_function_has_a_role_and_a_log_group_of_its_own,
    no_role_reaches_past_a_named_resource,
    a_function_is_told_of_exactly_what_it_may_touch,
    who_reads_what_may_be_gone_can_tell_that_it_is,
    what_is_kept_outlives_the_stack,
    every_table_can_be_restored_and_expires_what_may_expire,
    buckets_are_private_and_what_is_in_them_outlives_a_dead_letter,
    queues_buckets_and_topics_refuse_plain_http,
    public_addresses_are_throttled_apart_and_requests_are_logged,
    every_parameter_says_what_fits,
    the_matrix_in_the_docs_is_this_one,
]


def matrix():
    """One row per thing that can be touched, one column per function, the actions in the cells."""
    cells = {}
    for name in FUNCTIONS:
        for statement in statements(role_of(name)):
            for resource in listed(statement["Resource"]):
                cells.setdefault(row_title(resource), {}).setdefault(name, []).extend(listed(statement["Action"]))
    lines = ["| | " + " | ".join(binary(name) for name in FUNCTIONS) + " |", "| --- " * (len(FUNCTIONS) + 1) + "|"]
    for title in sorted(cells):
        row = [", ".join(sorted({action.split(":")[1] for action in cells[title].get(name, [])})) or "-" for name in FUNCTIONS]
        lines.append(f"| {title} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def row_title(resource):
    name = target(resource)
    if SENDING_ARN.fullmatch(arn_text(resource)):
        return "SES, from the mail domain and MailFrom's"
    if name is None:
        return "X-Ray"
    if name in resources("AWS::Logs::LogGroup"):
        return "its own log group"
    return name + tail(resource)


def binary(function):
    return TEMPLATE["Resources"][function]["Metadata"]["BuildProperties"]["Binary"]


def main():
    if sys.argv[1:] == ["--matrix"]:
        print(matrix())
        return 0
    broken = 0
    for rule in RULES:
        complaints = list(rule())
        broken += bool(complaints)
        print("FAIL" if complaints else "ok  ", rule.__name__.replace("_", " "))
        for complaint in complaints:
            print("     -", complaint)
    print(matrix())
    print(f"template rules: {len(RULES) - broken} hold, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
