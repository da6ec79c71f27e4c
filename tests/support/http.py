"""The operator's ports as a kubelet and Prometheus ask them."""

import aiohttp

from daap_operator.run import Operator


async def probe(operator: Operator, path: str, *, host: str = "127.0.0.1") -> tuple[int, str]:
    """Status and text; (0, "") while nobody answers. `host` as a URL has it."""
    return await get(f"http://{host}:{operator.health_port}{path}")


async def metrics(
    operator: Operator, *, token: str = "", host: str = "127.0.0.1"
) -> tuple[int, str]:
    """The same of `/metrics`, with a bearer token if there is one."""
    return await get(f"http://{host}:{operator.metrics_port}/metrics", token)


async def get(url: str, token: str = "") -> tuple[int, str]:
    """Status and text; (0, "") while nobody answers."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as reply:
            return reply.status, await reply.text()
    except aiohttp.ClientError:
        return 0, ""
