import assert from "node:assert/strict";

const module = new URL("../../lib/transport/stray_errors.ts", import.meta.url).href;

/** What a socket of Node's fails of while nobody listens to its errors. `port` is that of a server which says `hello`. */
const SOCKETS: readonly [what: string, open: string][] = [
  ["a refused connection", `net.connect(1, "127.0.0.1")`],
  ["a name that is not there", `net.connect(1, "nowhere.invalid")`],
  ["a far end that speaks no TLS", `tls.connect({ port, host: "127.0.0.1" })`],
];

/** Runs a program with such a socket, and gives how it ended. */
async function run(open: string, { isGuarded }: { readonly isGuarded: boolean }): Promise<number> {
  const program = `
    import net from "node:net";
    import tls from "node:tls";
    ${isGuarded ? `(await import("${module}")).ignoreStraySocketErrors();` : ""}
    const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = server.addr;
    server.accept().then((socket) => socket.write(new TextEncoder().encode("hello hello\\n")));
    const socket = ${open};
    socket.removeAllListeners("error");
    socket.on("close", () => setTimeout(() => Deno.exit(0), 50));
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "-"],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  return (await child.status).code;
}

for (const [what, open] of SOCKETS) {
  Deno.test(`${what} whose error nobody hears ends no program that lets stray errors go`, async () => {
    assert.deepEqual(await Promise.all([true, false].map((isGuarded) => run(open, { isGuarded }))), [0, 1]);
  });
}
