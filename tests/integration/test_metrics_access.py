"""Who may read the metrics: a real API server judges real tokens."""

from pathlib import Path

from aiohttp import web

from tests.support.api import Api
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.faulty_api import FaultyApi
from tests.support.http import metrics, probe
from tests.support.operator import Operators
from tests.support.scrape import Page, remove_scraper, scraper

AUTHENTICATED = {"DAAP_METRICS_AUTHENTICATION": "kubernetes"}


async def test_who_has_the_charts_role_reads_the_metrics_and_nobody_else(
    api: Api, databases: Databases, operators: Operators
) -> None:
    running = await operators.start(**AUTHENTICATED)
    reader = await scraper(api, databases.namespace)
    other = await scraper(api, databases.namespace, allowed=False)
    try:

        async def read() -> tuple[int, str]:
            return await metrics(running.operator, token=reader)

        _, text = await eventually(read, lambda seen: seen[0] == 200)
        assert Page(text).value("daap_leader") == 1
        assert await metrics(running.operator) == (401, "")
        assert await metrics(running.operator, token="a.b.c") == (401, "")
        assert await metrics(running.operator, token=other) == (403, "")
    finally:
        await remove_scraper(api, databases.namespace)


async def test_while_the_api_server_judges_nobody_the_metrics_are_nobodys(
    api: Api,
    databases: Databases,
    operators: Operators,
    operator_kubeconfig: Path,
    tmp_path: Path,
) -> None:
    token = await scraper(api, databases.namespace)
    judging = False

    async def judge_nobody(request: web.Request) -> web.StreamResponse | None:
        if judging or "reviews" not in request.path:
            return None
        return web.json_response({"kind": "Status", "message": "no"}, status=500)

    try:
        async with FaultyApi(operator_kubeconfig) as proxy:
            kubeconfig = str(proxy.kubeconfig(tmp_path))
            running = await operators.start(**AUTHENTICATED, KUBECONFIG=kubeconfig)
            proxy.refuse(judge_nobody)
            assert await metrics(running.operator, token=token) == (503, "")
            assert await probe(running.operator, "/livez") == (200, "ok\n")
            assert await probe(running.operator, "/readyz") == (200, "ok\n")
            judging = True
            status, _ = await metrics(running.operator, token=token)
            assert status == 200
            await running.stop()
    finally:
        await remove_scraper(api, databases.namespace)
