"""template.yaml as data, and what leads from one of its resources to another.

Values are read as a deployment with a mail domain and every other parameter at its default would see them: of a
condition, its first branch.
"""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
DAY_SECONDS = 86_400


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
TOPICS = resources("AWS::SNS::Topic")
ROLES = resources("AWS::IAM::Role")
RULES_OF_SES = resources("AWS::SES::ReceiptRule")


# Dead-letter queues: whatever reads one keeps what it finds, and nothing is tried there.
KEPT_FROM = {
    redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]
    for redrive in (body["Properties"].get("RedrivePolicy") for body in QUEUES.values())
    if redrive
}


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
    value = resolved(value)
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
        yield from map(resolved, policy["PolicyDocument"]["Statement"])


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
        if queue in KEPT_FROM:
            continue
        redrive = QUEUES[queue]["Properties"].get("RedrivePolicy", {})
        yield queue, target(redrive.get("deadLetterTargetArn")), redrive.get("maxReceiveCount", 0)


def is_read(queue):
    """Whether a function takes what is on the queue."""
    return any(source == queue for _, _, source in event_sources())


def arn_text(resource):
    """What `!Sub` says, without what it is told to put in."""
    return str(listed(resource.get("Fn::Sub", ""))[0]) if isinstance(resource, dict) else str(resource)


def tail(resource):
    """What comes after the ARN of a resource of this file: `/inbound/*`."""
    return re.sub(r"^\$\{\w+\.Arn\}", "", arn_text(resource))


def given_up_to(function):
    """The queue that Lambda puts events into which the function has failed at, where nobody waits for it."""
    failure = FUNCTIONS[function].get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure", {})
    return target(failure.get("Destination"))


def dead_letter_queues():
    yield from (dead for _, dead, _ in queue_pairs())
    yield from filter(None, map(given_up_to, FUNCTIONS))


def resource_policies():
    """Each statement of the policies of queues, buckets and topics, with the name of its policy."""
    for kind in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy"):
        for name, body in resources(kind).items():
            yield from ((name, statement) for statement in body["Properties"]["PolicyDocument"]["Statement"])


def retention(queue):
    return QUEUES[queue]["Properties"].get("MessageRetentionPeriod", 4 * DAY_SECONDS)
