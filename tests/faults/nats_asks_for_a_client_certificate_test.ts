import assert from "node:assert/strict";
import { ownCommand, ownProgram, type Program } from "../../tools/program.ts";
import { type NatsServer, startNats } from "../../tools/servers/nats.ts";
import { Terminal } from "../../tools/terminal.ts";
import { ca, tlsConfig } from "../helpers/certificates.ts";
import { eventually } from "../helpers/eventually.ts";
import { Tls12Server } from "../helpers/tls12_server.ts";

const NAMED = ["--component", "my_component", "--endpoint", "my_endpoint"];

/** Our programs, as they run for ever, by what they are called. */
const PROGRAMS: readonly [name: string, file: "main.ts" | "mock_worker.ts", args: readonly string[]][] = [
  ["metrics", "main.ts", [...NAMED, "--no-etcd", "--host", "127.0.0.1", "--port", "0"]],
  ["mock_worker", "mock_worker.ts", ["--no-etcd"]],
];

function start([, file, args]: typeof PROGRAMS[number], port: number): Program {
  const env = { DENO_CERT: ca, NATS_SERVER: `tls://127.0.0.1:${port}` };
  return ownProgram(file, { args, env });
}

async function connections(nats: NatsServer): Promise<number> {
  return (await (await fetch(`${nats.monitorUrl}/varz`)).json()).total_connections;
}

function warnings(program: Program): string[] {
  return program.log.split("\n").filter((line) => line.includes(" WARN ") && line.includes("NATS"));
}

const ASKS = /cause="the server asks for a client certificate \(TLS alert \w+\)"/;

for (const program of PROGRAMS) {
  Deno.test(`a NATS that asks for a client certificate in TLS 1.3 does not end ${program[0]}, which says so once and tries for ever`, async () => {
    await using nats = await startNats({ config: tlsConfig("address", { verify: true }) });
    await using running = start(program, nats.port);
    await eventually(async () => assert.ok(await connections(nats) >= 8), { timeoutMs: 30_000 });
    assert.equal(warnings(running).length, 1, running.log);
    assert.match(warnings(running)[0]!, ASKS);
    assert.equal(await running.stop(), 0, running.log);
  });

  Deno.test(`a server that refuses the TLS 1.2 handshake without a client certificate does not end ${program[0]}`, async () => {
    await using server = await Tls12Server.start();
    await using running = start(program, server.port);
    await eventually(() => assert.ok(server.connections >= 8), { timeoutMs: 30_000 });
    assert.equal(warnings(running).length, 1, running.log);
    assert.match(warnings(running)[0]!, /cause="the server ends TLS with the alert HandshakeFailure"/);
    assert.equal(await running.stop(), 0, running.log);
  });

  Deno.test(`a NATS that begins to ask for client certificates does not end ${program[0]}, which is there again after that`, async () => {
    await using nats = await startNats({ config: tlsConfig("address") });
    await using running = start(program, nats.port);
    await running.logged(/Connected to NATS/);
    nats.setConfig(tlsConfig("address", { verify: true }));
    await nats.reload();
    await running.logged(ASKS);
    const before = await connections(nats);
    await eventually(async () => assert.ok(await connections(nats) >= before + 5), { timeoutMs: 30_000 });
    assert.equal(warnings(running).filter((line) => ASKS.test(line)).length, 1, running.log);
    nats.setConfig(tlsConfig("address"));
    await nats.reload();
    await running.logged(/Connected to NATS[^]*Connected to NATS/);
    assert.equal(await running.stop(), 0, running.log);
  });
}

/** `metrics top` in a terminal that says when it ended. */
async function openTop(port: number): Promise<Terminal> {
  const env = { DENO_CERT: ca, NATS_SERVER: `tls://127.0.0.1:${port}` };
  const terminal = await Terminal.open({ env, columns: 200 });
  await terminal.run(ownCommand("main.ts", ["top", ...NAMED, "--no-etcd"]), "echo ended");
  return terminal;
}

async function says(terminal: Terminal, cause: RegExp): Promise<void> {
  await eventually(async () => assert.match(await terminal.screen(), cause), { timeoutMs: 30_000 });
  assert.doesNotMatch(await terminal.screen(), /^ended/m);
}

Deno.test("a NATS that asks for a client certificate in TLS 1.3 does not end metrics top, whose screen says so", async () => {
  await using nats = await startNats({ config: tlsConfig("address", { verify: true }) });
  await using terminal = await openTop(nats.port);
  await eventually(async () => assert.ok(await connections(nats) >= 8, await terminal.screen()), {
    timeoutMs: 30_000,
  });
  await says(terminal, /the server asks for a client certificate/);
});

Deno.test("a server that refuses the TLS 1.2 handshake without a client certificate does not end metrics top, whose screen says so", async () => {
  await using server = await Tls12Server.start();
  await using terminal = await openTop(server.port);
  await eventually(() => assert.ok(server.connections >= 8), { timeoutMs: 30_000 });
  await says(terminal, /the server ends TLS with the alert HandshakeFailure/);
});

Deno.test("a NATS that begins to ask for client certificates does not end metrics top, which is there again after that", async () => {
  await using nats = await startNats({ config: tlsConfig("address") });
  await using terminal = await openTop(nats.port);
  await says(terminal, /NATS connected/);
  nats.setConfig(tlsConfig("address", { verify: true }));
  await nats.reload();
  await says(terminal, /NATS away[^]*the server asks for a client certificate/);
  nats.setConfig(tlsConfig("address"));
  await nats.reload();
  await says(terminal, /NATS connected/);
});
