"""Photographs with segments: objects cut out of some move over others, frame by frame."""

from dataclasses import dataclass
from pathlib import Path

from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig, plan_sequence, write_sequence
from dsiam_plugin.evaluation.synthesis.scenes import open_pictures
from dsiam_plugin.training.data.sources.footage import Scan, Skip
from dsiam_plugin.training.data.sources.otb import OTBFolders


@dataclass(frozen=True)
class RenderedStills:
    """Sequences that ``dsiam data synthesize`` would make, rendered when they are read."""

    config: SynthesisConfig  # what to render; the layout must be OTB's
    workshop: Path  # folder for the frames, to be removed when the pack is written

    def units(self) -> list[str]:
        """Numbers of the sequences."""
        open_pictures(self.config.stills, self.config.stage)  # raises where they are no good
        return [str(index) for index in range(self.config.sequences)]

    def read(self, unit: str) -> Scan:
        """Render a sequence and read its boxes."""
        plan = plan_sequence(self.config, int(unit))
        folder = self.workshop / plan.name
        folder.mkdir(parents=True)
        pictures = open_pictures(self.config.stills, self.config.stage)
        try:
            write_sequence(folder, plan, self.config, pictures)
        except (DatasetError, ImageError) as error:
            return Scan(skips=[Skip("not rendered", plan.name, "video", detail=str(error))])
        return OTBFolders(self.workshop, video_of="(.+)").read(plan.name)

    def describe(self) -> dict[str, str | int]:
        """Source and options, for the report."""
        return {
            "name": "stills",
            "folder": self.config.stills.name if self.config.stills else "",
            "rendered": self.config.sequences,
            "frames": self.config.frames,
            "size": f"{self.config.width}x{self.config.height}",
        }
