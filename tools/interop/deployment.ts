import { join } from "node:path";
import { parseInstanceKey } from "../../lib/dynamo/instance_key.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { etcdKeys } from "../etcd_gateway.ts";
import { Program } from "../program.ts";
import { startEtcd } from "../servers/etcd.ts";
import { startNats } from "../servers/nats.ts";
import { freePorts } from "../servers/ports.ts";
import { BLOCK_SIZE } from "./chats.ts";
import { sought } from "./patience.ts";
import { MODEL, writeTinyModel } from "./tiny_model.ts";
import type { Venv } from "./venv.ts";

export const NAMESPACE = "dynamo";
export const ENDPOINT = "generate";

export type WorkerType = "aggregated" | "prefill" | "decode";

/** How one mocker, Dynamo's engine without a GPU, is started. */
export interface MockerOptions {
  readonly type: WorkerType;
  /** KV blocks of 16 tokens. */
  readonly blocks: number;
  /** Requests that run at once; more wait. */
  readonly slots: number;
}

/** A mocker that serves. */
export interface Mocker extends MockerOptions {
  /** As etcd has it. */
  readonly id: WorkerId;
  readonly component: string;
  readonly program: Program;
  /** Its HTTP page, where it has a system port. */
  readonly pageUrl: string | undefined;
}

/** What is started beside the mockers, and with which settings. */
export interface DeploymentOptions {
  readonly mockers: readonly MockerOptions[];
  /** Whether a NATS server runs and everybody is told of it. */
  readonly nats: boolean;
  /** Whether each mocker has a system port. */
  readonly pages: boolean;
  /** The value of DYN_EVENT_PLANE; the release's own choice without it. */
  readonly eventPlane?: "nats" | "zmq";
}

/** A whole deployment of one release as a user runs it: servers, a frontend with a KV router, mockers. */
export class Deployment implements AsyncDisposable {
  readonly #ends: AsyncDisposableStack;

  private constructor(
    ends: AsyncDisposableStack,
    /** Where the servers are, for `metrics` too. */
    readonly env: Readonly<Record<string, string>>,
    readonly frontend: string,
    readonly mockers: readonly Mocker[],
  ) {
    this.#ends = ends;
  }

  /** Resolves when a chat has been answered. @throws with the end of a log when that does not come about */
  static async start(venv: Venv, options: DeploymentOptions, signal: AbortSignal): Promise<Deployment> {
    await using ends = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "interop-" });
    ends.defer(() => Deno.remove(folder, { recursive: true }));
    const etcd = ends.use(await startEtcd());
    const nats = options.nats ? ends.use(await startNats({ jetstream: true })) : undefined;
    const servers = { ETCD_ENDPOINTS: etcd.url, ...(nats && { NATS_SERVER: nats.url }) };
    const env = { ...servers, ...(options.eventPlane && { DYN_EVENT_PLANE: options.eventPlane }) };
    const model = join(folder, MODEL);
    await writeTinyModel(model);
    const programs: Program[] = [];
    ends.defer(async () => void await Promise.all(programs.map((program) => program.stop())));
    const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
      const program = new Program({
        command: venv.python,
        args: ["-m", ...args],
        env: { ...env, HF_HUB_OFFLINE: "1", ...more },
        cwd: folder, // Some frontends take the model's name for a path in it, and else ask the hub.
        patienceMs: 5_000,
      });
      programs.push(program);
      return program;
    };

    const [port] = freePorts(1);
    const frontend = `http://127.0.0.1:${port}`;
    start(["dynamo.frontend", "--http-port", `${port}`, "--router-mode", "kv"]);
    const seek = <Value>(what: string, ask: () => Promise<Value | undefined>) =>
      sought(what, () => {
        const dead = programs.find(({ ended }) => ended);
        if (dead !== undefined) throw new Error(`a program ended by itself:\n${dead.log.slice(-2_000)}`);
        return ask().catch(() => undefined);
      }, { withinMs: 90_000, signal });

    const mockers: Mocker[] = [];
    for (const mocker of options.mockers) {
      const component = mocker.type === "prefill" ? "prefill" : "backend";
      const [systemPort] = options.pages ? freePorts(1) : [];
      const program = start(["dynamo.mocker", ...mockerArgs(model, mocker)], {
        ...(systemPort && { DYN_SYSTEM_PORT: `${systemPort}` }),
      });
      // One after the other, so that a new id is that of the newest mocker.
      const id = await seek(`a key of the ${mocker.type} mocker`, async () => {
        const ids = await registeredIds(etcd.url, component);
        return ids.find((id) => !mockers.some((other) => other.id === id));
      });
      const pageUrl = systemPort && `http://127.0.0.1:${systemPort}/metrics`;
      mockers.push({ ...mocker, id, component, program, pageUrl: pageUrl || undefined });
    }
    await seek("a first answer of the frontend", () => firstAnswer(frontend));
    return new Deployment(ends.move(), servers, frontend, mockers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends[Symbol.asyncDispose]();
  }
}

function mockerArgs(model: string, { type, blocks, slots }: MockerOptions): string[] {
  return [
    ...["--model-path", model, "--model-name", MODEL, "--block-size", `${BLOCK_SIZE}`],
    ...["--num-gpu-blocks-override", `${blocks}`, "--max-num-seqs", `${slots}`],
    ...(type === "aggregated" ? [] : ["--disaggregation-mode", type]),
  ];
}

/** Whom etcd lists, by its HTTP gateway. */
export async function registeredIds(etcd: string, component: string): Promise<WorkerId[]> {
  const prefix = `v1/instances/${NAMESPACE}/${component}/${ENDPOINT}/`;
  return (await etcdKeys(etcd)).flatMap(({ key }) => parseInstanceKey(key, prefix) ?? []);
}

async function firstAnswer(frontend: string): Promise<true | undefined> {
  const response = await fetch(`${frontend}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hello" }], max_tokens: 4 }),
    signal: AbortSignal.timeout(10_000),
  });
  await response.body?.cancel();
  return response.ok ? true : undefined;
}
