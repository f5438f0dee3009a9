"""One folder with a toy model for all effect tests of a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.effects.opinion import opinion
from tests.effects.world import World
from tests.graders.fake_server import FakeServer


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world that the tables' specs run in, on one thread: the models are tiny."""
    import torch
    from huggingface_hub import constants

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    server = FakeServer(opinion)
    made = World(tmp_path_factory.mktemp("effects"), server)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HUB_CACHE", str(made.folder / "hub"))
        patch.setenv("RFTSPEC_CACHE", str(made.folder / "cache"))
        patch.setenv("ONE_KEY", "sk-one")
        patch.setenv("OTHER_KEY", "sk-other")
        yield made
    server.stop()
    torch.set_num_threads(threads)
