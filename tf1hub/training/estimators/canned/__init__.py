"""Estimators whose model is given by feature columns: linear and deep classifiers and regressors."""
