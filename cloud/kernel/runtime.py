"""What every process of the cloud stands on, made by the composition root for its role."""

from __future__ import annotations

from dataclasses import dataclass, field

from cloud.kernel.auth import Authenticator
from cloud.kernel.db import Sessions
from cloud.kernel.events import Bus
from cloud.kernel.files import Files
from cloud.kernel.i18n import Texts
from cloud.kernel.permissions import Catalog
from cloud.kernel.search import Source
from cloud.kernel.settings import Endpoints, Settings
from cloud.kernel.sites import Sites
from cloud.kernel.ui.render import Pages


@dataclass
class Runtime:
    settings: Settings
    endpoints: Endpoints
    sessions: Sessions
    bus: Bus
    authenticator: Authenticator
    texts: Texts
    sites: Sites
    files: Files
    pages: Pages | None = None
    searches: tuple[Source, ...] = ()
    catalog: Catalog = field(default_factory=Catalog)
    version: str = "0"
