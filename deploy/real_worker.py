"""A real Dynamo worker of release 0.6.0 without a GPU: it publishes fixed load numbers with Dynamo's own publisher.

Needs Python 3.12, `ai-dynamo-runtime==0.6.0`, pydantic and uvloop; NATS with JetStream; NATS_SERVER and ETCD_ENDPOINTS.
"""
import asyncio
import signal

from dynamo.llm import ForwardPassMetrics, KvStats, WorkerMetricsPublisher, WorkerStats
from dynamo.runtime import DistributedRuntime

SLOTS = WorkerStats(request_active_slots=3, request_total_slots=100, num_requests_waiting=2)
BLOCKS = KvStats(kv_active_blocks=40, kv_total_blocks=1000, gpu_cache_usage_perc=0.5, gpu_prefix_cache_hit_rate=0.25)


async def main():
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    runtime = DistributedRuntime(loop, False)
    component = runtime.namespace("dynamo").component("VllmWorker")
    await component.create_service()
    publisher = WorkerMetricsPublisher()
    endpoint = asyncio.ensure_future(publisher.create_endpoint(component))  # serves `load_metrics`
    while not stop.is_set():
        publisher.publish(ForwardPassMetrics(SLOTS, BLOCKS, None))
        await asyncio.wait([asyncio.ensure_future(stop.wait()), endpoint], timeout=1, return_when="FIRST_COMPLETED")
    runtime.shutdown()
    await asyncio.sleep(1)  # its key is taken back meanwhile


asyncio.run(main())
