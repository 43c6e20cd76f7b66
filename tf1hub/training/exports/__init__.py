"""Exports while a model trains: their names, that they are whole, and how many are kept."""
