"""Hooks of schemathesis for openapi-fuzz.test.ts.

Judges each answer by the list of designs (`x-designs`) of the document itself, and gives requests ids of objects that exist.
Reads CLAVIGER_FUZZ, the path of a JSON file: `document`, `report` (paths), `ids` (known ids by field name), `own` (ids that no
change may touch, because the run would end). Writes the report at the end: `answers` (counts by mode and status), `succeeded`
(operations that answered 2xx), `findings`.
"""

import atexit
import collections
import json
import os
import random
import re
import threading
import uuid

import schemathesis

with open(os.environ["CLAVIGER_FUZZ"]) as file:
    SETUP = json.load(file)
with open(SETUP["document"]) as file:
    DOCUMENT = json.load(file)

RULE = "x-claviger-rule"
# A finding is kept once; a run that finds more than this is broken altogether.
MAX_FINDINGS = 200
lock = threading.Lock()
answers = collections.Counter()
succeeded = set()
findings = {}


def declared(schema):
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].split("/")[-1]]
    return schema


def has_rule(schema, steps):
    """Whether the field that the steps lead to, a field around it, or that very object shows a rule."""
    is_object = "properties" in schema or "oneOf" in schema
    if RULE in schema and not is_object:
        return True
    schema = declared(schema)
    if RULE in schema and not steps:
        return True
    if any(has_rule(each, steps) for key in ("anyOf", "oneOf") for each in schema.get(key, [])):
        return True
    if not steps:
        return False
    if steps[0] in schema.get("properties", {}):
        return has_rule(schema["properties"][steps[0]], steps[1:])
    return "items" in schema and has_rule(schema["items"], steps[1:])


def is_marked(operation, mark, pointer):
    steps = [step for step in pointer.split("/") if step]
    if mark == "x-exclusive":
        return any(steps == [name] for group in operation.get(mark, []) for name in group)
    if any(steps[:1] == [each["name"]] and RULE in each["schema"] for each in operation["parameters"]):
        return True
    body = operation.get("requestBody")
    return body is not None and has_rule(body["content"]["application/json"]["schema"], steps)


def is_design(operation, status, problem):
    """Whether the document says that a request which fits its schemas may be refused like this."""
    for design in DOCUMENT["x-designs"]:
        if status not in design["statuses"]:
            continue
        if "codes" in design and problem.get("code") not in design["codes"]:
            continue
        if "marks" not in design:
            return True
        errors = problem.get("errors", [])
        if errors and all(is_marked(operation, design["marks"], each["pointer"]) for each in errors):
            return True
    return False


@schemathesis.check
def refused_by_design(ctx, response, case):
    mode = case.meta.generation.mode.value if case.meta else "unknown"
    status = response.status_code
    name = f"{case.method} {case.operation.path}"
    with lock:
        answers[f"{mode} {status}"] += 1
        if status < 300:
            succeeded.add(name)
    if status < 400 or (status < 500 and mode != "positive"):
        return
    try:
        problem = response.json()
    except ValueError:
        problem = {"detail": "the answer is no JSON"}
    operation = DOCUMENT["paths"][case.operation.path][case.method.lower()]
    if status < 500 and is_design(operation, status, problem):
        return
    finding = {
        "operation": name,
        "mode": mode,
        "status": status,
        "code": problem.get("code"),
        "detail": problem.get("detail"),
        "errors": problem.get("errors", []),
        "request": {
            "path": case.formatted_path,
            "query": repr(case.query)[:1000],
            "headers": {key: value for key, value in case.headers.items() if key != "Authorization"},
            "body": repr(case.body)[:2000],
        },
    }
    with lock:
        if len(findings) < MAX_FINDINGS:
            pointers = sorted(each["pointer"] for each in finding["errors"])
            findings.setdefault((name, mode, status, finding["code"], tuple(pointers)), finding)


def with_known_ids(values):
    """Puts ids of real objects into most of the fields that are named for one."""
    for name in list(values):
        known = SETUP["ids"].get(name)
        if known and isinstance(values[name], str) and random.random() < 0.7:
            values[name] = random.choice(known)


def without_own_ids(value):
    if isinstance(value, dict):
        return {key: without_own_ids(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_own_ids(each) for each in value]
    return str(uuid.uuid4()) if value in SETUP["own"] else value


def drop_headers_that_do_not_fit(case):
    """Values of earlier answers get into headers, whatever the schema of the header says."""
    if not case.meta or case.meta.generation.mode.value != "positive":
        return
    for each in DOCUMENT["paths"][case.operation.path][case.method.lower()]["parameters"]:
        pattern = each["schema"].get("pattern")
        if each["in"] == "header" and pattern and each["name"] in case.headers:
            if not re.search(pattern, case.headers[each["name"]]):
                del case.headers[each["name"]]


@schemathesis.hook
def before_call(ctx, case, kwargs):
    if case.meta and case.meta.generation.mode.value == "positive":
        with_known_ids(case.path_parameters)
        if isinstance(case.body, dict):
            with_known_ids(case.body)
    if case.method != "GET":
        case.path_parameters = without_own_ids(case.path_parameters)
        if isinstance(case.body, (dict, list)):
            case.body = without_own_ids(case.body)
    # A long poll that nothing ends only takes time from the others.
    if isinstance((case.query or {}).get("waitSeconds"), int):
        case.query["waitSeconds"] = min(case.query["waitSeconds"], 1)
    # The examples of the document would make of every second request a repetition, or a change of another version.
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if "If-Match" in case.headers and random.random() < 0.9:
        del case.headers["If-Match"]
    drop_headers_that_do_not_fit(case)


@atexit.register
def write_report():
    with open(SETUP["report"], "w") as file:
        report = {"answers": answers, "succeeded": sorted(succeeded), "findings": list(findings.values())}
        json.dump(report, file, indent=1, default=str)
