"""Thin adapters over ML libraries, their weights, and the process-wide cache that lends them.

`manifest.yaml` pins every model: its files by SHA-256, where they come from, and its loader. A
loader is a function in one of this package's adapter modules, named in the manifest by its dotted
path (`analyzers.models.detector:load_yolo`):

    def load(identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice) -> Model

`files` maps each file name of the manifest to a local path whose SHA-256 was verified. Where
`identity.runtime` is a derived one (e.g. `openvino`), `files[identity.runtime]` is the path of the
converted model as well (for OpenVINO a folder that Ultralytics opens). `identity.device` and
`identity.runtime` are settled: never `auto`. A loader raises whatever goes wrong; the cache frees
what is idle, tries once more, and names the model in the error.
"""

from analyzers.models.runtime import block_telemetry

block_telemetry()  # before any adapter can import such a library
