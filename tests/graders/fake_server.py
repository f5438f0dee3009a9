"""A small OpenAI-compatible server whose every answer is a test's to choose.

A `Script` maps a request to what happens: a status and a body, a pause, a broken connection.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Action:
    """What the server does with one request."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    """Seconds before anything is sent."""
    drip: float = 0.0
    """Seconds between the bytes of the body: alive, and never done."""
    cut: bool = False
    """Break the connection in the middle of the body."""


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    number: int
    path: str
    headers: Mapping[str, str]
    json: Any
    at: float

    @property
    def said(self) -> str:
        """The content of the last message of a chat."""
        return str(self.json["messages"][-1]["content"])


Script = Callable[[Seen], Action]


def chat(
    content: str | None,
    *,
    refusal: str | None = None,
    finish_reason: str = "stop",
    tokens: tuple[int, int] = (100, 10),
    **action: Any,
) -> Action:
    """A chat completion with this content."""
    prompt, completion = tokens
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
            }
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": prompt // 2},
        },
    }
    return Action(body=json.dumps(body).encode(), **action)


def verdict(result: Any, **action: Any) -> Action:
    """A chat completion with a verdict in the hosted product's shape."""
    steps = [{"description": "read it", "conclusion": f"worth {result}"}]
    return chat(json.dumps({"steps": steps, "result": result}), **action)


def error(status: int, message: str = "no", code: str | None = None, **action: Any) -> Action:
    """An error in OpenAI's shape."""
    body = {"error": {"message": message, "type": "error", "code": code, "param": None}}
    return Action(status=status, body=json.dumps(body).encode(), **action)


class FakeServer:
    """The server, its address, and what it was asked."""

    def __init__(self, script: Script, port: int = 0) -> None:
        self.script = script
        self.seen: list[Seen] = []
        self.running = 0
        self.most_running = 0
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """The `base_url` of the judges behind it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def stop(self) -> None:
        """Stop listening, and drop every connection."""
        self._http.shutdown()
        self._http.server_close()
        self._http.drop()
        self._thread.join()

    def took(self, handler: BaseHTTPRequestHandler) -> Seen:
        """Write a request down."""
        length = int(handler.headers.get("content-length", 0))
        body = handler.rfile.read(length)
        with self._lock:
            headers = {name.lower(): value for name, value in handler.headers.items()}
            said = json.loads(body or b"null")
            seen = Seen(len(self.seen), handler.path, headers, said, time.monotonic())
            self.seen.append(seen)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        return seen

    def gave(self) -> None:
        """A request has ended."""
        with self._lock:
            self.running -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the tests."""

    def drop(self) -> None:
        for request in list(self.open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            seen = server.took(self)
            try:
                self._play(server.script(seen))
            finally:
                server.gave()

        def _play(self, action: Action) -> None:
            if action.wait:
                time.sleep(action.wait)
            self.send_response(action.status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(action.body)),
                **action.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            if action.cut:
                self.wfile.write(action.body[: len(action.body) // 2])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if not action.drip:
                self.wfile.write(action.body)
                return
            for byte in action.body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(action.drip)

    return Handler


@contextmanager
def serving(script: Script) -> Iterator[FakeServer]:
    """A running server."""
    server = FakeServer(script)
    try:
        yield server
    finally:
        server.stop()
