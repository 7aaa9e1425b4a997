"""Model holders: the Dagster resources that lend loaded models, one for each role.

All holders of a process share one cache (`analyzers.models.cache`), so a model is loaded once for
all analyzers, runs and videos. A holder itself is only configuration: which model serves its role,
on which device, in which runtime. It is seen and changed on the UI's resources page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import dagster as dg
from pydantic import Field

from analyzers.models.cache import ModelCache
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.weights import ModelFiles


class ModelHolder(dg.ConfigurableResource):
    """Lends the model that serves one role."""

    role: ClassVar[str]

    model_id: str = Field(
        description="Id in the manifest of models (see `tiktok-assets models list`)"
    )
    device: str = Field(
        "auto", description="cpu, cuda or cuda:N; auto takes the GPU where there is one"
    )
    runtime: str = Field(
        "auto",
        description="torch, openvino, onnxruntime, ...; auto takes the model's fastest",
    )

    def choice(self) -> ModelChoice:
        """The configuration, as the analyzers know it."""
        return ModelChoice(self.model_id, self.device, self.runtime)


def holder_class(role: str) -> type[ModelHolder]:
    """A class of its own for a role, so that the UI shows it under its name."""
    name = "".join(part.capitalize() for part in role.split("_"))
    return type(
        f"{name}Holder",
        (ModelHolder,),
        {
            "__doc__": f"Loads the model for the role `{role}` once and lends it to every step.",
            "__module__": __name__,
            "__annotations__": {"role": "ClassVar[str]"},
            "role": role,
        },
    )


def profile_holders(
    profile: str = "embedded",
    choices: Mapping[str, ModelChoice] | None = None,
    files: ModelFiles | None = None,
) -> dict[str, ModelHolder]:
    """One holder for each role of a profile, by role; `choices` replace the profile's models.

    Raises `UnknownModel` for a profile, a role or a model that the manifest does not have.
    """
    models = Models.of_profile(profile, files)
    wanted = Models({**models.choices, **(choices or {})}, models.files).choices
    for role, choice in wanted.items():
        models.files.manifest.model_for(role, choice.model_id)
    return {
        role: holder_class(role)(
            model_id=choice.model_id, device=choice.device, runtime=choice.runtime
        )
        for role, choice in wanted.items()
    }


def models_from_holders(
    holders: Mapping[str, ModelHolder],
    choices: Mapping[str, ModelChoice] | None = None,
    files: ModelFiles | None = None,
    cache: ModelCache | None = None,
) -> Models:
    """What the analyzers borrow from; `choices` replace the holders' models by role."""
    held = {role: holder.choice() for role, holder in holders.items()}
    return Models({**held, **(choices or {})}, files, cache)
