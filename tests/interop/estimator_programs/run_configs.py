"""What a RunConfig changes: seeds, how often and how many checkpoints are kept, summaries, logs, sessions."""

import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def model_fn(features, labels, mode):
    w = tf.get_variable("w", [3])
    noise = tf.random.uniform([3])
    loss = tf.reduce_sum(tf.square(w + noise * features))
    tf.summary.scalar("noise", noise[0])
    train_op = tf.train.GradientDescentOptimizer(0.05).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops={"w": tf.metrics.mean(w)})


def input_fn():
    return tf.data.Dataset.range(100).shuffle(50).map(lambda x: tf.cast(x, tf.float32) / 100.0).repeat()


FIELDS = [
    *("model_dir", "tf_random_seed", "save_summary_steps", "save_checkpoints_steps", "save_checkpoints_secs"),
    *(
        "session_config",
        "keep_checkpoint_max",
        "keep_checkpoint_every_n_hours",
        "log_step_count_steps",
        "train_distribute",
    ),
    *("task_type", "task_id", "num_ps_replicas", "num_worker_replicas", "is_chief", "master", "evaluation_master"),
    *("global_id_in_cluster", "service", "protocol", "device_fn", "session_creation_timeout_secs"),
]


def main(folder):
    given = {
        "default": {},
        "seed": {"tf_random_seed": 5},
        "steps": {
            "save_checkpoints_steps": 3,
            "keep_checkpoint_max": 2,
            "save_summary_steps": 4,
            "log_step_count_steps": 5,
        },
        "seconds": {"save_checkpoints_secs": 1000, "keep_checkpoint_max": 0},
        "nothing_saved": {"save_checkpoints_secs": None, "save_summary_steps": None, "log_step_count_steps": None},
        "no_summaries": {"save_summary_steps": 0, "save_checkpoints_steps": 5, "keep_checkpoint_max": None},
        "session": {"session_config": tf.ConfigProto(intra_op_parallelism_threads=1, allow_soft_placement=False)},
    }
    results = {}
    for name, options in given.items():
        config = tf.estimator.RunConfig(os.path.join(folder, name), **{"tf_random_seed": 1, **options})
        estimator = tf.estimator.Estimator(model_fn, config=config)
        estimator.train(input_fn, steps=7)
        fields = {field: str(getattr(config, field)).replace(folder, "") for field in FIELDS}
        results[name] = {"fields": fields, "latest": os.path.basename(estimator.latest_checkpoint() or "none")}
        if name != "nothing_saved":
            results[name]["metrics"] = estimator.evaluate(input_fn, steps=2)
    changed = tf.estimator.RunConfig().replace(save_checkpoints_steps=9, keep_checkpoint_max=1)
    fields = [changed.save_checkpoints_steps, changed.save_checkpoints_secs, changed.keep_checkpoint_max]
    return {"results": results, "changed": fields}
