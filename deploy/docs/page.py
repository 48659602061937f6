"""The page under /docs: all five OpenAPI documents to read, without a script; the gateway serves it from docs/site."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from deploy.docs.openapi import document
from deploy.docs.routes import ROUTES, STAFF
from services.contracts.topics import SERVICES
from services.contracts.words import ROLES

_TEMPLATES: Final = Path(__file__).parent / "templates"
#: What each service is for, as the page's readers say it.
_ABOUT: Final[Mapping[str, str]] = {
    "publish": "公开查询：人人可读，不用登录",
    "ingest": "录入、核对、审核：工作人员",
    "registry": "登录、账号、区划、公开目录",
    "audit": "预警、规则、公开情况：纪检监察、主管部门",
    "qr": "一村一码、海报",
}
_TYPES: Final = {
    "string": "文字",
    "integer": "整数",
    "number": "数字",
    "boolean": "true / false",
    "array": "列表",
    "object": "对象",
    "null": "null",
}
_FORMATS: Final = {"date": "日期", "date-time": "时间", "uuid": "UUID", "binary": "文件"}
_SHOWN_CHOICES: Final = 12


def _anchor(*parts: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]+", "-", "-".join(parts)).strip("-").lower()


def _kind(service: str, schema: Mapping[str, Any]) -> Markup:
    """A schema in a few words, other schemas as links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#{}">{}</a>').format(_anchor(service, "schema", name), name)
    if "const" in schema:
        return escape(repr(schema["const"]))
    if "enum" in schema:
        shown = [str(v) for v in schema["enum"][:_SHOWN_CHOICES]]
        return escape(" | ".join(shown) + (" …" if len(schema["enum"]) > _SHOWN_CHOICES else ""))
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return Markup(" / ").join(_kind(service, s) for s in schema[several])
    return _plain(service, schema)


def _plain(service: str, schema: Mapping[str, Any]) -> Markup:
    of = schema.get("type")
    if isinstance(of, list):
        return Markup(" / ").join(_kind(service, {**schema, "type": t}) for t in of)
    if of == "array" and "items" in schema:
        return Markup("{} 的列表").format(_kind(service, schema["items"]))
    if of == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("名称 → {}").format(_kind(service, schema["additionalProperties"]))
    if of == "string" and "format" in schema:
        return escape(_FORMATS.get(schema["format"], schema["format"]))
    return escape(_TYPES.get(str(of), "任意"))


def _limits(schema: Mapping[str, Any]) -> str:
    known = {k: v for s in (schema, *schema.get("anyOf", ())) for k, v in s.items()}
    words = {
        "minimum": "≥ {}",
        "maximum": "≤ {}",
        "minLength": "至少 {} 字",
        "maxLength": "至多 {} 字",
        "pattern": "{}",
    }
    words |= {"minItems": "至少 {} 项", "maxItems": "至多 {} 项"}
    found = [text.format(known[name]) for name, text in words.items() if name in known]
    if known.get("default") not in (None, [], ""):
        found.append(f"默认 {known['default']}")
    return "，".join(found)


def _fields(service: str, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    needed = schema.get("required", ())
    return [
        {
            "name": name,
            "kind": _kind(service, inner),
            "needed": name in needed,
            "limits": _limits(inner),
            "about": inner.get("description", ""),
        }
        for name, inner in schema.get("properties", {}).items()
    ]


def _parameters(service: str, operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    places = {"path": "地址", "query": "查询", "header": "请求头"}
    return [
        {
            "name": p["name"],
            "kind": _kind(service, p["schema"]),
            "place": places[p["in"]],
            "needed": p.get("required", False),
            "limits": _limits(p["schema"]),
            "about": p.get("description", ""),
        }
        for p in operation.get("parameters", [])
    ]


def _contents(service: str, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each media type with its schema: a link, or the fields of one that has no name."""
    return [
        {
            "media": media,
            "kind": _kind(service, told.get("schema", {})),
            "fields": _fields(service, told.get("schema", {})),
        }
        for media, told in content.items()
    ]


def _answers(service: str, operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for status, answer in operation["responses"].items():
        if "$ref" in answer:
            name = answer["$ref"].rpartition("/")[2]
            found.append({"status": status, "problem": _anchor(service, name)})
        else:
            found.append(
                {
                    "status": status,
                    "about": answer["description"],
                    "contents": _contents(service, answer.get("content", {})),
                }
            )
    return found


def _who(name: str) -> str:
    who = ROUTES[name].who
    if not who:
        return "人人可用，不用登录"
    if set(who) >= set(STAFF):
        return "所有登录的工作人员"
    return "、".join(ROLES[role] for role in who)


def _route(service: str, method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "anchor": _anchor(method, path),
        "method": method.upper(),
        "path": path,
        "about": operation["description"].partition("\n\nWho:")[0],
        "who": _who(f"{method.upper()} {path}"),
        "parameters": _parameters(service, operation),
        "bodies": _contents(service, operation.get("requestBody", {}).get("content", {})),
        "answers": _answers(service, operation),
    }


def _schemas(service: str, schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "anchor": _anchor(service, "schema", name),
            "name": name,
            "about": schema.get("description", ""),
            "fields": _fields(service, schema),
            "kind": _kind(service, schema),
        }
        for name, schema in schemas.items()
    ]


def _problems(service: str, responses: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "anchor": _anchor(service, name),
            "status": name.removeprefix("Problem"),
            "codes": re.findall(r"^- `(\w+)`: (.*)$", told["description"], re.MULTILINE),
        }
        for name, told in responses.items()
    ]


def page_text() -> str:
    """The whole page."""
    services = []
    # Readers first: what everybody may ask stands on top.
    for name in sorted(SERVICES, key=list(_ABOUT).index):
        told = document(name)
        services.append(
            {
                "name": name,
                "about": _ABOUT[name],
                "routes": [
                    _route(name, method, path, operation)
                    for path, operations in told["paths"].items()
                    for method, operation in operations.items()
                ],
                "schemas": _schemas(name, told["components"]["schemas"]),
                "problems": _problems(name, told["components"]["responses"]),
            }
        )
    loader = FileSystemLoader(_TEMPLATES)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html").render(services=services) + "\n"
