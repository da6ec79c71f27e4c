"""A volume with a real end: a file system in a file, on the node. Needs root there."""

import asyncio
import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.api import Api

CLAIMED = "1Gi"
"""What the volume says that it has, and what a claim of it may ask for."""

_TAKEN = "taken"
"""A file as large as the volume is said to be: to grow a file system in use takes rights that root
has not everywhere, and to delete a file none."""


@dataclass(frozen=True)
class SmallVolume:
    """The only volume of a StorageClass."""

    storage_class: str
    on_node: tuple[str, ...]
    """What a command begins with that is to run on the node."""

    @property
    def directory(self) -> str:
        """Where it is on the node."""
        return f"/tmp/{self.storage_class}"

    async def grow(self) -> None:
        """Give it as much again, while it is in use."""
        await self._run(f"rm {self.directory}/{_TAKEN}")

    @property
    def _file(self) -> str:
        return f"{self.directory}.img"

    async def make(self, mebibytes: int) -> None:
        """Make it, for everybody to write to."""
        await self._run(
            f"truncate --size={2 * mebibytes}M {self._file} && mkfs.ext4 -q -m 0 {self._file}"
            f" && mkdir {self.directory} && mount -o loop {self._file} {self.directory}"
            f" && fallocate --length={mebibytes}MiB {self.directory}/{_TAKEN}"
            f" && chmod 0777 {self.directory}"
        )

    async def remove(self) -> None:
        """Leave nothing of it on the node."""
        await self._run(
            f"umount --lazy {self.directory}; rm -f {self._file}; rmdir {self.directory}"
        )

    async def _run(self, script: str) -> None:
        command = (*self.on_node, "sh", "-ec", script)
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


@asynccontextmanager
async def small_volume(
    api: Api, on_node: tuple[str, ...], *, mebibytes: int
) -> AsyncIterator[SmallVolume]:
    """A StorageClass with one volume of that size."""
    volume = SmallVolume(f"small-{uuid.uuid4().hex[:8]}", on_node)
    name = volume.storage_class
    spec = {
        "capacity": {"storage": CLAIMED},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": name,
        "hostPath": {"path": volume.directory},
    }
    by_hand = {"metadata": {"name": name}, "provisioner": "kubernetes.io/no-provisioner"}
    await volume.make(mebibytes)
    try:
        await api.create("storageclasses", by_hand)
        await api.create("persistentvolumes", {"metadata": {"name": name}, "spec": spec})
        yield volume
    finally:
        await api.delete("persistentvolumes", "", name)
        await api.delete("storageclasses", "", name)
        await volume.remove()
