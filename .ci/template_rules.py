"""The rules template.yaml keeps beyond what cfn-lint knows, and the matrix of who may do what.

A rule is a generator of complaints; a rule that complains of nothing holds. Values are read as a deployment
with every parameter at its default would see them.

    template_rules.py            checks everything, prints each rule and the matrix
    template_rules.py --matrix   prints the matrix only, as docs/deploy.md shows it
"""

import re
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
DAY_SECONDS = 86_400
STAR_ACTIONS = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}  # AWS knows no resources for these.
PUBLIC_FUNCTIONS = ["FormHookFunction", "WebhookFunction"]  # Whoever knows an address may ask these.
MATRIX_MARKS = ("<!-- permissions: printed by .ci/template_rules.py --matrix -->", "<!-- end of permissions -->")


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as their long form: `!Ref X` is `{"Ref": "X"}`."""


def read_tag(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", read_tag)

TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Loader)
PARAMETERS = TEMPLATE["Parameters"]
GLOBALS = TEMPLATE["Globals"]["Function"]


def resources(kind):
    return {name: body for name, body in TEMPLATE["Resources"].items() if body["Type"] == kind}


FUNCTIONS = {name: {**GLOBALS, **body["Properties"]} for name, body in resources("AWS::Serverless::Function").items()}
TABLES = resources("AWS::DynamoDB::Table")
QUEUES = resources("AWS::SQS::Queue")
BUCKETS = resources("AWS::S3::Bucket")
ROLES = resources("AWS::IAM::Role")


def listed(value):
    return value if isinstance(value, list) else [value]


def resolved(value):
    """The value itself, or the default of the parameter it names; of a condition, its first branch."""
    if isinstance(value, dict) and "Fn::If" in value:
        return resolved(value["Fn::If"][1])
    if isinstance(value, dict) and value.get("Ref") in PARAMETERS:
        return PARAMETERS[value["Ref"]].get("Default")
    return value


def target(value):
    """The logical name that `!Ref X`, `!GetAtt X.Arn` or `!Sub ${X.Arn}…` points at; None for anything else."""
    if not isinstance(value, dict):
        return None
    if "Ref" in value:
        return value["Ref"]
    if "Fn::GetAtt" in value:
        return value["Fn::GetAtt"][0]
    found = re.match(r"\$\{(\w+)\.Arn\}", str(value.get("Fn::Sub", "")))
    return found.group(1) if found else None


def statements(role):
    for policy in ROLES[role]["Properties"].get("Policies", []):
        yield from policy["PolicyDocument"]["Statement"]


def role_of(function):
    return target(FUNCTIONS[function].get("Role"))


def event_sources():
    """Each (function, its event's properties, the name of the queue it reads)."""
    for name, function in FUNCTIONS.items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                yield name, event["Properties"], target(event["Properties"]["Queue"])


def queue_pairs():
    """Each (source queue, its dead-letter queue or None, how often a message is tried)."""
    for _, _, queue in event_sources():
        redrive = QUEUES[queue]["Properties"].get("RedrivePolicy", {})
        yield queue, target(redrive.get("deadLetterTargetArn")), redrive.get("maxReceiveCount", 0)


def retention(queue):
    return QUEUES[queue]["Properties"].get("MessageRetentionPeriod", 4 * DAY_SECONDS)


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


def a_dead_letter_sounds_an_alarm():
    watched = {
        target(dimension["Value"])
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("MetricName") == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm["Properties"]["Dimensions"]
    }
    yield from (f"{dead} is not watched" for _, dead, _ in queue_pairs() if dead not in watched)


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
                name = target(resource)
                tail = re.sub(r"^\$\{\w+\.Arn\}", "", str(resource.get("Fn::Sub", ""))) if name else resource
                index = (name, tail.removeprefix("/index/"))
                if name is None or not (tail == "" or (tail == "/*" and name in BUCKETS) or index in indexes):
                    yield f"{role} reaches {resource}"


def a_function_is_told_of_exactly_what_it_may_touch():
    # The names of the tables go to every function together, because the store adapter carries all three.
    stores = set(TABLES) | set(QUEUES) | set(BUCKETS)
    polled = {(name, queue) for name, _, queue in event_sources()}
    for name, function in FUNCTIONS.items():
        told = {target(value) for value in function["Environment"]["Variables"].values()} & stores
        told |= {queue for reader, queue in polled if reader == name}
        allowed = {target(resource) for statement in statements(role_of(name)) for resource in listed(statement["Resource"])} & stores
        if told != allowed | set(TABLES):
            yield f"{name} is told of {sorted(told)} and may touch {sorted(allowed)}"


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


def blobs_are_private_and_outlive_a_dead_letter():
    longest = max(retention(dead) for _, dead, _ in queue_pairs() if dead) / DAY_SECONDS
    for name, body in BUCKETS.items():
        properties = body["Properties"]
        block = properties.get("PublicAccessBlockConfiguration", {})
        if len(block) != 4 or not all(block.values()) or "BucketEncryption" not in properties:
            yield f"{name} is open or unencrypted"
        if properties.get("VersioningConfiguration") != {"Status": "Enabled"}:
            yield f"{name} keeps no versions"
        for rule in properties["LifecycleConfiguration"]["Rules"]:
            if "ExpirationInDays" in rule or rule["NoncurrentVersionExpiration"]["NoncurrentDays"] < longest:
                yield f"{name} forgets sooner than a dead letter is forgotten: {rule['Id']}"


def queues_and_buckets_refuse_plain_http():
    refusing = set()
    for policy in (*resources("AWS::SQS::QueuePolicy").values(), *resources("AWS::S3::BucketPolicy").values()):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Deny":
                yield f"a resource policy grants: {statement['Sid']}"
            elif statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}:
                refusing |= {target(resource) for resource in listed(statement["Resource"])}
    yield from (f"{name} answers plain HTTP" for name in {**QUEUES, **BUCKETS} if name not in refusing)
    yield from (f"{name} is not encrypted" for name, body in QUEUES.items() if not body["Properties"].get("SqsManagedSseEnabled"))


def public_addresses_are_throttled_apart_and_requests_are_logged():
    for name, api in resources("AWS::Serverless::HttpApi").items():
        properties = api["Properties"]
        if "AccessLogSettings" not in properties or "DefaultRouteSettings" not in properties:
            yield f"{name} is not logged or not throttled"
        public = [event for function in PUBLIC_FUNCTIONS for event in FUNCTIONS[function]["Events"].values()]
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
    a_dead_letter_sounds_an_alarm,
    a_batch_fails_message_by_message_within_the_reserved_concurrency,
    every_function_states_its_size_and_runs_traced_on_arm64,
    every_function_is_built_from_its_folder_with_the_lambda_profile,
    every_function_has_a_role_and_a_log_group_of_its_own,
    no_role_reaches_past_a_named_resource,
    a_function_is_told_of_exactly_what_it_may_touch,
    what_is_kept_outlives_the_stack,
    every_table_can_be_restored_and_expires_what_may_expire,
    blobs_are_private_and_outlive_a_dead_letter,
    queues_and_buckets_refuse_plain_http,
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
        row = [", ".join(sorted(action.split(":")[1] for action in cells[title].get(name, []))) or "-" for name in FUNCTIONS]
        lines.append(f"| {title} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def row_title(resource):
    name = target(resource)
    if name is None:
        return "X-Ray"
    if name in resources("AWS::Logs::LogGroup"):
        return "its own log group"
    return name + re.sub(r"^\$\{\w+\.Arn\}", "", str(resource.get("Fn::Sub", "")))


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
