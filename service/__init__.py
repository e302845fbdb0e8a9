"""From a stored model to scores over HTTP."""
