"""The same job as others do it: what a request for a score costs without this project."""

from __future__ import annotations

import torch
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

model = torch.nn.Linear(1, 1)
with torch.no_grad():
    model.weight.fill_(2.0)
    model.bias.fill_(0.0)
torch.set_num_threads(1)


class Hours(BaseModel):
    hours: float


class Score(BaseModel):
    score: float


fastapi = FastAPI()


@fastapi.post("/predict")
async def predict(request: Hours) -> Score:
    with torch.inference_mode():
        return Score(score=model(torch.tensor([[request.hours]])).item())


async def bare(request: Request) -> JSONResponse:
    hours = float((await request.json())["hours"])
    with torch.inference_mode():
        return JSONResponse({"score": model(torch.tensor([[hours]])).item()})


starlette = Starlette(routes=[Route("/predict", bare, methods=["POST"])])


async def empty(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await receive()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"13")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"score":8.0}'})
