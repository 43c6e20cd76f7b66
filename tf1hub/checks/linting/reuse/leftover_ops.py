"""Names of the ops that programs leave in a module's graph, and that are of no use there."""

import re

SUMMARY = re.compile(
    r"(Scalar|Histogram|Image|Audio|Tensor|Merge)Summary(V2)?|Write\w*Summary|\w*Summary(Db|File)?Writer|ImportEvent"
)
SAVER = re.compile(r"(Save|Restore)(V2|Slices?)?|ShardedFile(name|spec)|MergeV2Checkpoints")
INPUT_PIPELINE = re.compile(
    r"(FIFO|PaddingFIFO|RandomShuffle|Priority|Fake)Queue(V2)?|Queue[A-Z]\w*|(\w+Reader|Reader[A-Z]\w*?)(V2)?|RecordInput"
    r"|(OneShot|Anonymous|MultiDevice|AnonymousMultiDevice)?Iterator\w*|(Make|Delete|Serialize|Deserialize)\w*Iterator"
    r"|(OrderedMap|Map)?(Stage|Unstage)\w*|Barrier\w*"
)
"""What takes examples one after the other, and keeps count of them."""

DATASET = re.compile(r"\w*Dataset\w*")
"""Datasets, which may also be part of a computation."""

LEFTOVERS = (SUMMARY, SAVER, INPUT_PIPELINE, DATASET)
