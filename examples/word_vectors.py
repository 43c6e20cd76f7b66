"""Word vectors from Python's own documentation: published as a module, used, fine-tuned, published again.

    .venv/bin/python examples/word_vectors.py [--output DIR] [--quick]

The text is what `help()` shows: the topics that come with every CPython. From how often words stand near
each other we learn a vector for each, and publish them as a module that turns sentences into vectors. Then
we act as its user: load it, look at its neighbourhoods, and fine-tune it to tell what a sentence of the
documentation is about.
"""

import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
from terminal import loading_tensorflow, read_options, say

with loading_tensorflow():
    import tensorflow.compat.v1 as tf

    import tf1hub as hub

tf.logging.set_verbosity(tf.logging.ERROR)

# What a sentence is about: the topics of `help()` that each subject is taken from.
SUBJECTS = {
    "text": ["formatstrings", "string-methods", "strings"],
    "debugger": ["debugger"],
    "statements": ["assert", "assignment", "compound", "del", "global", "import", "raise", "return", "yield"],
    "special methods": ["attribute-access", "customization", "numeric-types", "sequence-types"],
}
NEIGHBOURS_OF = ["string", "loop", "exception", "integer", "breakpoint", "inheritance"]
SENTENCES = [
    "The string is padded with zeros on the left.",
    "Set a breakpoint and print the stack trace.",
    "The loop ends when a break statement is executed.",
]
NO_WORD = r"[^a-z0-9_]+"


def sentences_of(topic: str) -> list[str]:
    """The English sentences of a topic: no headlines, no grammar, no code."""
    paragraphs = [text for text in re.split(r"\n\s*\n", topic) if not re.search(r"\*\*\*|::=|>>>", text)]
    prose = [" ".join(text.split()) for text in paragraphs if text.rstrip().endswith((".", ":"))]
    sentences = [sentence for text in prose for sentence in re.split(r"(?<=[.:]) +(?=[A-Z])", text)]
    return [sentence for sentence in sentences if sentence.count(" ") > 4]


def words_of(sentence: str) -> list[str]:
    """The words of a sentence, as the module splits it."""
    return re.sub(NO_WORD, " ", sentence.lower()).split()


def find_vocabulary(sentences: list[list[str]], size: int) -> list[str]:
    """The most frequent words that occur three times or more."""
    counts = Counter(word for sentence in sentences for word in sentence)
    return [word for word, count in counts.most_common(size) if count >= 3]


def learn_vectors(sentences: list[list[str]], vocabulary: list[str], dimension: int) -> np.ndarray:
    """A vector for each word, and a last one of zeros for all others.

    Counts which words stand within five words of each other, weighs this by how much more often they do so
    than by chance (positive pointwise mutual information), and keeps the strongest directions of that.
    """
    number = {word: i for i, word in enumerate(vocabulary)}
    counts = np.zeros((len(vocabulary), len(vocabulary)), np.float32)
    for sentence in sentences:
        known = [number[word] for word in sentence if word in number]
        for i, left in enumerate(known):
            for distance, right in enumerate(known[i + 1 : i + 6], 1):
                counts[left, right] += 1 / distance
                counts[right, left] += 1 / distance
    say(f"counted {np.count_nonzero(counts) // 2:,} pairs of words; looking for {dimension} directions ...")
    context = counts.sum(axis=0) ** 0.75
    chance = np.maximum(np.outer(counts.sum(axis=1), context / context.sum()), 1e-9)
    information = np.log(np.maximum(counts / chance, 1.0))
    directions, strengths, _ = np.linalg.svd(information)
    vectors = directions[:, :dimension] * np.sqrt(strengths[:dimension])
    return np.vstack([vectors, np.zeros((1, dimension), np.float32)])


def make_spec(vocabulary_file: Path, rows: int, dimension: int) -> hub.ModuleSpec:
    """The module: strings [batch] become float32 [batch, dimension]."""

    def module_fn() -> None:
        text = tf.placeholder(tf.string, [None], name="text")
        clean = tf.strings.regex_replace(tf.strings.lower(text), NO_WORD, " ")
        words = tf.strings.split(clean, result_type="RaggedTensor").to_sparse()
        # The file becomes an asset: it is copied into the module, which can then be moved anywhere.
        lines = tf.lookup.TextFileInitializer(
            str(vocabulary_file),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        table = tf.lookup.StaticVocabularyTable(lines, num_oov_buckets=1)
        numbers = tf.SparseTensor(words.indices, table.lookup(words.values), words.dense_shape)
        vectors = tf.get_variable("vectors", [rows, dimension], initializer=tf.zeros_initializer())
        embedding = tf.nn.safe_embedding_lookup_sparse(vectors, numbers, combiner="sqrtn")
        hub.add_signature(inputs=text, outputs=tf.reshape(embedding, [-1, dimension]))

    return hub.create_module_spec(module_fn)


def publish(path: Path, vocabulary: list[str], vectors: np.ndarray) -> None:
    """Exports the module with the learned vectors as the values of its variable."""
    with tempfile.TemporaryDirectory() as folder:
        vocabulary_file = Path(folder, "vocabulary.txt")
        vocabulary_file.write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
        spec = make_spec(vocabulary_file, *vectors.shape)
        with tf.Graph().as_default(), tf.Session() as session:
            module = hub.Module(spec)
            session.run(tf.assign(module.variable_map["vectors"], vectors))
            module.export(path, session)


def embed(path: Path, texts: list[str]) -> np.ndarray:
    """What the module on disk makes of some texts, in a graph and session of its own."""
    with tf.Graph().as_default():
        module = hub.Module(path)
        embeddings = module(texts)
        with tf.Session() as session:
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            return session.run(embeddings)


def nearest(path: Path, vocabulary: list[str], word: str, count: int = 6) -> list[str]:
    """The words whose vectors point most nearly where the word's own does."""
    vectors = embed(path, [*vocabulary, word])
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    order = np.argsort(-vectors[:-1] @ vectors[-1])
    return [vocabulary[i] for i in order if vocabulary[i] != word][:count]


def make_task() -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Sentences, each with the number of its only subject, for training and for testing."""
    subjects: dict[str, set[int]] = {}
    for number, names in enumerate(SUBJECTS.values()):
        for sentence in (sentence for name in names for sentence in sentences_of(topics.get(name, ""))):
            subjects.setdefault(sentence, set()).add(number)
    examples = [(sentence, *numbers) for sentence, numbers in subjects.items() if len(numbers) == 1]
    order = np.random.RandomState(1).permutation(len(examples))
    cut = len(examples) * 3 // 4
    return [examples[i] for i in order[:cut]], [examples[i] for i in order[cut:]]


def classify(path: Path, trainable: bool, steps: int, tuned: Path | None = None) -> float:
    """Trains a classifier of sentences on top of the module; returns its accuracy on unseen sentences.

    With `trainable` the module's variables are trained too, and the module is exported to `tuned`.
    """
    training, testing = make_task()
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        text = tf.placeholder(tf.string, [None])
        label = tf.placeholder(tf.int64, [None])
        module = hub.Module(path, trainable=trainable)
        logits = tf.layers.dense(module(text), len(SUBJECTS))
        loss = tf.losses.sparse_softmax_cross_entropy(label, logits)
        train = tf.train.AdamOptimizer(0.01).minimize(loss)
        accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), label), tf.float32))
        tested = dict(zip((text, label), zip(*testing, strict=True), strict=True))
        batches = np.random.RandomState(2)
        with tf.Session() as session:
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            for step in range(steps + 1):
                if step % max(1, steps // 4) == 0:
                    now = session.run(accuracy, tested)
                    say(f"  step {step:4d}: {now:.1%} of {len(testing)} unseen sentences right")
                batch = [training[i] for i in batches.randint(len(training), size=64)]
                session.run(train, dict(zip((text, label), zip(*batch, strict=True), strict=True)))
            if tuned is not None:
                module.export(tuned, session)
            return float(session.run(accuracy, tested))


def learn_and_publish(path: Path, size: int, dimension: int) -> list[str]:
    """The publisher's part. Returns the vocabulary."""
    # A set, since topics include each other; sorted, since the order of a set is not the same each time.
    sentences = sorted({sentence for topic in topics.values() for sentence in sentences_of(topic)})
    words = [words_of(sentence) for sentence in sentences]
    say(f"read {len(sentences):,} sentences, {sum(map(len, words)):,} words, of Python's documentation")
    vocabulary = find_vocabulary(words, size)
    vectors = learn_vectors(words, vocabulary, dimension)
    publish(path, vocabulary, vectors)
    say(f"published {len(vocabulary):,} words as a module: {path}")
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        say(f"  {file.stat().st_size:9,} bytes  {file.relative_to(path)}")
    return vocabulary


def use(path: Path, vocabulary: list[str]) -> np.ndarray:
    """The user's part: embeds sentences and finds neighbours. Returns the sentences' vectors."""
    embeddings = embed(path, SENTENCES)
    say(f"loaded it from disk into a new graph; sentences become float32 {list(embeddings.shape)}:")
    for sentence, vector in zip(SENTENCES, embeddings, strict=True):
        say(f"  {sentence:50} {np.array2string(vector[:4], precision=2, floatmode='fixed')} ...")
    say("the nearest neighbours of some words:")
    for word in NEIGHBOURS_OF:
        say(f"  {word:12} {', '.join(nearest(path, vocabulary, word))}")
    return embeddings


def fine_tune(path: Path, tuned: Path, steps: int) -> None:
    """Trains on top of the module as it is, then together with it, and exports the result."""
    say(f"task: which of {len(SUBJECTS)} subjects is a sentence about? ({', '.join(SUBJECTS)})")
    say("training a classifier on the module as it is ...")
    before = classify(path, trainable=False, steps=steps)
    say("fine-tuning the module with the classifier ...")
    after = classify(path, trainable=True, steps=steps, tuned=tuned)
    say(f"accuracy on unseen sentences: {before:.1%} before fine-tuning, {after:.1%} after")
    say(f"published the tuned module: {tuned}")


def compare(path: Path, tuned: Path, answers: np.ndarray) -> None:
    """Loads both modules again and shows which of them answers otherwise than before."""
    first = np.abs(embed(path, SENTENCES) - answers).max()
    second = np.abs(embed(tuned, SENTENCES) - answers).max()
    say("loaded both from disk again; the largest change of a number in the sentences' vectors is")
    say(f"  {first:.4f} in the first module")
    say(f"  {second:.4f} in the tuned module")
    if first or not second:
        sys.exit("The first module should answer as before, and the tuned one otherwise.")


def main() -> None:
    random.seed(1)  # tf.layers takes the seeds of its initializers from here
    output, quick = read_options(__doc__, ["word_vectors", "word_vectors_tuned"])
    path, tuned = output / "word_vectors", output / "word_vectors_tuned"
    size, dimension, steps = (400, 16, 100) if quick else (4000, 64, 1000)
    say(f"tf1hub {hub.__version__} on TensorFlow {tf.__version__}")
    vocabulary = learn_and_publish(path, size, dimension)
    answers = use(path, vocabulary)
    fine_tune(path, tuned, steps)
    compare(path, tuned, answers)
    say(f"done. The modules are in {output}")


if __name__ == "__main__":
    main()
