"""What the generator of requests must know of this API: how one gets a token, and what is there to ask for.

Read by schemathesis (SCHEMATHESIS_HOOKS=hooks), run by scripts/fuzz-api, which sets FUZZ_URL, FUZZ_BOOTSTRAP and
FUZZ_THINGS (JSON: the values of places in paths that lead to something).
"""

import json
import os
import random

import requests
import schemathesis

BASE = os.environ["FUZZ_URL"]
THINGS = json.loads(os.environ["FUZZ_THINGS"])
CHANCE = random.Random(int(os.environ.get("FUZZ_SEED", "1")))


@schemathesis.auth(refresh_interval=2)
class FreshToken:
    """A new one every other second: requests may have revoked all there are, or forbidden the bootstrap token."""

    token = None

    def get(self, case, context):
        headers = {"X-Bootstrap-Token": os.environ["FUZZ_BOOTSTRAP"]}
        if FreshToken.token:
            headers["Authorization"] = f"Bearer {FreshToken.token}"
        body = {"subject": "fuzzer", "ttlMinutes": 5, "scopes": ["repo:*:admin"]}
        answer = requests.post(f"{BASE}/v1/auth/pats", json=body, headers=headers, timeout=60)
        if answer.status_code == 200:
            FreshToken.token = answer.json()["token"]
        return FreshToken.token

    def set(self, case, data, context):
        if data:
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Half of what is generated is asked of things that are there."""
    for name in list(path_parameters or {}):
        if name in THINGS and CHANCE.random() < 0.5:
            path_parameters[name] = CHANCE.choice(THINGS[name])
    return path_parameters


@schemathesis.hook
def before_call(context, case, kwargs):
    """Nobody waits for events."""
    if case.operation.path.endswith("/events"):
        wait = str((case.query or {}).get("wait", 20)).strip()
        if wait.isdigit():
            case.query = {**(case.query or {}), "wait": 0}
