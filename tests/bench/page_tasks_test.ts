import assert from "node:assert/strict";
import { tasksOf } from "../../bench/probes/page_tasks.ts";

const RUN = "ThreadControllerImpl::RunTask";

Deno.test("of a trace the tasks of pages' main threads are taken, the longest first", () => {
  const thread = (pid: number, tid: number, name: string) => ({
    name: "thread_name",
    pid,
    tid,
    args: { name },
  });
  const tasks = tasksOf([
    { name: RUN, pid: 2, tid: 2, dur: 3_000, tdur: 2_900 },
    { name: RUN, pid: 2, tid: 2, dur: 70_500, tdur: 40_000 },
    { name: "Layout", pid: 2, tid: 2, dur: 90_000, tdur: 90_000 },
    { name: RUN, pid: 2, tid: 7, dur: 95_000, tdur: 95_000 },
    { name: RUN, pid: 1, tid: 2, dur: 99_000, tdur: 99_000 },
    { name: RUN, pid: 3, tid: 3, dur: 5_000 },
    // Chromium names its threads at the end of a trace.
    thread(1, 2, "CrBrowserMain"),
    thread(2, 2, "CrRendererMain"),
    thread(2, 7, "Compositor"),
    thread(3, 3, "CrRendererMain"),
  ]);
  assert.deepEqual(tasks, [{ ms: 70.5, cpuMs: 40 }, { ms: 5, cpuMs: 0 }, { ms: 3, cpuMs: 2.9 }]);
});
