"""What a study-score model is. The weights themselves live in the BentoML model store."""

VERSION = "3.0.0"
