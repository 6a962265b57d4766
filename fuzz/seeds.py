"""Writes what fuzzing starts from, one folder per target: taken from the mails, events and cases that the tests read.

`python3 fuzz/seeds.py FOLDER`. Mails and events are used as they are; HTML and scripts are cut out of the mails.
"""

import email
import hashlib
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAILS = sorted((ROOT / "tests/fixtures/email/mail").glob("*.eml"))
EVENTS = sorted((ROOT / "tests/fixtures/email/events").glob("*"))
BODY_CASES = sorted((ROOT / "shared/ingest/tests/cases").glob("*.json"))
EXPRESSION_TABLES = [ROOT / f"tests/fixtures/{name}.json" for name in ("references", "templates", "functions")]
DOCUMENT_TABLE = ROOT / "tests/fixtures/documents.json"
SCRIPT = re.compile(r"<script[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)


def main(folder):
    for mail in MAILS:
        write(folder / "mime", mail.read_bytes())
        for html in html_of(mail.read_bytes()):
            write(folder / "html", html.encode())
            for script in SCRIPT.findall(html):
                write(folder / "tolerant", script.encode())
    for event in EVENTS:
        write(folder / "ses", event.read_bytes())
    for case in body_cases():
        body = case["body"].encode() if "body" in case else case["bodyLatin1"].encode("latin-1")
        write(folder / "body", (case.get("contentType") or "").encode() + b"\n" + body)
    for row in (row for table in EXPRESSION_TABLES for row in rows(table)):
        write(folder / "expression", json.dumps(row["expression"]).encode())
    for row in rows(DOCUMENT_TABLE):
        write(folder / "document", json.dumps(row["document"]).encode())


def html_of(raw):
    """The HTML parts of a mail, decoded; what Python cannot decode is in the whole mails anyway."""
    for part in email.message_from_bytes(raw).walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            yield (part.get_payload(decode=True) or b"").decode("utf-8", "replace")


def body_cases():
    cases = [case for file in BODY_CASES for case in json.loads(file.read_text())]
    return [case for case in cases if isinstance(case.get("body", case.get("bodyLatin1")), str)]


def rows(table):
    return [row for group in json.loads(table.read_text()) for row in group["rows"]]


def write(folder, content):
    """Named by their content, so that the same seed is there once."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


main(Path(sys.argv[1]))
