"""The door: light, lazy, silent, and the same names for people and type checkers."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import providers
from tests.servers import ROOT

HEAVY = ("httpx", "tiktoken", "genai_prices", "pydantic", "orjson", "openai", "asyncio", "aiohttp")
LOOK = """
import json, logging, os, signal, sys, threading, warnings

def look():
    return {
        "threads": [each.name for each in threading.enumerate()],
        "open": sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                       if os.path.exists(f"/proc/self/fd/{fd}")),
        "environment": dict(os.environ),
        "handlers": [repr(each) for each in logging.getLogger().handlers],
        "level": logging.getLogger().level,
        "loggers": sorted(logging.getLogger().manager.loggerDict),
        "signals": {each: repr(signal.getsignal(each)) for each in signal.valid_signals()},
        "hooks": [repr(sys.excepthook), repr(sys.meta_path), repr(warnings.filters)],
        "folder": os.getcwd(),
    }

before = look()
modules = set(sys.modules)
import providers
after = look()
told = {"before": repr(before), "after": repr(after), "new": sorted(set(sys.modules) - modules)}
print(json.dumps(told))
"""


def in_a_fresh_process(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_importing_it_changes_nothing_and_imports_nothing_heavy() -> None:
    told = json.loads(in_a_fresh_process(LOOK))

    assert told["before"] == told["after"]
    assert [name for name in told["new"] if name.partition(".")[0] in HEAVY] == []
    assert [name for name in told["new"] if name.startswith("providers")] == ["providers"]


def test_a_call_starts_no_thread_and_an_exit_leaves_no_complaint() -> None:
    code = """
import asyncio, threading
import providers
hello = [{"role": "user", "content": "x"}]
print(providers.completion("sim-echo", hello).choices[0].message.content)
print(asyncio.run(providers.acompletion("sim-echo", hello)).choices[0].message.content)
print(asyncio.run(providers.acompletion("sim-echo", hello)).choices[0].message.content)
print([each.name for each in threading.enumerate()])
"""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["x", "x", "x", "['MainThread']"]
    assert done.stderr == ""


def test_a_forked_child_makes_a_client_of_its_own() -> None:
    code = """
import os
import providers
from providers.sdk.connections import sync_sender
hello = [{"role": "user", "content": "x"}]
providers.completion("sim-echo", hello)
mine = sync_sender()
child = os.fork()
if child == 0:
    answer = providers.completion("sim-echo", hello).choices[0].message.content
    os._exit(0 if answer == "x" and sync_sender() is not mine else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(providers.completion("sim-echo", hello).choices[0].message.content, sync_sender() is mine)
"""
    assert in_a_fresh_process(code).split() == ["0", "x", "True"]


def test_every_name_is_there_and_is_one_object() -> None:
    for name in providers.__all__:
        assert getattr(providers, name) is getattr(providers, name)
    assert set(providers.__all__) <= set(dir(providers))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = providers.nothing


def test_type_checkers_see_the_names_that_people_get() -> None:
    tree = ast.parse(Path(inspect.getfile(providers)).read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        (f".{node.module}", name.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }

    assert seen == {
        (room, name) for room, names in providers.ROOMS.items() for name in names.split()
    }
