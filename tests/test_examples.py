"""Examples: those in docstrings print what they show, and the made-up class is made as it says."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.made_up_class import CLASS, rows
from tests.processes import ROOT

MODULES = [
    f"{room}.{file.stem}"
    for room in ("models", "service", "training")
    for file in sorted((ROOT / room).glob("*.py"))
    if ">>>" in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_docstrings_print_what_they_show(module: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert tried
    assert not failed


def test_the_numbers_that_a_model_computes_have_examples() -> None:
    assert {"models.moments", "models.study_score"} <= set(MODULES)


def test_the_made_up_class_is_what_its_script_writes() -> None:
    assert CLASS.read_text(encoding="utf-8") == rows()
