"""The operator's probes as a kubelet asks them."""

import aiohttp

from daap_operator.run import Operator


async def probe(operator: Operator, path: str, *, host: str = "127.0.0.1") -> tuple[int, str]:
    """Status and text; (0, "") while nobody answers. `host` as a URL has it."""
    url = f"http://{host}:{operator.health_port}{path}"
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as reply:
            return reply.status, await reply.text()
    except aiohttp.ClientError:
        return 0, ""
