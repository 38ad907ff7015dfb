# SPDX-License-Identifier: LGPL-2.1-only
"""Roots of the sample pool's hosts, as samples/make-samples builds them."""
import importlib.machinery
import importlib.util
import os
import pathlib

SAMPLES = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "samples"


def build_roots(folder, *trees):
    """One root a host below `folder`; `trees` are folders of samples/, laid one over another."""
    loader = importlib.machinery.SourceFileLoader("make_samples", str(SAMPLES / "make-samples"))
    samples = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(samples)
    samples.build_roots([SAMPLES / tree for tree in trees], pathlib.Path(folder))
