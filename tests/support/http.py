"""The operator's probes as a kubelet asks them."""

import aiohttp

from daap_operator.run import Operator


async def probe(operator: Operator, path: str) -> tuple[int, str]:
    """Status and text; (0, "") while nobody answers."""
    url = f"http://127.0.0.1:{operator.health_port}{path}"
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as reply:
            return reply.status, await reply.text()
    except aiohttp.ClientError:
        return 0, ""
