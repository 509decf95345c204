"""What Grafana's own types say of a dashboard and of alert rules: faults by their place, part after part.

The types are those of the SDK's package for TypeScript, and of `@grafana/data` for transformations, which the SDK
leaves open; `shapes.ts` names them, and a generator makes one JSON schema of all, which knows no key but theirs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from jsonschema_rs import Draft7Validator

from tests.programs import program

TYPES = Path(__file__).with_name("shapes.ts")
COMPILER = {"strict": True, "module": "esnext", "moduleResolution": "bundler", "skipLibCheck": True, "types": []}
GENERATES_WITHIN_SECONDS = 60
# By the uid of their source: of this one all others, which are Prometheus.
CALCULATES = "__expr__"


def generated(folder: Path) -> Shapes:
    """From the packages that are installed in `folder`."""
    shutil.copy(TYPES, folder)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER, "files": [TYPES.name]}))
    generator = folder / "node_modules" / "ts-json-schema-generator" / "bin" / "ts-json-schema-generator.js"
    options = ("--path", TYPES.name, "--tsconfig", "tsconfig.json", "--type", "Shapes", "--expose", "none")
    ran = subprocess.run(
        [program("node"), generator, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=GENERATES_WITHIN_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return Shapes(json.loads(ran.stdout))


class Shapes:
    """A shape is named by its path in `shapes.ts`: `("options", "table")`."""

    def __init__(self, schema: dict) -> None:
        self._definitions = schema["definitions"]

    def of_board(self, board: dict) -> Iterator[str]:
        yield from self._faults(("dashboard",), board, "")
        for index, one in enumerate(board["annotations"]["list"]):
            yield from self._faults(("annotation",), one, f"annotations[{index}]")
            yield from self._faults(("prometheus",), one["target"], f"annotations[{index}].target")
        yield from self._of_panels(board["panels"], "panels")

    def of_rules(self, provisioned: dict) -> Iterator[str]:
        """Of a file, whose groups say for all their rules what the API wants to be told of each."""
        for group in provisioned["groups"]:
            told = {"ruleGroup": group["name"], "folderUID": group["folder"], "orgID": group["orgId"]}
            for rule in group["rules"]:
                yield from self._faults(("rule",), rule | told, rule["title"])
                for index, query in enumerate(rule["data"]):
                    shape = "threshold" if query["datasourceUid"] == CALCULATES else "prometheus"
                    yield from self._faults((shape,), query["model"], f"{rule['title']}.data[{index}].model")

    def of_one(self, shape: str, value: dict) -> Iterator[str]:
        yield from self._faults((shape,), value, "")

    def _of_panels(self, panels: list[dict], where: str) -> Iterator[str]:
        for index, panel in enumerate(panels):
            place = f"{where}[{index}]"
            if panel["type"] == "row":
                yield from self._faults(("row",), panel, place)
                yield from self._of_panels(panel["panels"], f"{place}.panels")
            else:
                yield from self._faults(("panel",), panel, place)
                yield from self._of_panel(panel, place)

    def _of_panel(self, panel: dict, where: str) -> Iterator[str]:
        plugin = panel["type"]
        yield from self._faults(("options", plugin), panel["options"], f"{where}.options")
        for index, target in enumerate(panel.get("targets", ())):
            yield from self._faults(("prometheus",), target, f"{where}.targets[{index}]")
        for index, one in enumerate(panel.get("transformations", ())):
            yield from self._faults(("transformations", one["id"]), one["options"], f"{where}.transformations[{index}]")
        fields = panel["fieldConfig"]
        yield from self._of_fields(plugin, fields["defaults"], f"{where}.fieldConfig.defaults")
        for override in fields["overrides"]:
            for one in override["properties"]:
                yield from self._of_property(plugin, one["id"], one["value"], f"{where}.{override['matcher']}")

    def _of_fields(self, plugin: str, defaults: dict, where: str) -> Iterator[str]:
        yield from self._faults(("field",), defaults, where)
        if "custom" in defaults:
            yield from self._faults(("custom", plugin), defaults["custom"], f"{where}.custom")

    def _of_property(self, plugin: str, name: str, value: object, where: str) -> Iterator[str]:
        """One that an override sets: of the plugin where it is called `custom.<name>`."""
        of_plugin = name.startswith("custom.")
        shape = ("custom", plugin, name.removeprefix("custom.")) if of_plugin else ("field", name)
        yield from self._faults(shape, value, where)

    def _faults(self, shape: tuple[str, ...], value: object, where: str) -> Iterator[str]:
        pointer = "/properties/".join(("#/definitions/Shapes", *shape))
        if not self._has(shape):
            yield f"{where}: {' '.join(shape)} is unknown to shapes.ts"
            return
        validator = Draft7Validator({"$ref": pointer, "definitions": self._definitions})
        for error in validator.iter_errors(value):
            place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
            yield f"{where}{place}: {error.message}"

    def _has(self, shape: tuple[str, ...]) -> bool:
        known = self._definitions["Shapes"]
        for name in shape:
            known = known["properties"].get(name)
            if known is None:
                return False
        return True
