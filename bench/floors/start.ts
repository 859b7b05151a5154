/** The least that a start can cost: npm:nats is imported and begins to connect, and a page opens. Told port and server. */
import { connect } from "nats";

const { port, nats } = JSON.parse(Deno.args[0]!) as { port: number; nats: string };
Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, () => new Response("up 1\n"));
await connect({ servers: nats });
