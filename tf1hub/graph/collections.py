"""The collections that a module may carry, and what each is for.

The keys are TensorFlow's (`tf.compat.v1.GraphKeys`), but for the last two, which belong to the format.
"""

GLOBAL_VARIABLES = "variables"
TRAINABLE_VARIABLES = "trainable_variables"
MODEL_VARIABLES = "model_variables"
TABLE_INITIALIZERS = "table_initializer"
UPDATE_OPS = "update_ops"
REGULARIZATION_LOSSES = "regularization_losses"
ASSET_FILEPATHS = "asset_filepaths"
COND_CONTEXT = "cond_context"
WHILE_CONTEXT = "while_context"
ATTACHMENTS = "hub_module_attachments"
SAVED_MODEL_ASSETS = "saved_model_assets"

VARIABLE_COLLECTIONS = (GLOBAL_VARIABLES, TRAINABLE_VARIABLES, MODEL_VARIABLES)
CONTEXT_COLLECTIONS = (COND_CONTEXT, WHILE_CONTEXT)

SUPPORTED = frozenset(
    (
        *VARIABLE_COLLECTIONS,
        *CONTEXT_COLLECTIONS,
        TABLE_INITIALIZERS,
        UPDATE_OPS,
        REGULARIZATION_LOSSES,
        ASSET_FILEPATHS,
        ATTACHMENTS,
        SAVED_MODEL_ASSETS,
    )
)
