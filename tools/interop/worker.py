"""A real worker of ai-dynamo-runtime 0.1.1 to 0.7.1 that publishes load records with the release's own publisher.

usage: worker.py COMPONENT RECORDS, with RECORDS a JSON list: one a second, the last one on and on.
"""
import asyncio
import inspect
import json
import os
import signal
import sys

import dynamo._core as core

COMPONENT, RECORDS = sys.argv[1], json.loads(sys.argv[2])


def signature(function):
    return function.__text_signature__ or ""


async def settled(value):
    return await value if inspect.isawaitable(value) else value


def runtime(loop):
    if "store_kv" in signature(core.DistributedRuntime):  # 0.7
        return core.DistributedRuntime(loop, "etcd", False)
    return core.DistributedRuntime(loop, False)


def publish(publisher, record):
    if "metrics" not in signature(type(publisher).publish):  # to 0.3.1
        names = ["request_active_slots", "request_total_slots", "kv_active_blocks", "kv_total_blocks",
                 "num_requests_waiting", "gpu_cache_usage_perc", "gpu_prefix_cache_hit_rate"]
        return publisher.publish(*(record[name] for name in names))
    slots = core.WorkerStats(record["request_active_slots"], record["request_total_slots"],
                             record["num_requests_waiting"], None)
    blocks = core.KvStats(record["kv_active_blocks"], record["kv_total_blocks"],
                          record["gpu_cache_usage_perc"], record["gpu_prefix_cache_hit_rate"])
    publisher.publish(core.ForwardPassMetrics(slots, blocks, None))


async def echo(request, context=None):
    yield request


async def main():
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    dynamo = runtime(loop)
    component = dynamo.namespace("dynamo").component(COMPONENT)
    if hasattr(component, "create_service"):
        await settled(component.create_service())
    publisher = getattr(core, "WorkerMetricsPublisher", None) or core.KvMetricsPublisher
    publisher = publisher()
    serving = [asyncio.ensure_future(settled(publisher.create_endpoint(component))),
               asyncio.ensure_future(settled(component.endpoint("generate").serve_endpoint(echo)))]
    ended = asyncio.ensure_future(stop.wait())
    records = list(RECORDS)
    while not ended.done():
        for task in serving:
            if task.done():
                task.result()  # Raises what ended it.
        publish(publisher, records.pop(0) if len(records) > 1 else records[0])
        await asyncio.wait([ended], timeout=1)
    dynamo.shutdown()
    await asyncio.sleep(1)  # Its keys are taken back meanwhile.


asyncio.run(main())
os._exit(0)  # Some releases keep threads.
