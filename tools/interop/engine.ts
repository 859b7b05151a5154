import { dirname, join } from "node:path";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { PageReader } from "../page_reader.ts";
import { Program } from "../program.ts";
import { startEtcd } from "../servers/etcd.ts";
import { freePorts } from "../servers/ports.ts";
import { registeredIds } from "./deployment.ts";
import { writeEngineModel } from "./engine_model.ts";
import { descendantsOf, guardGroup, type Process, signalAll } from "./engine_processes.ts";
import { sought } from "./patience.ts";
import { MODEL } from "./tiny_model.ts";
import type { Venv } from "./venv.ts";

/** How the engine is started. Each rank has its own blocks and slots. Its attention takes multiples of 32 tokens a block. */
export const SHAPE = { ranks: 2, blocks: 256, blockTokens: 32, slots: 4 } as const;

/** The component that Dynamo gives the workers of vLLM. */
export const COMPONENT = "backend";

/** Two ranks were seen to start within 147 to 284 s on two busy cores. */
const PATIENCE_MS = 600_000;

/** A real vLLM of several ranks behind a Dynamo worker, and the frontend that asks it; as JSON it can be handed on. */
export interface Engine {
  /** Where etcd is, for `metrics` too. */
  readonly env: Readonly<Record<string, string>>;
  readonly frontend: string;
  /** As etcd has it. */
  readonly workerId: WorkerId;
  /** The worker's own page. */
  readonly pageUrl: string;
  /** The Dynamo process, which the engine's processes descend from. */
  readonly pid: number;
}

/** What the worker's page says now. */
export async function pageOf({ pageUrl }: Engine): Promise<PageReader> {
  return new PageReader(await (await fetch(pageUrl, { signal: AbortSignal.timeout(10_000) })).text());
}

/**
 * The processes of the engine: `EngineCore` schedules the requests of a rank, `Worker` computes for it. The worker's
 * title does not say of which rank it is.
 *
 * @throws unless there is one of the kind for each rank
 */
export async function processesOf(
  { pid }: Engine,
  kind: "EngineCore" | "Worker",
): Promise<readonly Process[]> {
  const all = await descendantsOf(pid);
  const found = all.filter(({ title }) => new RegExp(`^VLLM::${kind}(?:_\\w+)?$`).test(title));
  if (found.length === SHAPE.ranks) return found;
  const titles = all.map(({ title }) => title).join(", ");
  throw new Error(`${found.length} of ${SHAPE.ranks} processes VLLM::${kind} are among: ${titles}`);
}

/**
 * Starts etcd, a frontend and the worker; resolves when the frontend serves the model. Nothing has been asked of it then.
 *
 * @throws with the end of a log when that does not come about
 */
export async function startEngine(venv: Venv, signal: AbortSignal): Promise<Engine & AsyncDisposable> {
  await using ends = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "interop-" });
  ends.defer(() => Deno.remove(folder, { recursive: true }));
  const etcd = ends.use(await startEtcd());
  const servers = { ETCD_ENDPOINTS: etcd.url };
  const model = join(folder, MODEL);
  await writeEngineModel(model);
  const programs: Program[] = [];
  const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const program = new Program({
      command: "nice", // The engine takes all the cores there are, which would make those late that watch it.
      args: ["-n", "5", venv.python, "-m", ...args],
      env: { ...servers, ...engineEnv(venv), ...more },
      cwd: folder,
      patienceMs: 10_000,
    });
    programs.push(program);
    ends.use(guardGroup(program.pid));
    ends.defer(() => endTree(program));
    return program;
  };

  const [port, systemPort, passPort] = freePorts(3);
  const frontend = `http://127.0.0.1:${port}`;
  start(["dynamo.frontend", "--http-port", `${port}`, "--router-mode", "kv"]);
  const { pid } = start(["dynamo.vllm", ...engineArgs(model)], {
    DYN_SYSTEM_PORT: `${systemPort}`,
    DYN_FORWARDPASS_METRIC_PORT: `${passPort}`, // And the next one for the next rank.
  });
  const seek = <Value>(what: string, ask: () => Promise<Value | undefined>) =>
    sought(what, () => {
      const dead = programs.find(({ ended }) => ended);
      if (dead !== undefined) throw new Error(`a program ended by itself:\n${dead.log.slice(-4_000)}`);
      return ask().catch(() => undefined);
    }, { withinMs: PATIENCE_MS, signal });
  const workerId = await seek("a key of the engine", async () => {
    const [id] = await registeredIds(etcd.url, COMPONENT);
    return id;
  });
  await seek("the model at the frontend", () => servesModel(frontend));
  const running = ends.move();
  return {
    ...{ env: servers, frontend, workerId, pid },
    pageUrl: `http://127.0.0.1:${systemPort}/metrics`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function engineArgs(model: string): string[] {
  return [
    ...["--model", model, "--served-model-name", MODEL, "--enforce-eager", "--max-model-len", "4096"],
    ...["--block-size", `${SHAPE.blockTokens}`, "--num-gpu-blocks-override", `${SHAPE.blocks}`],
    ...["--max-num-seqs", `${SHAPE.slots}`, "--data-parallel-size", `${SHAPE.ranks}`],
  ];
}

function engineEnv({ python }: Venv): Record<string, string> {
  return {
    HF_HUB_OFFLINE: "1",
    TRANSFORMERS_OFFLINE: "1",
    VLLM_NO_USAGE_STATS: "1",
    DO_NOT_TRACK: "1",
    VLLM_CPU_KVCACHE_SPACE: "1", // In GiB.
    VLLM_HOST_IP: "127.0.0.1",
    VLLM_CPU_OMP_THREADS_BIND: "nobind", // Else each rank takes a core for itself, and reserves another.
    OMP_NUM_THREADS: "1",
    VLLM_CACHE_ROOT: join(dirname(dirname(python)), "vllm-cache"),
  };
}

async function servesModel(frontend: string): Promise<true | undefined> {
  const response = await fetch(`${frontend}/v1/models`, { signal: AbortSignal.timeout(5_000) });
  const { data } = await response.json() as { data: readonly { id: string }[] };
  return data.some(({ id }) => id === MODEL) ? true : undefined;
}

/** Ends a program and all that it started, some of which may be stopped or outlive it. */
async function endTree(program: Program): Promise<void> {
  const children = await descendantsOf(program.pid);
  signalAll(children, "SIGCONT");
  await program.stop();
  signalAll(children, "SIGKILL");
}
