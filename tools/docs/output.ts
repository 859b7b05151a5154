/** Real output for the README: a run of both programs on real servers, as the README's commands start them. */
import { compareUnderFaults } from "../against_original.ts";
import { eventually } from "../../tests/helpers/eventually.ts";
import { ownCommand, ownProgram, servedUrl } from "../program.ts";
import { startEtcd } from "../servers/etcd.ts";
import { startNats } from "../servers/nats.ts";
import { startPushgateway } from "../servers/pushgateway.ts";
import { Terminal } from "../terminal.ts";

const NAMED = ["--component", "my_component", "--endpoint", "my_endpoint"];

/** What the programs said, by the name of the README's part. */
export async function outputParts(): Promise<Readonly<Record<string, string>>> {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using gateway = await startPushgateway();
  const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url };
  await using metrics = ownProgram("main.ts", {
    args: [...NAMED, "--host", "127.0.0.1", "--port", "0"],
    env,
  });
  await metrics.logged(/No endpoints found/);
  const alone = metrics.log;
  await using workers = ownProgram("mock_worker.ts", { args: ["--workers", "2"], env });
  await metrics.logged(/Found workers at .*workers=2/);
  const url = await servedUrl(metrics);
  const page = await (await fetch(`${url}/metrics`)).text();
  await workers.logged(/Stats:/);
  const screen = await screenOf([...NAMED], env);
  await using pusher = ownProgram("main.ts", {
    args: [...NAMED, "--push", "--host", "127.0.0.1", "--port", String(gateway.port)],
    env,
  });
  await pusher.logged(/Started pushing/);
  return {
    "output-demo": block(lines(await demoOutput(), () => true)),
    "output-start": block(lines(alone, () => true)),
    "output-found": block(lines(metrics.log, (line) => line.includes("Found workers"))),
    "output-mock": block(lines(workers.log, (line) => /Starting|Stats/.test(line)).slice(0, 2)),
    "output-page": block(lines(page, (line) => /^(# \w+ )?llm_/.test(line))),
    "output-top": block(screen),
    "output-push": block(lines(pusher.log, (line) => line.includes("Started pushing"))),
  };
}

async function demoOutput(): Promise<string> {
  const args = ["run", "-A", "--no-check", new URL("../demo.ts", import.meta.url).href, "--for", "60"];
  const demo = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  let text = "";
  for await (const part of demo.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes("(Ctrl-C ends all)")) demo.kill("SIGINT");
  }
  await demo.status;
  return text;
}

/** The screen of `metrics top` when it shows half a minute, without its empty lines. */
async function screenOf(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string[]> {
  await using terminal = await Terminal.open({ env });
  await terminal.run(ownCommand("main.ts", ["top", ...args]));
  return await eventually(async () => {
    const screen = await terminal.screen();
    if (!/^KV .*[▁-█]{3}$/m.test(screen)) throw new Error(`no sparkline of three cells in\n${screen}`);
    return lines(screen, (line) => line !== "");
  }, { timeoutMs: 60_000 });
}

/** The demo against the original, which is fetched from PyPI. */
export async function comparisonPart(): Promise<Readonly<Record<string, string>>> {
  const said: string[] = [];
  await compareUnderFaults({ print: (line) => said.push(line), signal: new AbortController().signal });
  return { "output-against": block(said) };
}

function lines(text: string, wanted: (line: string) => boolean): string[] {
  return text.trim().split("\n").filter(wanted);
}

function block(lines: readonly string[]): string {
  return ["```", ...lines, "```"].join("\n");
}
