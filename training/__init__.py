"""From rows of hours and scores to a model in the store."""
