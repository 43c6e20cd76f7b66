#!/usr/bin/env bash
# Runs the tests on the TensorFlows between the oldest and the newest, one temporary environment at a time.
# Usage: scripts/matrix.sh [VERSION ...]
set -euo pipefail
cd "$(dirname "$0")/.."
export TF_CPP_MIN_LOG_LEVEL=3 PIP_DISABLE_PIP_VERSION_CHECK=1
failed=""
for version in "${@:-2.16 2.17 2.18 2.19 2.20}"; do
  for v in $version; do
    environment=".venv-matrix-$v"
    trap 'rm -rf "$environment"' EXIT
    "${PYTHON:-python3}" -m venv "$environment"
    "$environment/bin/pip" install -q "tensorflow==$v.*" "tf-keras==$v.*" tf-slim==1.1.0 google-crc32c cramjam ml_dtypes \
      click rich pyarrow safetensors Pillow scikit-learn pandas tensorboard "setuptools<81" pytest pytest-xdist hypothesis
    echo "== TensorFlow $v"
    "$environment/bin/python" -m pytest -q -n 2 -m "not slow and not peer" || failed="$failed $v"
    rm -rf "$environment"
  done
done
[ -z "$failed" ] || { echo "Failed on TensorFlow$failed"; exit 1; }
