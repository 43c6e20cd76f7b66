"""LatestExporter, BestExporter and FinalExporter: when they export, what they keep, and the best result after a restart."""

import functools
import os
from pathlib import Path

import pytest
import tensorflow as tf

from tests.training.estimators.served import input_fn, receive_texts, trained_estimator
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub import estimator as ours

v1 = tf.compat.v1


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def library(request):
    return request.param


def exported(exporter, estimator, folder, eval_result=None, is_final=False):
    """Whether the exporter exports."""
    path = exporter.export(estimator, str(folder), estimator.latest_checkpoint(), eval_result, is_final)
    assert path is None or os.path.isfile(os.path.join(path, b"saved_model.pb"))
    return path is not None


def write_evaluations(estimator, *results, truncated=False):
    """Summaries of evaluations as `evaluate` writes them: pairs of a step and metrics."""
    folder = Path(estimator.eval_dir())
    for number, (step, metrics) in enumerate(results):
        values = [v1.Summary.Value(tag=tag, simple_value=value) for tag, value in metrics.items()]
        with tf.Graph().as_default(), v1.summary.FileWriter(str(folder), filename_suffix=f".{number}") as writer:
            writer.add_summary(v1.Summary(value=values), step)
    if truncated:
        for path in folder.iterdir():
            path.write_bytes(path.read_bytes() + path.read_bytes()[:20])


def result(loss, step):
    return {"loss": loss, "global_step": step}


def test_the_latest_exporter_keeps_the_newest(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    exporter = library.LatestExporter("latest", receive_texts(library), exports_to_keep=2)
    assert exporter.name == "latest"
    folder = tmp_path / "out"
    (folder / "notes").mkdir(parents=True)
    paths = [exporter.export(estimator, str(folder), estimator.latest_checkpoint(), {}, False) for _ in range(3)]
    assert sorted(os.listdir(folder)) == [*(os.path.basename(path).decode() for path in paths[1:]), "notes"]


def test_what_is_no_export_is_kept(tmp_path):
    estimator = trained_estimator(ours, tmp_path)
    foreign, module = tmp_path / "out" / "1000000000", tmp_path / "out" / "1000000001"
    for folder in (foreign, module):
        folder.mkdir(parents=True)
    (foreign / "thesis.txt").write_text("years of work")
    for name in ("saved_model.pb", "tfhub_module.pb"):
        (module / name).touch()
    exporter = ours.LatestExporter("latest", receive_texts(ours), exports_to_keep=1)
    assert exported(exporter, estimator, tmp_path / "out")
    assert exported(exporter, estimator, tmp_path / "out")
    assert len(os.listdir(tmp_path / "out")) == 3
    assert foreign.exists()
    assert module.exists()


def test_extra_files_and_text_are_passed_on(library, tmp_path):
    (tmp_path / "notes.txt").touch()
    exporter = library.LatestExporter("x", receive_texts(library), {"notes.txt": str(tmp_path / "notes.txt")}, True)
    estimator = trained_estimator(library, tmp_path)
    path = Path(exporter.export(estimator, str(tmp_path / "out"), None, None, False).decode())
    assert (path / "saved_model.pbtxt").exists()
    assert (path / "assets.extra" / "notes.txt").exists()


def test_the_final_exporter_exports_at_the_end(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    exporter = library.FinalExporter("final", receive_texts(library))
    assert exporter.name == "final"
    assert not exported(exporter, estimator, tmp_path / "out", is_final=False)
    assert exported(exporter, estimator, tmp_path / "out", is_final=True)


def test_the_best_exporter_exports_smaller_losses(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    exporter = library.BestExporter(serving_input_receiver_fn=receive_texts(library))
    assert exporter.name == "best_exporter"
    losses = [2.0, 3.0, 1.0, 1.0, float("nan"), 0.5]
    found = [exported(exporter, estimator, tmp_path / "out", result(loss, 2)) for loss in losses]
    assert found == [True, False, True, False, False, True]


def test_better_can_mean_something_else(library, tmp_path):
    def compare(best_eval_result, current_eval_result):
        return current_eval_result["accuracy"] > best_eval_result["accuracy"]

    estimator = trained_estimator(library, tmp_path)
    exporter = library.BestExporter("best", receive_texts(library), compare_fn=compare, exports_to_keep=1)
    found = [exported(exporter, estimator, tmp_path / "out", {"accuracy": value}) for value in (0.5, 0.4, 0.6)]
    assert found == [True, False, True]
    assert len(os.listdir(tmp_path / "out")) == 1


def restarted(tmp_path, *evaluations, truncated=False):
    """An exporter of a new process, after an export and evaluations of an earlier one."""
    estimator = trained_estimator(ours, tmp_path)
    exported(ours.LatestExporter("best", receive_texts(ours)), estimator, tmp_path / "out")
    write_evaluations(estimator, *evaluations, truncated=truncated)
    return ours.BestExporter("best", receive_texts(ours)), estimator


@pytest.mark.parametrize("truncated", [False, True])
def test_the_best_result_survives_a_restart(tmp_path, truncated):
    evaluations = (2, {"loss": 1.0}), (4, {"loss": 1.5}), (6, {"loss": 1.2})
    exporter, estimator = restarted(tmp_path, *evaluations, truncated=truncated)
    assert not exported(exporter, estimator, tmp_path / "out", result(1.2, 6))
    assert exported(exporter, estimator, tmp_path / "out", result(0.9, 8))
    assert not exported(exporter, estimator, tmp_path / "out", result(0.95, 10))


def test_the_summary_of_the_evaluation_itself_does_not_count(tmp_path):
    exporter, estimator = restarted(tmp_path, (2, {"loss": 1.0}), (4, {"loss": 0.9}))
    assert exported(exporter, estimator, tmp_path / "out", result(0.9, 4))


def test_other_summaries_do_not_count(tmp_path):
    exporter, estimator = restarted(tmp_path, (2, {"other": 1.0}), (4, {"loss": 1.0}))
    assert not exported(exporter, estimator, tmp_path / "out", result(1.5, 6))


def test_without_an_export_the_first_result_is_the_best(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    write_evaluations(estimator, (2, {"loss": 1.0}))
    exporter = library.BestExporter("best", receive_texts(library))
    assert exported(exporter, estimator, tmp_path / "out", result(1.5, 4))


def test_without_a_pattern_no_summaries_are_read(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    exported(library.LatestExporter("best", receive_texts(library)), estimator, tmp_path / "out")
    write_evaluations(estimator, (2, {"loss": 1.0}))
    exporter = library.BestExporter("best", receive_texts(library), event_file_pattern=None)
    assert exported(exporter, estimator, tmp_path / "out", result(1.5, 4))


def train_to(library, folder, max_steps):
    """`train_and_evaluate` with an evaluation and a best exporter every two steps; the number of exports then."""
    config = library.RunConfig(save_checkpoints_steps=2)
    estimator = trained_estimator(library, folder, config=config)
    exporter = library.BestExporter("best", receive_texts(library))
    library.train_and_evaluate(
        estimator,
        library.TrainSpec(input_fn, max_steps=max_steps),
        library.EvalSpec(input_fn, steps=1, exporters=[exporter], start_delay_secs=0, throttle_secs=0),
    )
    return len(os.listdir(folder / "model" / "export" / "best"))


@pytest.mark.slow
def test_a_training_that_is_run_again_goes_on_with_its_exports(library, tmp_path):
    exports = train_to(library, tmp_path, 6)
    assert exports >= 2
    assert train_to(library, tmp_path, 10) == exports + 1


@pytest.mark.parametrize("keep", [0, -1])
@pytest.mark.parametrize("kind", ["LatestExporter", "BestExporter"])
def test_at_least_one_export_is_kept(library, kind, keep):
    with pytest.raises(ValueError, match="exports_to_keep"):
        getattr(library, kind)("x", receive_texts(library), exports_to_keep=keep)


@pytest.mark.parametrize(
    "compare_fn",
    [
        None,
        lambda a, b: True,
        lambda best_eval_result: True,
        lambda best_eval_result, current_eval_result, more: True,
        lambda **results: True,
    ],
)
def test_a_comparison_takes_the_best_and_the_current_result(library, compare_fn):
    with pytest.raises(ValueError, match="compare_fn"):
        library.BestExporter(compare_fn=compare_fn)


def test_a_comparison_can_be_a_partial(library):
    def compare(metric, best_eval_result, current_eval_result):
        return current_eval_result[metric] > best_eval_result[metric]

    library.BestExporter(compare_fn=functools.partial(compare, "accuracy"))
    library.BestExporter(compare_fn=functools.partial(compare, metric="accuracy"))


def test_a_comparison_can_take_more_by_name(library):
    def compare(best_eval_result, current_eval_result, **more):
        return current_eval_result["accuracy"] > best_eval_result["accuracy"]

    library.BestExporter(compare_fn=compare)


def test_without_a_loss_there_is_no_comparison(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    exporter = library.BestExporter("best", receive_texts(library))
    exported(exporter, estimator, tmp_path / "out", {"accuracy": 1.0})
    with pytest.raises(ValueError, match="loss"):
        exported(exporter, estimator, tmp_path / "out", {"accuracy": 1.0})
