"""A dashboard as a client of this process sees it."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from reports.dashboard import Access, application

HERE = "http://127.0.0.1:8050"
PATHS = ("", "/trials", "/trial/0", "/run/1", "/workers", "/pictures", "/claims")


def client(path: Path, access: Access | None = None, url: str = HERE) -> TestClient:
    return TestClient(
        application(f"sqlite:///{path}", access or Access()), base_url=url, follow_redirects=False
    )
