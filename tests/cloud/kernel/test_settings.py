"""Settings come from the environment, addresses from the file that `up` leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud.kernel.settings import NotRunning, Settings, load_endpoints
from tests.architecture.web import NOWHERE
from tests.kit.database import TestDatabase, endpoints_of


class TestSettings:
    def test_have_the_documented_defaults(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HTTP_HOST", "HTTP_PORT", "DATA_DIR", "DEMO"):
            monkeypatch.delenv(f"WUYE_{name}", raising=False)

        settings = Settings()

        assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8000)
        assert (str(settings.data_dir), settings.demo) == (".data", True)

    def test_are_read_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WUYE_HTTP_PORT", "8123")
        monkeypatch.setenv("WUYE_DEMO", "0")
        monkeypatch.setenv("WUYE_DEMO_PASSWORD", "geheim")

        settings = Settings()

        assert (settings.http_port, settings.demo) == (8123, False)
        assert "geheim" not in repr(settings)


class TestEndpoints:
    def test_say_what_to_do_when_nothing_runs(self, tmp_path: Path) -> None:
        with pytest.raises(NotRunning, match="make up"):
            load_endpoints(tmp_path)

    def test_are_read_with_their_secrets_hidden(self, tmp_path: Path) -> None:
        written = endpoints_of(TestDatabase(NOWHERE, NOWHERE, NOWHERE)).model_dump(mode="json")
        written["database"]["app_url"] = "postgresql://app:geheim@127.0.0.1/x"
        (tmp_path / "runtime.json").write_text(json.dumps(written))

        endpoints = load_endpoints(tmp_path)

        assert endpoints.database.app_url.get_secret_value().endswith("geheim@127.0.0.1/x")
        assert "geheim" not in repr(endpoints)
