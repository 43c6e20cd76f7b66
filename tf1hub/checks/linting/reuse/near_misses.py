"""Near misses: signatures that come close to a common one, and each detail that is off."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.findings import Problem, named
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.checks.linting.reuse.interface import Endpoint


@dataclass(frozen=True)
class Detail:
    """Something that keeps a signature from being a common one.

    Attributes:
      fault: what it is, as the rest of a sentence that ends in "but".
      remedy: how to mend it, as a sentence.
      endpoint: the input or output that it is about.
    """

    fault: str
    remedy: str
    endpoint: Endpoint | None = None


@dataclass(frozen=True)
class CommonSignature:
    """What many modules agree on. `name` and `consequence` are parts of the sentences about near misses."""

    name: str
    consequence: str

    def problems(self, variant: Variant, details: Iterable[tuple[str, Detail]]) -> Iterator[Problem]:
        """What is to be said of some details, each with its signature; a detail of a tensor that two share is said once."""
        found: dict[tuple[str, tuple[Ref, ...]], list[tuple[str, Detail]]] = {}
        for signature, detail in details:
            refs = detail.endpoint.refs if detail.endpoint is not None else ()
            found.setdefault((detail.fault, refs), []).append((signature, detail))
        for (_, refs), same in found.items():
            signature, detail = same[0]
            also = f" (also {named([name for name, _ in same[1:]])})" if same[1:] else ""
            yield Problem(
                f"The signature {signature!r}{also} comes close to {self.name}, but {detail.fault}, so {self.consequence}.",
                detail.remedy,
                tags=variant.tags,
                signature=signature,
                node=refs[0][0] if refs else None,
            )


def more_inputs(main: Endpoint, inputs: Iterable[Endpoint]) -> Iterator[Detail]:
    """The detail that a signature takes more than its main input."""
    others = [each for each in inputs if each != main]
    if others:
        yield Detail(
            f"it takes {named([each.key for each in others])} besides {main.key!r}",
            f"Leave {main.key!r} as its only input, and offer the others in a second signature on the same tensors.",
            others[0],
        )


def output_details(output: Endpoint, rank_follows: bool = False) -> Iterator[Detail]:
    """What keeps a main output from being float32 [batch, N]; `rank_follows`: its rank is no detail of its own."""
    if output.dtype != "float32":
        yield Detail(
            f"its output {output.key!r} is of type {output.dtype}, not float32",
            "Cast the output: `tf.cast(outputs, tf.float32)`.",
            output,
        )
    if output.rank != 2 and not rank_follows:
        yield Detail(
            f"its output {output.key!r} is not [batch, N]: it has {_shape_of(output)}",
            "Give one vector for each example, of a known width: pool, squeeze or reshape to [None, N].",
            output,
        )
    if output.rank == 2 and (output.shape or (0,))[-1] is None:
        yield Detail(
            f"its output {output.key!r} does not tell its width: it has {_shape_of(output)}",
            "Say the width where the graph lost it, such as `outputs = tf.ensure_shape(outputs, [None, 128])`.",
            output,
        )


def _shape_of(endpoint: Endpoint) -> str:
    return "an unknown shape" if endpoint.shape is None else f"the shape {list(endpoint.shape)}"
