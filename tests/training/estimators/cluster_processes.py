"""The processes of a cluster on this machine: started, waited for, killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = [sys.executable, "-m", "tests.training.estimators.cluster_program"]
PATIENCE = 150
ENDLESS = 10**6


def run_program(*arguments: str, tf_config: dict | None = None, output: Path | None = None) -> subprocess.Popen:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("TF_CONFIG", None)
    if tf_config:
        environment["TF_CONFIG"] = json.dumps(tf_config)
    with open(output or os.devnull, "a") as out, open(f"{output}.errors" if output else os.devnull, "a") as errors:
        return subprocess.Popen([*PROGRAM, *arguments], cwd=ROOT, env=environment, stdout=out, stderr=errors)


def make_module(path: Path) -> str:
    assert run_program("make", str(path)).wait(PATIENCE) == 0
    return str(path)


def free_addresses(count: int) -> list[str]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Cluster:
    """Processes that are all killed when the context ends. A process is named like "worker 0"."""

    def __init__(self, folder: Path, **tasks: int):
        addresses = iter(free_addresses(sum(tasks.values())))
        self._spec = {job: [next(addresses) for _ in range(count)] for job, count in tasks.items()}
        self._folder = folder
        self._module = make_module(folder / "module")
        self._running: dict[str, subprocess.Popen] = {}
        self.model_dir = str(folder / "model")

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
            process.wait()

    def start(self, *names: str, max_steps: int = ENDLESS, step_seconds: float = 0.02) -> None:
        for name in names:
            job, index = name.split()
            tf_config = {"cluster": self._spec, "task": {"type": job, "index": int(index)}}
            arguments = [self._module, self.model_dir, str(max_steps), str(step_seconds)]
            self._running[name] = run_program(*arguments, tf_config=tf_config, output=self._folder / name)

    def start_after_chief(self, *names: str) -> None:
        """Starts the servers and the chief, and the others when the chief is at work.

        A worker that comes before the chief has initialized the model looks again only after 30 seconds.
        """
        self.start(*(f"ps {index}" for index in range(len(self._spec["ps"]))), "chief 0")
        self.wait_for_steps("chief 0", 1)
        self.start(*names)

    def lines(self, name: str, beginning: str) -> list[str]:
        """What follows `beginning` in the lines that the process has printed, in all its lives."""
        if not (self._folder / name).exists():
            return []
        return [
            line.removeprefix(beginning).strip()
            for line in (self._folder / name).read_text().splitlines()
            if line.startswith(beginning)
        ]

    def steps(self, name: str) -> list[int]:
        return [int(step) for step in self.lines(name, "step ")]

    def wait_for_steps(self, name: str, more: int) -> None:
        """Until the process has made so many steps more."""
        deadline = time.monotonic() + PATIENCE
        wanted = len(self.steps(name)) + more
        while len(self.steps(name)) < wanted:
            assert self._running[name].poll() is None, self._errors(name)
            assert time.monotonic() < deadline, f"{name} made {len(self.steps(name))} steps"
            time.sleep(0.1)

    def stop_early(self) -> None:
        """Makes the hook of the chief end the training."""
        Path(self.model_dir, "stop").touch()

    def wait_for_end(self, *names: str) -> None:
        for name in names:
            assert self._running[name].wait(PATIENCE) == 0, self._errors(name)

    def signal(self, name: str, number: signal.Signals) -> int:
        """Sends a signal and returns the exit status."""
        self._running[name].send_signal(number)
        return self._running[name].wait(PATIENCE)

    def _errors(self, name: str) -> str:
        return f"{name}:\n" + (self._folder / f"{name}.errors").read_text()[-3000:]
