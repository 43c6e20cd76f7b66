"""Embedding files: formats, compressions, headers, and what is no embedding file."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.publishing.embeddings import binary, lines, many_lines
from tf1hub.errors import EmbeddingFileError
from tf1hub.publishing.embeddings.file import open_embedding_file

TOKENS = [b"the", b"cat", b"\xff", "東京".encode()]
VECTORS = np.array([[1, 2, 3], [0.5, -0.25, 0.1], [0, -0.0, 1e-5], [7, 8, 9]], np.float32)


def zipped(data: bytes, *names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("vectors.txt",):
            archive.writestr(name, b"" if name.endswith("/") else data)
    return buffer.getvalue()


COMPRESSIONS = {"": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zip": zipped}
FORMATS = {
    "text": lines(TOKENS, VECTORS),
    "text with a header": b"4 3\n" + lines(TOKENS, VECTORS),
    "word2vec binary": binary(TOKENS, VECTORS),
}


def read(path, allow_nonfinite=False):
    """All tokens and vectors of a file, and the file."""
    tokens, vectors = [], []
    with open_embedding_file(str(path)) as file:
        for some, rows in file.iter_batches(allow_nonfinite):
            tokens += some
            vectors.append(rows)
    return tokens, np.concatenate(vectors), file


def complaint(path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(EmbeddingFileError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "vectors"


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", FORMATS)
def test_formats_and_compressions_show_in_the_contents(file, kind, compression):
    file.write_bytes(COMPRESSIONS[compression](FORMATS[kind]))
    tokens, vectors, opened = read(file)
    assert tokens == TOKENS
    np.testing.assert_array_equal(vectors, VECTORS)
    assert opened.format == kind + (f", {compression}" if compression else "")
    assert opened.warnings == []
    assert opened.bytes_read <= file.stat().st_size
    assert opened.bytes_read == file.stat().st_size or compression == "zip"


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_word2vecs_records_may_end_in_a_line_break(file, end):
    file.write_bytes(binary(TOKENS, VECTORS, end))
    tokens, vectors, _ = read(file)
    assert tokens == TOKENS
    np.testing.assert_array_equal(vectors, VECTORS)


@pytest.mark.parametrize("dimension", [1, 2, 3, 50])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_binary_files_of_many_records_are_recognised(file, dimension, end):
    vectors = np.random.RandomState(0).randn(50_000 // dimension, dimension).astype(np.float32)
    tokens = [b"w%d" % number for number in range(len(vectors))]
    file.write_bytes(binary(tokens, vectors, end))
    found, values, opened = read(file)
    assert (found, opened.format) == (tokens, "word2vec binary")
    np.testing.assert_array_equal(values, vectors)


def test_a_binary_file_of_zeros_is_recognised(file):
    file.write_bytes(binary([b"a", b"b"], np.zeros((2, 300))))
    assert read(file)[2].format == "word2vec binary"


def test_a_binary_file_may_hold_the_empty_token_and_bytes_that_are_no_text(file):
    tokens = [b"", b"\xff\x00", b"a"]
    file.write_bytes(binary(tokens, VECTORS[:3], b""))
    assert read(file)[0] == tokens


def test_a_byte_order_mark_does_not_count(file):
    for text in (FORMATS["text"], FORMATS["text with a header"]):
        file.write_bytes(b"\xef\xbb\xbf" + text)
        assert read(file)[0] == TOKENS


@pytest.mark.parametrize("text", [b"10 2\n20 3\n30 4\n", b"3 1\na 2\nb 3\n", b"5 3"])
def test_two_whole_numbers_may_be_a_token_and_its_value(file, text):
    file.write_bytes(text)
    tokens, vectors, opened = read(file)
    assert (opened.dimension, opened.format) == (1, "text")
    assert tokens == [line.split()[0] for line in text.splitlines()]
    assert vectors[:, 0].tolist() == [float(line.split()[1]) for line in text.splitlines()]


@pytest.mark.parametrize("text", [b"3 1\na 2\nb 3\n", b"400000 300\n", b"400000 300"])
def test_a_first_line_that_may_be_a_header_is_a_warning(file, text):
    file.write_bytes(text)
    assert "was taken for a token and its value" in read(file)[2].warnings[0]


@pytest.mark.parametrize("text", [b"1 2 3\n", b"10 2\n20 3\n", b"a 1\n"])
def test_a_first_line_that_is_no_header_is_no_warning(file, text):
    file.write_bytes(text)
    assert read(file)[2].warnings == []


@pytest.mark.parametrize("text", [b" 1 2\nc 3 4\n", b"2 2\n 1 2\nc 3 4\n"])
def test_the_first_token_may_be_empty(file, text):
    file.write_bytes(text)
    tokens, vectors, _ = read(file)
    assert (tokens, vectors.tolist()) == ([b"", b"c"], [[1, 2], [3, 4]])


@pytest.mark.parametrize("text", [b". . . 1 2\na 3 4\nb 5 6\n", b"a 1 2\n. . . 3 4\n", b". . . 1 2\n", b"1 2 3\n"])
def test_the_dimension_is_that_of_most_lines(file, text):
    file.write_bytes(text)
    assert read(file)[2].dimension == 2


def test_a_last_line_without_line_break_counts(file):
    file.write_bytes(FORMATS["text"].rstrip(b"\n"))
    assert read(file)[0] == TOKENS


def test_empty_lines_are_counted(file):
    file.write_bytes(b"\n" + FORMATS["text"] + b"\n \n")
    assert read(file)[2].skipped_lines == 3


def test_a_header_that_promises_another_number_is_a_warning(file):
    file.write_bytes(b"9 3\n" + FORMATS["text"])
    assert "promises 9 vectors, and it holds 4. It may be cut short" in read(file)[2].warnings[0]
    file.write_bytes(b"2 3\n" + FORMATS["text"])
    assert "promises 2 vectors, and it holds 4." in read(file)[2].warnings[0]


def test_a_header_of_another_dimension_is_an_error_at_the_first_line(file):
    assert "line 2: it has 3 of the 4 values" in complaint(file, b"4 4\n" + FORMATS["text"])


def test_a_binary_file_that_is_cut_short_is_an_error(file):
    data = FORMATS["word2vec binary"]
    for length in range(data.index(b"\n") + 13, len(data) - 1):
        assert "of the 4 that its first line promises" in complaint(file, data[:length])


@pytest.mark.parametrize(("end", "more"), [(b"", 0), (b"\n", 0), (b"", 2), (b"\n", 30_000)])
def test_a_binary_file_that_goes_on_is_a_warning(file, end, more):
    tokens = [b"w%d" % number for number in range(4 + more)]
    file.write_bytes(binary(tokens, np.ones((4 + more, 20)), end, count=4))
    found, _, opened = read(file)
    assert found == tokens[:4]
    assert [warning.partition(" goes on after ")[2] for warning in opened.warnings] == (
        ["the 4 vectors that its first line promises."] if more else []
    )


def test_binary_values_that_are_not_finite_are_an_error(file):
    vectors = VECTORS.copy()
    vectors[2, 1] = np.nan
    assert "vector 3 of 4: value 2 is nan" in complaint(file, binary(TOKENS, vectors))
    file.write_bytes(binary(TOKENS, vectors))
    np.testing.assert_array_equal(read(file, allow_nonfinite=True)[1], vectors)


def test_a_token_that_no_vocabulary_holds_is_an_error(file):
    assert "vector 2 of 4: the token holds a carriage return" in complaint(
        file, binary([b"a", b"b\r", b"c", b"d"], VECTORS)
    )
    assert "vector 2 of 4: the token holds a line break" in complaint(
        file, binary([b"a", b"b\nc", b"c", b"d"], VECTORS)
    )
    assert "line 2: the token holds a carriage return" in complaint(file, b"a 1 2\nb\rc 1 2\n")


@pytest.mark.parametrize("compression", ["gzip", "bzip2", "xz", "zip"])
def test_compressed_data_that_is_damaged_is_an_error(file, compression):
    data = COMPRESSIONS[compression](many_lines(3000, 10))
    for length in (len(data) // 2, len(data) - 4):
        assert "damaged" in (text := complaint(file, data[:length])) or "cannot be read" in text
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 255
    complaint(file, bytes(flipped))


def test_what_lies_beside_the_only_file_in_a_zip_does_not_count(file):
    file.write_bytes(zipped(FORMATS["text"], "folder/", "folder/vectors.txt", "__MACOSX/folder/._vectors.txt"))
    assert read(file)[0] == TOKENS


def test_a_zip_of_several_files_is_an_error_that_lists_them(file):
    text = complaint(file, zipped(FORMATS["text"], "glove.50d.txt", "glove.100d.txt"))
    assert "holds 2 files, not one: 'glove.50d.txt', 'glove.100d.txt'" in text
    assert "unzip -p ARCHIVE MEMBER | tf1hub text-embedding --embedding-file -" in text
    assert "holds 0 files" in complaint(file, zipped(b"", "folder/"))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        ("the 1 2\n".encode("utf-16"), "in UTF-16"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (b"\x89HDF\r\n\x1a\n\0", "an HDF5 file"),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", "a fastText model"),
        (b"name" + b"\0" * 253 + b"ustar\x0000", "a tar archive"),
        (b"a\nb\n", "line 1: neither it nor a line after it ends in a number"),
        (b"\nthe cat sat on a mat\n", "line 2: neither it nor"),
        (b"a,1,2\nb,3,4\n", "Values are written like 0.5, with spaces between them; there are commas in it"),
        (b"a 0,1 0,2\n", "there are commas in it"),
        (gzip.compress(gzip.compress(b"a 1 2\n", mtime=0), mtime=0), "compressed twice"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "zstd -dc FILE | tf1hub text-embedding --embedding-file -"),
        (b"1 99999999999\na \x00\x00\x00\x00\n", "vectors of 99999999999 values cannot be"),
        (b"a\t1\t2\nb\t1\t2\n", "line 1: it has 0 of the 2 values that the others have; there are tabs in it"),
    ],
)
def test_what_is_no_embedding_file_is_said(file, data, problem):
    assert problem in complaint(file, data)


def test_a_bad_line_is_named_by_its_number_in_the_whole_file(file):
    good = many_lines(30_000, 60)
    bad = b"bad" + b" x" * 60 + b"\n"
    for text, line in (
        (good, 30_001),
        (b"40000 60\n" + good, 30_002),
        (good.replace(b"\nw5 ", b"\n\n \nw5 "), 30_003),
    ):
        assert f"line {line}: 'x' is no number" in complaint(file, text + bad + good)


@settings(deadline=None, max_examples=300)
@given(data=st.binary(max_size=200), kind=st.sampled_from([*FORMATS]), compression=st.sampled_from([*COMPRESSIONS]))
def test_only_our_own_error_comes_out_of_damaged_files(tmp_path_factory, data, kind, compression):
    whole = COMPRESSIONS[compression](FORMATS[kind])
    at = sum(data) % len(whole)
    path = tmp_path_factory.getbasetemp() / "damaged"
    for damaged in (data, whole[:at], whole[:at] + data + whole[at + len(data) :]):
        path.write_bytes(damaged)
        try:
            read(path)
        except EmbeddingFileError as error:
            assert str(path) in str(error)  # noqa: PT017
