"""Rules about the common signatures: text, image feature vectors, image classification."""

from tf1hub.checks.linting.reuse import classification, image_signature, text_signature

RULES = (*text_signature.RULES, *image_signature.RULES, *classification.RULES)
