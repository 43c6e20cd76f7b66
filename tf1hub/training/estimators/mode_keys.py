"""The three things an Estimator asks its `model_fn` for."""


class ModeKeys:
    """What the graph that a `model_fn` builds is for; `mode` of the `model_fn` is one of these.

    >>> from tf1hub.estimator import ModeKeys
    >>> ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.PREDICT
    ('train', 'eval', 'infer')
    """

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"
