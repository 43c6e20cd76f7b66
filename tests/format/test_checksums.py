"""Masked crc32c, against published values."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from tf1hub.format.checksums import extend_crc, mask_crc, masked_crc, unmask_crc


def test_crc_of_the_standard_check_string():
    assert extend_crc(0, b"123456789") == 0xE3069283


def test_crc_of_thirty_two_zeros_as_in_rfc_3720():
    assert extend_crc(0, bytes(32)) == 0x8A9136AA


def test_crc_is_not_zlibs():
    assert extend_crc(0, b"123456789") != zlib.crc32(b"123456789")


def test_masking_rotates_and_adds():
    assert mask_crc(0) == 0xA282EAD8
    assert mask_crc(0x00008000) == 0xA282EAD9
    assert masked_crc(b"") == 0xA282EAD8


@given(st.integers(0, 2**32 - 1))
def test_unmasking_undoes_masking(crc):
    assert unmask_crc(mask_crc(crc)) == crc


def test_a_crc_can_be_extended_across_pieces():
    data = bytes(range(256)) * 3000
    assert extend_crc(extend_crc(0, data[:1000]), data[1000:]) == extend_crc(0, data)
    assert extend_crc(0, memoryview(data)) == extend_crc(0, data)
