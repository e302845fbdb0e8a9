"""What a study-score model is. The weights themselves live in the BentoML model store."""

VERSION = "2.0.0"
