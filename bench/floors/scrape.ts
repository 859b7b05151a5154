/**
 * The least that a round can cost: one question by npm:nats, `JSON.parse` of each reply, nothing kept. Told the server,
 * the service and how many replies there are; each line on its input asks once and is answered with the milliseconds.
 */
import { connect, createInbox } from "nats";
import { serviceSubject } from "../../lib/micro/subjects.ts";
import { answerLines } from "../child.ts";

const { nats, service, workers } = JSON.parse(Deno.args[0]!) as {
  nats: string;
  service: string;
  workers: number;
};
const connection = await connect({ servers: nats });
const inbox = createInbox();
const decoder = new TextDecoder();
let missing = 0;
let end = Promise.withResolvers<void>();
connection.subscribe(inbox, {
  callback: (_, { data }) => {
    JSON.parse(decoder.decode(data));
    if (--missing === 0) end.resolve();
  },
});
await connection.flush();
await answerLines(async () => {
  missing = workers;
  end = Promise.withResolvers();
  const startMs = performance.now();
  connection.publish(serviceSubject("STATS", service), undefined, { reply: inbox });
  await end.promise;
  return { ms: performance.now() - startMs };
});
