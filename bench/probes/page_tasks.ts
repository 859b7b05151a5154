import type { Page } from "playwright-core";

/** What a page's main thread did without serving its user: nothing is drawn, no key is heard meanwhile. */
export interface PageTask {
  readonly ms: number;
  /** CPU time of the thread; the rest of `ms` it waited for a core. */
  readonly cpuMs: number;
}

/** What Chromium's trace has that is needed here. Times are in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** `toplevel` has what each thread runs, a task at a time. */
const CATEGORIES = ["toplevel", "__metadata"];
const MAIN_THREAD = "CrRendererMain";

/** The tasks of a page's main thread while `act` runs, as Chromium traces them, the longest first. */
export async function tracedTasks(page: Page, act: () => Promise<unknown>): Promise<PageTask[]> {
  const chromium = page.context().browser()!;
  await chromium.startTracing(page, { categories: CATEGORIES });
  await act();
  const trace = await chromium.stopTracing();
  return tasksOf(JSON.parse(new TextDecoder().decode(trace)).traceEvents);
}

/** The tasks of all main threads of pages in a trace, the longest first. */
export function tasksOf(events: readonly TraceEvent[]): PageTask[] {
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`;
  const main = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args?.name === MAIN_THREAD).map(threadOf),
  );
  return events
    .filter((event) => event.name === "ThreadControllerImpl::RunTask" && main.has(threadOf(event)))
    .map(({ dur = 0, tdur = 0 }) => ({ ms: dur / 1_000, cpuMs: tdur / 1_000 }))
    .toSorted((a, b) => b.ms - a.ms);
}
