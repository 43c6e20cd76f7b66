"""Which library brings an op that TensorFlow does not have, as far as the op's name tells."""

import re

# What an op's name looks like, the library that registers it, and how a program gets that.
_LIBRARIES = (
    (r"Sentencepiece|Wordpiece|TFText>|NormalizeUTF8|CaseFoldUTF8|RegexSplit|UnicodeScript|FastBert|FastWord",
     "`import tensorflow_text` (pip install tensorflow-text)"),
    (r"Addons>", "`import tensorflow_addons` (pip install tensorflow-addons)"),
    (r"GatherTree|BeamSearch|LSTMBlock|GRUBlock|SkipGram|Bucketize|ImageProjective|Monotonic|SparseFeatureCross|Resampler"
     r"|WALSCompute|KmeansPlusPlus|MaskedMatmul|ImageConnectedComponents|BipartiteMatch|PeriodicResample|HyperplaneLSH",
     "tf.contrib of TensorFlow 1, which TensorFlow 2 does not have; parts of it live on in tensorflow-addons"),
    (r"TRTEngine", "a TensorFlow that was built with TensorRT"),
    (r"^IO>|Kafka|DecodeAvro", "`import tensorflow_io` (pip install tensorflow-io)"),
    (r"Ragged.*Struct|Proto|Struct", "`import struct2tensor` (pip install struct2tensor)"),
    (r"Horovod", "`import horovod.tensorflow` (pip install horovod)"),
    (r"EdgeTpu|TPU", "a TensorFlow that was built with support for TPUs"),
    (r"SimpleMLInference|DecisionForest", "`import tensorflow_decision_forests`"),
)  # fmt: skip


def find_library(op: str) -> str | None:
    """What likely brings an op, and how to get it; None when the name tells nothing.

    >>> find_library("Addons>ResamplerGrad")
    '`import tensorflow_addons` (pip install tensorflow-addons)'
    """
    return next((library for pattern, library in _LIBRARIES if re.search(pattern, op)), None)
