"""Operators that die at one of their writes, just before it is sent or just after the answer."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from daap_operator.kube import Kube


@dataclass
class Trap:
    """Springs at a write that is still so many writes away."""

    writes: int
    answered: bool
    """Whether the API server has done what was asked when the operator dies."""
    spring: Callable[[], None]

    def due(self) -> bool:
        """Count one write."""
        self.writes -= 1
        return self.writes == 0


Traps = dict[str, Trap]
"""By the address the operator reaches the API server at."""


@contextmanager
def set_traps(traps: Traps) -> Iterator[None]:
    """Look at every request of every operator of this process."""
    request = Kube._request

    async def trapped(self: Kube, method: Any, *args: Any, **kwargs: Any) -> Any:
        trap = traps.get(self._client.configuration.host) if method != "GET" else None
        if trap is None or not trap.due():
            return await request(self, method, *args, **kwargs)
        if trap.answered:
            answer = await request(self, method, *args, **kwargs)
            if traps.get(self._client.configuration.host) is not trap:
                return answer  # taken away while the API server answered
        trap.spring()
        return await asyncio.Event().wait()  # never: it dies here

    with patch.object(Kube, "_request", trapped):
        yield
