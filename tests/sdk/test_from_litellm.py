"""LiteLLM's documented examples run as they are."""

from __future__ import annotations

import subprocess
import sys

from tests.servers import ROOT

EXPECTED = """basic: Hello, how are you?
streaming: Hello, how are you?
async streaming: Hello, how are you?
rebuilt: Hello, how are you?
tools: get_current_weather stop
passed: Timeout True
passed: anthropic 401
costs: [0.1, 0.1] 0.1
cost per token: (2.5, 10.0)
tokens: 13
fallbacks: sim-echo
router: Hello, how are you?
"""


def test_the_documented_examples_run_with_one_line_changed() -> None:
    command = [sys.executable, "-m", "tests.sdk.from_litellm"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout == EXPECTED
