"""An SMTP server on loopback that follows a script."""

from tests.support.certificates import Certificates
from tests.support.conversation import Memory
from tests.support.dialogue import Dialogue
from tests.support.listener import LOOPBACK, Listener
from tests.support.script import HEALTHY, Script
from tests.support.stream import Stream

_SMALL_WINDOW = 16384


class ScriptedServer(Listener):
    """A server that does what its `Script` says, and remembers all in `record`.

    `script` may be exchanged while the server runs; connections made from then on follow it.
    """

    def __init__(
        self,
        script: Script = HEALTHY,
        certificates: Certificates | None = None,
        *,
        hosts: tuple[str, ...] = (LOOPBACK,),
    ) -> None:
        """Prepare the server; without certificates it makes its own, which nobody trusts."""
        slow = script.upload.rate is not None or script.upload.stop_after is not None
        # A kernel that takes in megabytes would hide that the server has stopped reading.
        super().__init__(hosts=hosts, receive_buffer=_SMALL_WINDOW if slow else None)
        self.script = script
        self._certificates = certificates or Certificates()
        self._memory = Memory(self.record)

    async def converse(self, stream: Stream, number: int) -> None:
        """Hold one conversation."""
        await Dialogue(self.script, self._certificates, self._memory, stream, number).run()
