"""Reference pages for operators: every setting and every metric of every service."""

import inspect
import json
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Final, get_args, get_origin

from prometheus_client.metrics import MetricWrapperBase
from pydantic.fields import FieldInfo

from deploy.docs.text import first_sentence, table
from services.contracts.topics import SERVICES
from services.kit import metrics as common
from services.kit.settings import Settings

_DEPLOY: Final = Path(__file__).resolve().parents[1]
_GATEWAY: Final = (_DEPLOY / "caddy" / "Caddyfile",)
_FRONT: Final = (_DEPLOY / "nginx" / "front.conf", _DEPLOY / "nginx" / "tls.conf")
_PLACEHOLDER: Final = re.compile(r"\{\$(?P<name>[A-Z_]+)(?::(?P<default>[^}]*))?\}")
_HEAD: Final = "Written by `python -m deploy.docs` from the code; do not edit."

# -- metrics ------------------------------------------------------------------------------------------------------


def metrics_of(module: ModuleType) -> list[MetricWrapperBase]:
    """Metrics that a module declares, in its order."""
    return [m for m in vars(module).values() if isinstance(m, MetricWrapperBase)]


def shown_name(metric: MetricWrapperBase) -> str:
    """A metric's name as Prometheus keeps it: a counter ends in `_total`."""
    described = next(iter(metric.describe()))
    return f"{described.name}_total" if described.type == "counter" else described.name


def _metric_row(metric: MetricWrapperBase) -> list[str]:
    described = next(iter(metric.describe()))
    # The library gives no other way to the names of labels.
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 - see above
    return [f"`{shown_name(metric)}`", described.type, labels, described.documentation]


def _metric_table(metrics: Iterable[MetricWrapperBase]) -> list[str]:
    return table(("metric", "type", "labels", "what it tells"), map(_metric_row, metrics))


def metrics_text() -> str:
    """Tell every metric: those of all services first, then each service's own."""
    lines = [
        "# Metrics",
        "",
        _HEAD,
        "",
        "Every process answers `GET /metrics` on its inner port (`ports.json` in `SANWU_HOME` names it), in Prometheus'",
        "text format; the gateway does not let it out. Of a histogram there are `_bucket`, `_sum` and `_count`. Beside",
        "these stand the client library's own `python_…` and `process_…`. No label ever names a village or a person.",
        "",
        "## Every service",
        "",
        *_metric_table(metrics_of(common)),
    ]
    for name in SERVICES:
        own = metrics_of(import_module(f"services.{name}.metrics"))
        lines += ["", f"## {name}", "", *_metric_table(own)]
    return "\n".join(lines) + "\n"


# -- settings -----------------------------------------------------------------------------------------------------


def settings_of(service: str) -> type[Settings]:
    """The class of a service's settings."""
    found: type[Settings] = import_module(f"services.{service}.__main__").SERVICE.settings
    return found


def variable(name: str) -> str:
    """The environment's name of a setting."""
    return f"{Settings.model_config['env_prefix']}{name}".upper()


_TYPES: Final = {
    "SecretStr": "text (secret)",
    "str": "text",
    "int": "whole number",
    "bool": "true or false",
    "Path": "path",
    "timedelta": "duration (ISO 8601, as `PT12H`)",
}


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) is UnionType:
        return " or ".join(_type_name(a) for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is tuple:
        return "JSON list of texts"
    if get_origin(annotation) is dict:
        return "JSON object of texts"
    name = getattr(annotation, "__name__", str(annotation))
    return _TYPES[name]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str | int):
        return f"`{value}`" if value != "" else "empty"
    if isinstance(value, tuple):
        return f"`{json.dumps([str(v) for v in value])}`"
    return f"`{_duration(int(value.total_seconds()))}`"


def _duration(seconds: int) -> str:
    """As the environment takes it, in the largest unit of which it has one."""
    per = {"H": 3600, "M": 60}
    unit = next((unit for unit, length in per.items() if seconds >= length), "S")
    return f"PT{seconds // per.get(unit, 1)}{unit}"


def _bounds(field: FieldInfo) -> str:
    words = {"ge": "at least", "le": "at most"}
    found = [f"{text} {getattr(m, sign)}" for m in field.metadata for sign, text in words.items() if hasattr(m, sign)]
    return f" ({', '.join(found)})" if found else ""


def _setting_row(name: str, field: FieldInfo) -> list[str]:
    what = f"{_type_name(field.annotation)}{_bounds(field)}"
    return [f"`{variable(name)}`", what, _default(field), field.description or ""]


def _setting_table(fields: dict[str, FieldInfo]) -> list[str]:
    head = ("variable", "type", "default", "what it is")
    return table(head, (_setting_row(name, field) for name, field in fields.items()))


def placeholders(files: Iterable[Path] = _GATEWAY) -> dict[str, str | None]:
    """Variables of the gateway's files, each with its default."""
    return {m["name"]: m["default"] for file in files for m in _PLACEHOLDER.finditer(file.read_text(encoding="utf-8"))}


def front_placeholders() -> dict[str, str | None]:
    """Those of the front for a big city that the gateway lacks and that are not filled in by themselves."""
    return {n: default for n, default in placeholders(_FRONT).items() if n not in {*placeholders(), "SANWU_FRONT"}}


def _placeholder_rows(files: Iterable[Path], found: dict[str, str | None]) -> list[list[str]]:
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    comments = dict(re.findall(r"^# (SANWU_[A-Z_<>]+)\s+(.+)$", text, re.MULTILINE))
    rows = []
    for name, default in found.items():
        about = comments.get(name) or comments[re.sub("^SANWU_UPSTREAM_.*", "SANWU_UPSTREAM_<NAME>", name)]
        rows.append([f"`{name}`", "text", f"`{default}`" if default else "required", about])
    return rows


_CITY: Final = (
    ["`SANWU_HOME`", "path", "`.sanwu`", "all data of the city: databases, topics, files, logs, accounts"],
    ["`SANWU_PORT`", "whole number", "`8000`", "the public port on 127.0.0.1"],
    [
        "`SANWU_WORKERS_INGEST`",
        "whole number (at least 1, at most 8)",
        "2, on one processor 1",
        "processes of ingest that answer requests; each takes some 110 MB",
    ],
    [
        "`SANWU_WORKERS_PUBLISH`",
        "whole number (at least 1, at most 2)",
        "2, on one processor 1",
        "processes of publish; with two, one makes the pages, in some 110 MB",
    ],
    ["`SANWU_SAMPLE`", "`full`, `small` or `none`", "`full`", "made-up figures of the city, of one township, or none"],
)


def settings_text() -> str:
    """Tell every setting: those of the local city, of all services, of each service, of the gateway."""
    head = ("variable", "type", "default", "what it is")
    lines = [
        "# Settings",
        "",
        _HEAD,
        "",
        "Everything is set by the environment and read once at the start; what is wrong stops the start and is named, all",
        "of it at once. `make run` sets the services' settings itself.",
        "",
        "## The city on one machine",
        "",
        *table(head, _CITY),
        "",
        "## Every service",
        "",
        *_setting_table(Settings.model_fields),
    ]
    for name in SERVICES:
        own = settings_of(name)
        fields = {n: f for n, f in own.model_fields.items() if n not in Settings.model_fields}
        lines += ["", f"## {name}", "", first_sentence(inspect.getdoc(own))]
        if fields:
            lines += ["", *_setting_table(fields)]
    gateway, front = _placeholder_rows(_GATEWAY, placeholders()), _placeholder_rows(_FRONT, front_placeholders())
    lines += ["", "## Gateway", "", "Placeholders of `deploy/caddy/Caddyfile`.", "", *table(head, gateway)]
    told = "What `python -m deploy.nginx` fills in besides: `SANWU_ACCESS_LOG`, the folders and the upstreams are as above."
    lines += ["", "## The front for a big city", "", told, "", *table(head, front)]
    return "\n".join(lines) + "\n"
