"""Rules about vocabulary files: those that lookup tables are filled from."""

from collections.abc import Callable, Iterator

from tf1hub.checks.linting.findings import ERROR, WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.gathered_rows import GatheredRows, gathered_rows
from tf1hub.checks.linting.reuse.text_tables import TextContents, TextTable, read_contents, text_tables
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted

_MOST_LINES = 5
# Matrices are made larger up to a multiple of this, because hardware multiplies such faster.
_PADDED = 64
Vocabulary = tuple[Variant, TextTable, TextContents]


def vocabularies_of(module: LintedModule) -> list[Vocabulary]:
    """Every table that is filled from a file which can be read, with what is in the file."""
    read: dict[TextTable, TextContents | None] = {}
    found = []
    for variant in module.variants:
        for table in text_tables(variant):
            if table not in read:
                read[table] = read_contents(table)
            contents = read[table]
            if contents is not None:
                found.append((variant, table, contents))
    return found


def _each_file_once(module: LintedModule, is_wrong: Callable[[TextContents], bool]) -> list[Vocabulary]:
    """The vocabularies with something wrong in them; a file that fills several tables of a variant counts once."""
    wrong = [each for each in module.kept(vocabularies_of) if is_wrong(each[2])]
    return list({(variant.tags, table.path): (variant, table, contents) for variant, table, contents in wrong}.values())


@rule("vocabulary-duplicates", ERROR, "a vocabulary with the same token twice")
def vocabulary_duplicates(module: LintedModule) -> Iterator[Problem]:
    """Yields the vocabularies that give one key several values."""
    for variant, table, contents in _each_file_once(module, lambda contents: bool(contents.duplicates)):
        tokens = [token for token, _ in contents.duplicates]
        _, lines = contents.duplicates[0]
        yield Problem(
            f"The vocabulary {module.path_inside(table.path)!r} holds {counted(len(tokens), 'token')} more than once:"
            f" {named(tokens)} (the first on lines {_numbers(lines)}); TensorFlow refuses to fill a table in which a key"
            " has two values, so the module cannot be used.",
            "Remove the later lines, and their rows of the embeddings.",
            variant.tags,
            node=table.initializer,
            file=module.path_inside(table.path),
        )


@rule("vocabulary-blank-lines", ERROR, "a vocabulary with empty lines")
def vocabulary_blank_lines(module: LintedModule) -> Iterator[Problem]:
    """Yields the vocabularies that have empty lines among those that a table reads."""
    for variant, table, contents in _each_file_once(module, lambda contents: bool(contents.blank)):
        blank = f"{counted(len(contents.blank), 'empty line')} (line{'s' * (len(contents.blank) > 1)}"
        yield Problem(
            f"The vocabulary {module.path_inside(table.path)!r} has {blank} {_numbers(contents.blank)} of {contents.lines:,});"
            " TensorFlow refuses to fill a table from such a file, so the module cannot be used.",
            "Remove the empty lines, those at the end too; for an empty token give it a name such as '<empty>'.",
            variant.tags,
            node=table.initializer,
            file=module.path_inside(table.path),
        )


@rule("vocabulary-size", WARNING, "a vocabulary of another size than its table or its embeddings")
def vocabulary_size(module: LintedModule) -> Iterator[Problem]:
    """Yields the vocabularies whose lines are not as many as the table says, or as the embeddings have rows for."""
    for variant in module.variants:
        own = [(table, contents) for each, table, contents in module.kept(vocabularies_of) if each is variant]
        for table, contents in own:
            if table.lines is not None and table.lines != contents.lines:
                yield _wrong_size(module, variant, table, contents.lines)
        numbered = {table.table: (table, contents) for table, contents in own if table.numbers_lines}
        sizes = {name: _entries(*each) for name, each in numbered.items()}
        for gathered in gathered_rows(variant, sizes) if sizes else ():
            spare = gathered.rows - gathered.needed
            is_padding = spare < _PADDED and gathered.rows % _PADDED == 0
            if spare < 0 or (spare > 0 and gathered.is_all and not is_padding):
                yield _wrong_rows(module, variant, numbered[gathered.table][0], gathered, sizes[gathered.table])


def _entries(table: TextTable, contents: TextContents) -> int:
    return contents.lines if table.lines is None else min(contents.lines, table.lines)


def _wrong_size(module: LintedModule, variant: Variant, table: TextTable, lines: int) -> Problem:
    assert table.lines is not None
    if table.lines > lines:
        effect = "TensorFlow refuses to fill it from fewer, so the module cannot be used"
    else:
        left_out = lines - table.lines
        effect = f"the last {left_out:,} are never found" if left_out > 1 else "the last one is never found"
    name = module.path_inside(table.path)
    return Problem(
        f"The vocabulary {name!r} has {counted(lines, 'line')}, and its table says that it has {table.lines:,}: {effect}.",
        "Ship the vocabulary that the module was trained with, and give its number of lines as `vocab_size`, or none.",
        variant.tags,
        node=table.initializer,
        file=name,
    )


def _wrong_rows(
    module: LintedModule, variant: Variant, table: TextTable, gathered: GatheredRows, entries: int
) -> Problem:
    variable, name = variant.variable_name(gathered.variable), module.path_inside(table.path)
    others = gathered.needed - entries
    ids = counted(entries, "token") + (f" and {others:,} more for others" if others > 0 else "")
    if gathered.needed > gathered.rows:
        missing = gathered.needed - gathered.rows
        last = f"the last {missing:,} lead" if missing > 1 else "the last one leads"
        effect = f"{last} out of it, which fails or gives zeros"
    else:
        spare = gathered.rows - gathered.needed
        last = f"the last {spare:,} are" if spare > 1 else "the last one is"
        effect = f"{last} never used, or vectors belong to other tokens"
    return Problem(
        f"The vocabulary {name!r} gives {counted(gathered.needed, 'id')} ({ids}), and the variable {variable!r} that they"
        f" gather from has {counted(gathered.rows, 'row')}: {effect}.",
        "Ship the vocabulary that the embeddings were trained with, and make the embeddings of just as many rows.",
        variant.tags,
        node=gathered.gather,
        variable=variable,
        file=name,
    )


def _numbers(lines: tuple[int, ...]) -> str:
    shown = ", ".join(f"{line:,}" for line in lines[:_MOST_LINES])
    return shown + (", …" if len(lines) > _MOST_LINES else "")


RULES = (vocabulary_duplicates, vocabulary_blank_lines, vocabulary_size)
