"""Whether arrays fit a module's variables: what is said of very many that do not."""

import numpy as np
import pytest

from tf1hub.converting.weights_fit import check_fit
from tf1hub.errors import WeightsError
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.close_names import MOST_HINTS


def test_of_very_many_unknown_names_the_first_ones_get_hints():
    entries = {f"layer_{i}/kernel": TensorEntry(f"layer_{i}/kernel", 1, ()) for i in range(30)}
    arrays = {f"layer_{i}/kernal": np.float32(0) for i in range(30)}
    with pytest.raises(WeightsError) as caught:
        check_fit("module", "file", entries, arrays, partial=True)
    message = str(caught.value)
    assert message.count("is none of its variables") == 30
    assert message.count("close names: ") == MOST_HINTS
    assert "'layer_0/kernal' is none of its variables; close names: layer_0/kernel" in message
