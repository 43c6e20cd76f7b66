"""The server of a process in a cluster: what a user sees when it cannot start."""

import json
import socket

import pytest
import tensorflow as tf

from tf1hub.estimator import RunConfig
from tf1hub.training.estimators.cluster_server import start_server


def test_a_taken_port_is_named(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = {"cluster": {"chief": [address], "ps": ["127.0.0.1:1"]}, "task": {"type": "chief", "index": 0}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(settings))
        with pytest.raises(tf.errors.UnknownError, match=f"chief 0 at '{address}'"):
            start_server(RunConfig())
