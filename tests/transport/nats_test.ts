import assert from "node:assert/strict";
import { nkeys } from "nats";
import type { NatsAuth } from "../../lib/transport/nats_auth.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { eventually } from "../helpers/eventually.ts";
import { logLines } from "../helpers/log_lines.ts";

function open(
  servers: readonly string[],
  options: { pingIntervalMs?: number; password?: string } = {},
) {
  const { password = "user", ...more } = options;
  const auth: NatsAuth = { kind: "password", username: "user", password };
  return new NatsLink({
    servers,
    name: "test a/b/c",
    auth,
    signal: new AbortController().signal,
    ...more,
  });
}

Deno.test("a subscription made before there is a server hears once there is one, and again after a restart", async () => {
  const [port = 0] = freePorts(1);
  await using link = open([`nats://127.0.0.1:${port}`]);
  const heard: string[] = [];
  link.subscribe("x", ({ data }) => heard.push(new TextDecoder().decode(data)));
  assert.equal(link.publish("x", "0"), "disconnected");
  await using nats = await startNats({ port });
  await eventually(() => assert.equal(link.publish("x", "1"), undefined));
  await eventually(() => assert.deepEqual(heard, ["1"]));
  await nats.kill();
  await eventually(() => assert.ok(!link.connected));
  await nats.start();
  await eventually(() => assert.equal(link.publish("x", "2"), undefined));
  await eventually(() => assert.deepEqual(heard, ["1", "2"]));
  assert.equal(link.reconnects, 1);
});

Deno.test("the first server of a list that answers is taken, and the server sees the client's name", async () => {
  await using nats = await startNats();
  const [port = 0] = freePorts(1);
  await using link = open([`nats://127.0.0.1:${port}`, nats.url]);
  await eventually(() => assert.ok(link.connected));
  await eventually(async () => {
    const { connections } = await (await fetch(`${nats.monitorUrl}/connz`)).json();
    assert.deepEqual(connections.map(({ name }: { name: string }) => name), ["test a/b/c"]);
  });
});

Deno.test("a server that hangs is known by its pings, which the log says, and back when it goes on", async () => {
  const lines = logLines();
  await using nats = await startNats();
  await using link = open([nats.url], { pingIntervalMs: 100 });
  await eventually(() => assert.ok(link.connected));
  await nats.pause();
  await eventually(() => assert.ok(!link.connected));
  await eventually(() =>
    assert.ok(lines.some((line) => line.includes('cause="no answer to pings"')), lines.join(""))
  );
  nats.resume();
  await eventually(() => assert.ok(link.connected));
});

Deno.test("a server whose answers to pings are far behind what it sends is not given up while that comes", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  /** Answers the login alone, and then sends a message four times in a ping's time. */
  const speak = async (connection: Deno.Conn) => {
    const send = (text: string) => connection.write(new TextEncoder().encode(text));
    await send(
      'INFO {"server_id":"a","version":"2.9.10","proto":1,"max_payload":1048576,"headers":true}\r\n',
    );
    const buffer = new Uint8Array(65_536);
    let isLoggedIn = false;
    const timer = setInterval(() => void (isLoggedIn && send("MSG busy 1 2\r\nhi\r\n").catch(() => {})), 50);
    try {
      for (let n; (n = await connection.read(buffer)) !== null;) {
        if (isLoggedIn || !new TextDecoder().decode(buffer.subarray(0, n)).includes("PING")) continue;
        isLoggedIn = true;
        await send("PONG\r\n");
      }
    } catch {
      // We are done.
    } finally {
      clearInterval(timer);
      connection.close();
    }
  };
  let accepted = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      accepted++;
      void speak(connection);
    }
  })();
  {
    const { port } = listener.addr as Deno.NetAddr;
    await using link = open([`nats://127.0.0.1:${port}`], { pingIntervalMs: 200 });
    let heard = 0;
    link.subscribe("busy", () => heard++);
    await eventually(() => assert.ok(heard >= 40, `${heard}`));
    assert.deepEqual([link.connected, accepted], [true, 1]);
  }
  listener.close();
  await serving.catch(() => {});
});

Deno.test("a refused login is tried for ever, and works once the server takes it", async () => {
  const users = (password: string) => `authorization { users = [ { user: user, password: ${password} } ] }`;
  await using nats = await startNats({ config: users("other") });
  await using link = open([nats.url], { password: "right" });
  await eventually(async () => {
    const { total_connections } = await (await fetch(`${nats.monitorUrl}/varz`)).json();
    assert.ok(total_connections >= 10); // npm:nats by itself would have given up after two.
  });
  assert.ok(!link.connected);
  nats.setConfig(users("right"));
  await nats.reload();
  await eventually(() => assert.ok(link.connected));
});

Deno.test("what is larger than the server takes is not sent, and nobody listening is said so", async () => {
  await using nats = await startNats({ config: "max_payload: 1024\nmax_pending: 1048576" });
  await using link = open([nats.url]);
  await eventually(() => assert.ok(link.connected));
  assert.equal(link.publish("x", "y".repeat(1_025)), "max_payload");
  const heard: boolean[] = [];
  link.subscribe("inbox", ({ noResponders }) => heard.push(noResponders));
  link.publish("nobody", "", { reply: "inbox" });
  await eventually(() => assert.deepEqual(heard, [true]));
});

Deno.test("disposing ends at once, connected or not", async () => {
  await using nats = await startNats();
  const link = open([nats.url]);
  await eventually(() => assert.ok(link.connected));
  await link[Symbol.asyncDispose]();
  assert.equal(link.publish("x", ""), "disconnected");
  const [port = 0] = freePorts(1);
  await open([`nats://127.0.0.1:${port}`])[Symbol.asyncDispose]();
});

Deno.test("a server that knows us by an nkey takes its seed", async () => {
  const key = nkeys.createUser();
  await using nats = await startNats({
    config: `authorization { users = [ { nkey: ${key.getPublicKey()} } ] }`,
  });
  const auth: NatsAuth = { kind: "nkey", seed: new TextDecoder().decode(key.getSeed()) };
  const signal = new AbortController().signal;
  await using link = new NatsLink({ servers: [nats.url], name: "test", auth, signal });
  await eventually(() => assert.ok(link.connected));
});
