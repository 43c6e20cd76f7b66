"""What `train_and_evaluate` calls after an evaluation to export a model or modules."""

import abc
from typing import Any


class Exporter(abc.ABC):
    """Something that exports what was trained. Give it to `EvalSpec(exporters=...)`."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The name of the folder that it exports to, below `export/` in the directory of the model."""

    @abc.abstractmethod
    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str | None,
        eval_result: dict[str, Any] | None,
        is_the_final_export: bool | None,
    ) -> Any:
        """Exports, or decides that there is nothing to export.

        Args:
          estimator: the Estimator that was trained.
          export_path: the directory to write to.
          checkpoint_path: the checkpoint to export.
          eval_result: the metrics of the evaluation of that checkpoint, by name.
          is_the_final_export: whether training has ended.

        Returns:
          The directory of the export, None when nothing was exported.
        """
