"""What holds for all tests."""

import importlib.metadata
import sys

# Beside the Keras of TensorFlow 2.15, tf_keras changes what that one finds when it loads a model, and TensorFlow itself
# imports tf_keras for tf_slim when it is there. So no test of that environment has it; programs that tests start do.
if importlib.metadata.version("keras").startswith("2."):
    sys.modules["tf_keras"] = None  # type: ignore[assignment]
