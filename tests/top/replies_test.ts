import { startMetrics } from "../helpers/metrics_process.ts";
import { NAMED, openTop, seen } from "./top_terminal.ts";

Deno.test("what a terminal answers to programs is no key, in pieces too, and the keys after it are heard", async () => {
  await using metrics = await startMetrics({
    args: [...NAMED, "--no-etcd"],
    env: { NATS_SERVER: "nats://127.0.0.1:1" },
  });
  await using terminal = await openTop(["--url", metrics.url]);
  await seen(terminal, /^No workers$/m, / sort \w+[▲▼] /);
  const replies: readonly (readonly string[])[] = [
    ["\x1b]11;rgb:1e1e/1e1e/1e1e\x07"],
    ["\x1b]11;rgb:1e1e/", "1e1e/1e1e\x1b\\"],
    ["\x1b", "]11;rgb:1e1e/1e1e/1e1e\x07"],
    ["\x1bP>|xterm(390)", " /qs\x1b", "\\"],
    ["\x1b_Gi=31;OK/q\x1b\\"],
    ["\x1b[?62;1", ";4c"],
  ];
  for (const [n, pieces] of replies.entries()) {
    for (const piece of pieces) {
      await terminal.type("-l", piece);
      // A picture of the screen is taken between two pieces: they come apart.
      await terminal.screen();
    }
    await terminal.type("/", `heard${n}`);
    await seen(terminal, new RegExp(`^Filter: heard${n} `, "m"));
    await terminal.type("Escape");
    await seen(terminal, / \/ filter /);
  }
});
