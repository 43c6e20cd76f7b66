# The project's commands. `make help` lists them.
PYTHON ?= python3
VENV := .venv
PEER := .venv-peer
PYTEST_ARGS ?=
# Less of TensorFlow's own chatter.
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help venv peer demo test check interop slow soak bench matrix protos ops op-tables rule-table advice clean
help:
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

# What an environment depends on, as a number in the name of its stamp: it is rebuilt when that changes, and only then.
VENV_READY := $(VENV)/.ready-$(shell (sed -n '/^\[project\]/,/^\[tool/p' pyproject.toml; cat requirements/newest.txt; echo $(CURDIR)) | cksum | cut -d' ' -f1)
PEER_READY := $(PEER)/.ready-$(shell (cat requirements/peer.txt; echo $(CURDIR)) | cksum | cut -d' ' -f1)

venv: $(VENV_READY)  ## create .venv: newest TensorFlow, our dependencies, the developers' tools
$(VENV_READY):
	@echo "Creating $(VENV) (a few minutes on a slow network) ..."
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q -r requirements/newest.txt -e '.[tf,dev]'
	@touch $@

peer: $(PEER_READY)  ## create .venv-peer: tensorflow_hub 0.15.0 on TensorFlow 2.15.1
$(PEER_READY):
	@echo "Creating $(PEER) (a few minutes on a slow network) ..."
	rm -rf $(PEER)
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/pip install -q -r requirements/peer.txt
	$(PEER)/bin/python -c "import sysconfig; open(sysconfig.get_path('purelib') + '/tf1hub.pth', 'w').write('$(CURDIR)\n')"
	@touch $@

demo: venv  ## learn word vectors, publish them as a module, use it, fine-tune it
	$(VENV)/bin/python examples/word_vectors.py

test: venv  ## run the tests
	$(VENV)/bin/python -m pytest -n 2 -m "not slow and not peer" $(PYTEST_ARGS)

check: venv  ## lint, types, layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

interop: venv peer  ## exchange modules with tensorflow_hub 0.15.0; run the tests on the oldest TensorFlow
	$(VENV)/bin/python -m pytest -n 2 -m "peer and not slow" $(PYTEST_ARGS)
	$(PEER)/bin/python -m pytest -n 2 -m "not slow and not peer" $(PYTEST_ARGS)

slow: venv peer  ## run the long tests
	$(VENV)/bin/python -m pytest -m "slow" $(PYTEST_ARGS)

soak: venv peer  ## kill exports at very many points (long; by hand)
	TF1HUB_SOAK=1 $(VENV)/bin/pytest -m "slow" -k "kill" $(PYTEST_ARGS)

bench: venv peer  ## time tensorflow_hub, native Keras and tf1hub in turn
	$(VENV)/bin/python -m benchmarks
	$(VENV)/bin/python -m benchmarks.show
	$(VENV)/bin/python -m benchmarks.checkpoint_files
	$(VENV)/bin/python -m benchmarks.text_export
	$(VENV)/bin/python -m benchmarks.tf2
	$(VENV)/bin/python -m benchmarks.lint

protos: venv  ## compile tf1hub/format/protos.proto
	$(VENV)/bin/python -m grpc_tools.protoc -Itf1hub/format --descriptor_set_out=tf1hub/format/protos.binpb \
	  --pyi_out=tf1hub/format protos.proto
	mv tf1hub/format/protos_pb2.pyi tf1hub/format/protos.pyi

ops: peer  ## take the definitions of ops from TensorFlow, for graphs that are built without it
	$(PEER)/bin/python scripts/write_ops.py tf1hub/graph/ops.binpb

op-tables: venv peer  ## take the names of all ops from the oldest and the newest TensorFlow, for lint
	$(VENV)/bin/python scripts/write_op_tables.py tf1hub/checks/linting/reuse
	$(PEER)/bin/python scripts/write_op_tables.py tf1hub/checks/linting/reuse

rule-table: venv  ## lint modules that break one rule each with all rules, and print who speaks
	$(VENV)/bin/python -m scripts.rule_table

advice: venv  ## measure what the advice to publishers brings, for its table and plot
	$(VENV)/bin/python -m scripts.measure_advice

matrix:  ## run the tests on the TensorFlows in between, one temporary environment at a time
	scripts/matrix.sh

clean:  ## remove the environments and all caches
	rm -rf $(VENV) $(PEER) .pytest_cache .mypy_cache .ruff_cache .hypothesis
