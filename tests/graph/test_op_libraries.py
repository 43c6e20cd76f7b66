"""Which library an op is likely from."""

import pytest

from tf1hub.graph.op_libraries import find_library


@pytest.mark.parametrize(
    ("op", "library"),
    [
        ("SentencepieceOp", "tensorflow_text"),
        ("TFText>FastSentencepieceTokenize", "tensorflow_text"),
        ("Addons>Resampler", "tensorflow_addons"),
        ("Resampler", "tf.contrib"),
        ("HorovodAllreduce", "horovod"),
        ("IO>KafkaReadableInit", "tensorflow_io"),
        ("DecodeProtoSparseV4", "struct2tensor"),
        ("SimpleMLInferenceOpWithHandle", "tensorflow_decision_forests"),
        ("TRTEngineOp", "TensorRT"),
    ],
)
def test_the_name_of_an_op_tells_its_library(op, library):
    assert library in find_library(op)


@pytest.mark.parametrize(
    "op",
    [
        *("AcmeTanh", "PrototypeDistance", "BlockStructure", "MyOUTPUTGate", "MonotonicSpline", "BucketizeFast"),
        *(
            "MyResampler",
            "ResamplerOfMine",
            "AcmeIO>Read",
            "FastWordSplit",
            "Structure",
            "BeamSearch",
            "MySentencepieceOp",
        ),
    ],
)
def test_a_name_that_tells_nothing_is_not_guessed_at(op):
    assert find_library(op) is None
