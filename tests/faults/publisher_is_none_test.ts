import assert from "node:assert/strict";
import { FIRST, SECOND } from "../helpers/captured_deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ZmqDeployment } from "../helpers/zmq_deployment.ts";
import { ZmtpPeer } from "../helpers/zmtp_peer.ts";

Deno.test("what is no publisher at a publisher's address is tried again and again, and harms nothing", async () => {
  using mail = new ZmtpPeer((connection) =>
    connection.write(new TextEncoder().encode("220 mail.example ESMTP\r\n".repeat(100)))
  );
  await using deployment = await ZmqDeployment.start({
    through: ({ worker, port }) => worker === FIRST ? mail.port : port,
  });
  const page = await deployment.shows({ [SECOND]: 61 });
  assert.deepEqual(page.states(), { [FIRST]: "discovered", [SECOND]: "responding" });
  assert.equal(page.value("dynamo_metrics_up"), 1);
  await eventually(() => assert.ok(mail.connections >= 8)); // Four publishers of a worker, two of which we want.
  const warnings = () => deployment.metrics.log().split("\n").filter((line) => /WARN|ERROR/.test(line));
  await eventually(() => assert.ok(warnings().length > 0));
  assert.equal(warnings().length, 1);
  assert.match(
    warnings()[0]!,
    /cannot be reached finding=publisher_unreachable count=2 hint="the peer does not speak ZMTP"/,
  );
});
