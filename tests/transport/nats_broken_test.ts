import assert from "node:assert/strict";
import { NatsLink } from "../../lib/transport/nats.ts";
import { USER } from "../../tools/nats_users.ts";
import { eventually } from "../helpers/eventually.ts";
import { logLines } from "../helpers/log_lines.ts";

const INFO = 'INFO {"server_id":"x","version":"2.9.10","max_payload":1048576,"headers":true,"proto":1} \r\n';
const BROKEN = [
  { what: "MSG a 1 x\r\n", cause: "a message without a size" },
  { what: "MSG a 1 1000000000000000\r\n", cause: "a message of 1000000000000000 bytes" },
  { what: "HMSG a 1 12 99999999999\r\n", cause: "a message of 99999999999 bytes" },
  { what: "INFO null\r\n", cause: "a line that makes no sense" },
  { what: "MSG a 1\r\n", cause: "a message without a subscription" },
  { what: "x".repeat(1_100_000), cause: "a line of more than 1048576 bytes" },
];

/** A server that greets, and says this to each client that subscribes. */
function brokenServer(what: string): Deno.TcpListener {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const client of listener) {
      serve(client, what).catch(() => {}); // Who does not like it leaves.
    }
  })();
  return listener;
}

async function serve(client: Deno.TcpConn, what: string): Promise<void> {
  const send = async (text: string) => {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += await client.write(bytes.subarray(sent));
  };
  using _ = client;
  await send(INFO);
  for await (const bytes of client.readable) {
    const said = new TextDecoder().decode(bytes);
    if (said.includes("PING")) await send("PONG\r\n");
    if (said.includes("SUB")) await send(what);
  }
}

for (const { what, cause } of BROKEN) {
  Deno.test(`a server that says ${JSON.stringify(what.slice(0, 30))} is left with the cause, and sought again`, async () => {
    const lines = logLines();
    using server = brokenServer(what);
    const { port } = server.addr as Deno.NetAddr;
    await using link = new NatsLink({
      servers: [`nats://127.0.0.1:${port}`],
      name: "test",
      auth: USER,
      signal: new AbortController().signal,
    });
    link.subscribe("a", () => {});
    await eventually(() => assert.ok(link.reconnects >= 1));
    assert.ok(lines.some((line) => line.includes(`cause="${cause}"`)), lines.join(""));
  });
}
