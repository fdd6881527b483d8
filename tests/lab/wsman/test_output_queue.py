"""What engine threads write and Receive reads."""

from __future__ import annotations

import asyncio
import threading

from easops.lab.wsman.output_queue import CAPACITY, OutputQueue


def test_fragments_come_in_order_up_to_the_limit_and_the_last_ones_complete_the_output() -> None:
    async def conversation() -> list[tuple[list[bytes], bool] | None]:
        output = OutputQueue(asyncio.get_running_loop())
        output.put([b"aa", b"bb", b"cc"])
        output.finish()
        return [await output.take(4, 1), await output.take(1, 1)]

    assert asyncio.run(conversation()) == [([b"aa", b"bb"], False), ([b"cc"], True)]


def test_a_take_waits_for_output_of_another_thread() -> None:
    async def conversation() -> tuple[list[bytes], bool] | None:
        output = OutputQueue(asyncio.get_running_loop())
        taking = asyncio.create_task(output.take(100, 10))
        await asyncio.sleep(0)
        threading.Thread(target=output.put, args=([b"late"],)).start()
        return await taking

    assert asyncio.run(conversation()) == ([b"late"], False)


def test_a_take_that_times_out_returns_none() -> None:
    async def conversation() -> tuple[list[bytes], bool] | None:
        return await OutputQueue(asyncio.get_running_loop()).take(100, 0.01)

    assert asyncio.run(conversation()) is None


def test_a_newer_take_ends_the_older_one_which_loses_no_data() -> None:
    async def conversation() -> list[tuple[list[bytes], bool] | None]:
        output = OutputQueue(asyncio.get_running_loop())
        older = asyncio.create_task(output.take(100, 10))
        await asyncio.sleep(0)
        newer = asyncio.create_task(output.take(100, 10))
        await asyncio.sleep(0)
        ended = await asyncio.wait_for(older, 5)
        output.put([b"data"])
        return [ended, await newer]

    assert asyncio.run(conversation()) == [None, ([b"data"], False)]


def test_a_writer_waits_while_the_client_does_not_fetch() -> None:
    written = threading.Event()

    async def conversation() -> tuple[bool, bool]:
        output = OutputQueue(asyncio.get_running_loop())

        def write() -> None:
            output.put([b"x" * CAPACITY])
            output.put([b"more"])
            written.set()

        thread = threading.Thread(target=write)
        thread.start()
        await output.take(1, 10)
        last = await output.take(1, 10)
        thread.join(10)
        return last == ([b"more"], False), written.is_set()

    assert asyncio.run(conversation()) == (True, True)


def test_a_writer_that_waits_goes_on_when_the_queue_is_closed() -> None:
    async def conversation() -> bool:
        output = OutputQueue(asyncio.get_running_loop())
        output.put([b"x" * CAPACITY])
        thread = threading.Thread(target=output.put, args=([b"more"],))
        thread.start()
        output.close()
        thread.join(10)
        return thread.is_alive()

    assert asyncio.run(conversation()) is False
