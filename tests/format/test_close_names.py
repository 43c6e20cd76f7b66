"""Names that are suggested."""

import time

from tf1hub.format.close_names import find_close_names


def test_the_closest_come_first():
    known = ["dense/bias", "dense_1/kernel", "dense/kernel", "conv/kernel"]
    assert find_close_names("dense/kernal", known)[:2] == ["dense/kernel", "dense_1/kernel"]
    assert find_close_names("nothing like it", known) == []


def test_very_many_and_very_long_names_take_no_time():
    start = time.process_time()
    find_close_names("layer_1/kernel", (f"layer_{at}/kernels" for at in range(10**6)))
    assert find_close_names("x" * 10**6, ["x" * 10**6] * 100) == []
    assert time.process_time() - start < 0.5
