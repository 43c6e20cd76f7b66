"""Which library brings an op that TensorFlow does not have, as far as the op's name tells."""

import re

# The names of the ops that a library registers, whole or by how all of them begin; the library, and how a program gets it.
_LIBRARIES = (
    (r"TFText>.+|SentencepieceOp|Sentencepiece(?:Tokenize|TokenizeWithOffsets|Detokenize|VocabSize|IdToString|StringToId)Op"
     r"|(?:Wordpiece|FastWordpiece|Whitespace|UnicodeScript|SplitMerge)TokenizeWithOffsets|RegexSplitWithOffsets|CaseFoldUTF8"
     r"|NormalizeUTF8(?:WithOffsetsMap)?|SentenceFragments(?:V2)?|ConstrainedSequence|RougeL",
     "`import tensorflow_text` (pip install tensorflow-text)"),
    (r"Addons>.+", "`import tensorflow_addons` (pip install tensorflow-addons)"),
    (r"GatherTree|SkipGramGenerateCandidates|SparseFeatureCross(?:V2)?|Resampler(?:Grad)?|ImageProjectiveTransform"
     r"|ImageConnectedComponents|BipartiteMatch|WALSComputePartialLhsAndRhs|MaskedMatmul|PeriodicResample(?:OpGrad)?"
     r"|HyperplaneLSHProbes",
     "tf.contrib of TensorFlow 1, which TensorFlow 2 does not have; parts of it live on in tensorflow-addons"),
    (r"TRTEngineOp|CreateTRTResourceHandle|InitializeTRTResource|GetCalibrationDataOp",
     "a TensorFlow that was built with TensorRT"),
    (r"IO>.+", "`import tensorflow_io` (pip install tensorflow-io)"),
    (r"DecodeProtoSparse(?:V\d)?|DecodeProtoMap(?:V2)?|EquiJoin(?:Any)?Indices|RunLengthBefore",
     "`import struct2tensor` (pip install struct2tensor)"),
    (r"Horovod[A-Z].+", "`import horovod.tensorflow` (pip install horovod)"),
    (r"SimpleML[A-Z].+", "`import tensorflow_decision_forests`"),
)  # fmt: skip


def find_library(op: str) -> str | None:
    """What likely brings an op, and how to get it; None when the name tells nothing.

    >>> find_library("Addons>ResamplerGrad")
    '`import tensorflow_addons` (pip install tensorflow-addons)'
    """
    return next((library for pattern, library in _LIBRARIES if re.fullmatch(pattern, op)), None)
