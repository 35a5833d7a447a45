"""Other gateways on the same work: each from its package, in an environment of its own.

| peer | what it does meanwhile |
|---|---|
| direct | nothing: the simulator itself, as the floor |
| nginx | nothing: the limit of a proxy |
| LiteLLM | its master key; no database, so this is its lower bound |
| MLflow | no keys and no money |

They never share our virtual environment: each gets one under `var/bench`, made on first use.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .gateways import HOME, NotHere, Started, end, free_port, spawn, until_answered
from .processes import Cores
from .scenarios import BURST, PACED
from .wire import Dialect

INSTALL_SECONDS = 1_800
KEY = "sk-benchmark"
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  client_max_body_size 8m;
  client_body_buffer_size 1m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  upstream provider {{ server {provider}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Direct:
    """No gateway at all: what the simulator and the driver cost by themselves."""

    pid: int
    name: str = "direct"
    meanwhile: str = "nothing: the simulator itself"

    @contextmanager
    def running(self, simulator_url: str, cores: Cores) -> Iterator[Started]:
        both: Mapping[Dialect, str] = {"openai": "", "anthropic": ""}
        pids = [self.pid]
        yield Started(
            self.name,
            simulator_url,
            "none",
            "",
            None,
            None,
            pids,
            models=both,
            translates=False,
        )


@dataclass(frozen=True, slots=True)
class Nginx:
    name: str = "nginx"
    meanwhile: str = "nothing: bytes through"

    @contextmanager
    def running(self, simulator_url: str, cores: Cores) -> Iterator[Started]:
        binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if binary is None:
            raise NotHere("nginx is not on this machine (Debian package: nginx-light)")
        said = subprocess.run([binary, "-v"], capture_output=True, text=True, check=False)
        with _folder(self.name) as folder:
            port = free_port()
            provider = simulator_url.removeprefix("http://")
            text = NGINX.format(folder=folder, provider=provider, port=port)
            (folder / "nginx.conf").write_text(text)
            command = [binary, "-p", str(folder), "-c", str(folder / "nginx.conf")]
            yield from _served(
                self.name,
                command,
                folder,
                port,
                cores,
                version=(said.stdout + said.stderr).strip().rpartition("/")[2],
                models={"openai": "", "anthropic": ""},
                translates=False,
            )


@dataclass(frozen=True, slots=True)
class Packaged:
    """A gateway that is a Python package: its exact version, and how it is told what to do."""

    name: str
    meanwhile: str
    requirement: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[Dialect, str] = field(default_factory=lambda: {"openai": ""})

    @contextmanager
    def running(self, simulator_url: str, cores: Cores) -> Iterator[Started]:
        scripts = installed(self.name, self.requirement)
        with _folder(self.name) as folder:
            port = free_port()
            config = CONFIGURATIONS[self.name](simulator_url)
            (folder / "config.yaml").write_text(yaml.safe_dump(config))
            words = {"config": str(folder / "config.yaml"), "port": str(port)}
            binary, *rest = (word.format(**words) for word in self.command)
            yield from _served(
                self.name,
                [str(scripts / binary), *rest],
                folder,
                port,
                cores,
                version=self.requirement.partition("==")[2],
                models=self.models,
                translates=True,
                environment={**self.environment, "PATH": f"{scripts}:{os.environ['PATH']}"},
            )


def litellm_configuration(simulator_url: str) -> dict[str, Any]:
    """https://docs.litellm.ai/docs/proxy/configs, 2026-11."""
    targets = {}
    for model in (BURST, PACED):
        targets[model] = {"model": f"openai/{model}", "api_base": f"{simulator_url}/v1"}
        targets[f"anthropic-{model}"] = {"model": f"anthropic/{model}", "api_base": simulator_url}
    return {
        "model_list": [
            {"model_name": name, "litellm_params": {**target, "api_key": "none"}}
            for name, target in targets.items()
        ],
        "general_settings": {"master_key": KEY},
    }


def mlflow_configuration(simulator_url: str) -> dict[str, Any]:
    """https://mlflow.org/docs/latest/genai/governance/ai-gateway, 2026-11."""
    endpoints = []
    for provider, prefix in (("openai", ""), ("anthropic", "anthropic-")):
        config = {f"{provider}_api_key": "none", f"{provider}_api_base": f"{simulator_url}/v1"}
        endpoints += [
            {
                "name": prefix + model,
                "endpoint_type": "llm/v1/chat",
                "model": {"provider": provider, "name": model, "config": config},
            }
            for model in (BURST, PACED)
        ]
    return {"endpoints": endpoints}


CONFIGURATIONS = {"litellm": litellm_configuration, "mlflow": mlflow_configuration}
LITELLM = Packaged(
    "litellm",
    "its master key; no database",
    "litellm[proxy]==1.106.12",
    ("litellm", "--config", "{config}", "--host", "127.0.0.1", "--port", "{port}"),
    {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"},
    {"openai": "", "anthropic": "anthropic-"},
)
MLFLOW = Packaged(
    "mlflow",
    "no keys, no money",
    "mlflow[gateway]==3.17.2",
    (
        *("mlflow", "gateway", "start", "--config-path", "{config}"),
        *("--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
    ),
    {"MLFLOW_DISABLE_TELEMETRY": "true"},
    {"openai": "", "anthropic": "anthropic-"},
)


def installed(name: str, requirement: str) -> Path:
    """The folder of scripts of a peer's own environment, made on first use; raises NotHere."""
    home = HOME / name
    done = home / "installed.txt"
    if not done.exists() or done.read_text() != requirement:
        print(f"  installing {requirement} into {home.relative_to(HOME.parent.parent)}")
        venv.create(home, with_pip=True)
        command = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", requirement]
        pip = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if pip.returncode:
            raise NotHere(f"{requirement} could not be installed: {pip.stderr[-300:]}")
        done.write_text(requirement)
    return home / "bin"


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-run-", dir=HOME) as folder:
        yield Path(folder)


def _served(
    name: str,
    command: list[str],
    folder: Path,
    port: int,
    cores: Cores,
    *,
    version: str,
    models: Mapping[Dialect, str],
    translates: bool,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Started]:
    """Start it, wait for its first 200, and end it when the measuring is done."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI", "ANTHROPIC"))}
    log = HOME / f"{name}.log"
    process = spawn(command, log, cores.gateway, inherited | dict(environment or {}))
    url = f"http://127.0.0.1:{port}"
    try:
        seconds = until_answered(process, f"{url}/v1/chat/completions", KEY, BURST)
        yield Started(
            name,
            url,
            KEY,
            version,
            process,
            seconds,
            [process.pid],
            models=models,
            translates=translates,
        )
    finally:
        end(process)
