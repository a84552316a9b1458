"""POST /models/{m}/score: series come as JSON, Arrow or Parquet, and go with their scores as the client likes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from tsclust.series import ID, VALUES
from tsclust.serve import bodies, names, received, score_input, score_output
from tsclust.serve.bodies import ARROW, JSON, PARQUET
from tsclust.serve.models import Loaded
from tsclust.serve.openapi import SCORES, SERIES, refusals
from tsclust.serve.problems import Refusal
from tsclust.serve.routes_models import ModelName
from tsclust.serve.score_input import Asked
from tsclust.serve.state import Service, language, service
from tsclust.wording.language import Language

router = APIRouter(tags=["scores"])
Words = Annotated[bool | None, Query(description="Say in words what is unusual about each; by default in JSON alone.")]
Lang = Annotated[Literal["en", "ru"], Query(description="The language of these words.")]


@router.post(
    "/models/{name}/score", responses={**SCORES, **refusals(404, 409, 413, 415, 422, 429, 503)}, openapi_extra=SERIES,
    response_class=Response,
)  # fmt: skip
async def score(request: Request, name: ModelName, unusual: Words = None, lang: Lang = "en") -> Response:
    """The kind of each series, or "don't know", "none of these", "impossible": the same values as `tsclust score`.

    The body is JSON, an Arrow stream or Parquet, by its Content-Type, or {"path": NAME} for a file below the configured
    folder. The answer has the type of the body, or what Accept names. A bad series gets an error, the others a score.
    """
    here = service(request)
    kind = _kind(request.headers.get("content-type", ""))
    gives = _accepted(request.headers.get("accept", ""), kind)
    words = language(lang) if (gives == JSON if unusual is None else unusual) else None
    async with received.whole(request, here.settings.request_mb * 1_000_000, "request_mb") as body:
        loaded = here.models.ready(name)
        if loaded is None:
            loaded = await run_in_threadpool(here.models.load, name)
        asked = await run_in_threadpool(_asked, here, loaded, kind, body)
        scores = await _scored(here, loaded, asked, words)
        content = await run_in_threadpool(_answer, here, name, loaded, asked, scores, gives, language(lang))
    return Response(content, media_type=gives)


def _kind(given: str) -> str:
    """The type of a body. Raises Refusal."""
    kind = given.partition(";")[0].strip().lower()
    if kind not in (JSON, ARROW, PARQUET):
        known = ", ".join((JSON, ARROW, PARQUET))
        raise Refusal(415, f"the body is of type {kind[:100]!r}: expected {known}", "Set Content-Type")
    return kind


def _accepted(given: str, kind: str) -> str:
    """What the answer is: the first that the client names, or the type of the body."""
    wanted = [one.partition(";")[0].strip().lower() for one in given.split(",")]
    return next((one for one in wanted if one in (JSON, ARROW, PARQUET)), kind)


def _asked(here: Service, loaded: Loaded, kind: str, body: bytes) -> Asked:
    limits, trained = here.settings, loaded.model.facts.feature_contract.carried or {}
    carried = {name: trained.get(name, "null") for name in loaded.scorer.carried}
    if kind == JSON:
        said = score_input.parsed(body)
        if "path" not in said:
            return score_input.of_json(said, carried, limits.values, limits.rows)
        return score_input.of_table(_of_path(here, said, tuple(carried)), tuple(carried), limits.values)
    if kind == ARROW:
        return score_input.of_table(
            bodies.read_arrow(body, (ID, VALUES, *carried), limits.rows), tuple(carried), limits.values
        )
    return score_input.of_table(_parquet(here, pa.BufferReader(body), tuple(carried)), tuple(carried), limits.values)


def _of_path(here: Service, said: dict[str, object], carried: Sequence[str]) -> pa.Table:
    path = said["path"]
    if not isinstance(path, str) or set(said) != {"path"}:
        raise Refusal(422, "path: expected a text, and nothing beside it", 'For example {"path": "day.parquet"}')
    if not here.settings.files:
        raise Refusal(422, "no folder of files is configured", "Set [serve] files in serve.toml, or send the series")
    with names.open_below(here.root / here.settings.files, path) as file:
        return _parquet(here, file, carried)


def _parquet(here: Service, source: object, carried: Sequence[str]) -> pa.Table:
    limits = here.settings
    return bodies.read_parquet(source, (ID, VALUES, *carried), limits.rows, limits.unpacked_mb * 1_000_000)


async def _scored(here: Service, loaded: Loaded, asked: Asked, words: Language | None) -> pa.Table:
    """Raises Refusal where it takes too long, and what scoring raises."""
    waiting = [asyncio.wrap_future(one) for one in loaded.batcher.submit(asked.table, words)]
    try:
        tables = await asyncio.wait_for(asyncio.gather(*waiting), here.settings.seconds)
    except TimeoutError:
        late = f"the scores took longer than {here.settings.seconds:g} s"
        raise Refusal(503, late, "Send fewer series, or try again later", headers={"Retry-After": "5"}) from None
    return pa.concat_tables(tables)


def _answer(
    here: Service, name: str, loaded: Loaded, asked: Asked, scores: pa.Table, gives: str, words: Language
) -> bytes:
    table = score_output.table_of(asked, scores)
    for verdict, n in score_output.counts(loaded, table).items():
        here.metrics.series.labels(verdict).inc(n)
    if gives == JSON:
        return score_output.json_of(name, loaded, asked, table, words)
    return bodies.arrow_of(table) if gives == ARROW else bodies.parquet_of(table)
