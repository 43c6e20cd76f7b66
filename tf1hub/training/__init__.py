"""From training to a published module: exporters, hooks, Estimators."""
