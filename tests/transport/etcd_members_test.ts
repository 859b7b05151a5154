import assert from "node:assert/strict";
import { Range } from "etcd3";
import { parseEndpoint } from "../../lib/transport/etcd_address.ts";
import { openEtcd } from "../../lib/transport/etcd_client.ts";
import { EtcdLeases, type LeaseHolder } from "../../lib/transport/etcd_lease.ts";
import { type EtcdMember, EtcdMembers } from "../../lib/transport/etcd_members.ts";
import { EtcdMirror } from "../../lib/transport/etcd_mirror.ts";
import { etcdKeys, requirePassword } from "../../tools/etcd_gateway.ts";
import { type EtcdServer, startEtcdCluster } from "../../tools/servers/etcd.ts";
import { leaderLast } from "../helpers/etcd_members.ts";
import { eventually, steadily } from "../helpers/eventually.ts";
import { logLines } from "../helpers/log_lines.ts";
import { startMetrics } from "../helpers/metrics_process.ts";

const PREFIX = "v1/instances/dynamo/c/e/";
const READER = { username: "reader", password: "secret" };
const AUTH = { username: "root", password: "secret" };
const limits = { callMs: 500, retryMs: 50, relistMs: 200, probeMs: 200 };
const TLS = new URL("../testdata/tls/", import.meta.url).pathname;

const ADDRESSES: readonly [string, string, number, boolean][] = [
  ["http://etcd-0.etcd:2379", "etcd-0.etcd", 2379, false],
  ["https://10.0.0.7:2379", "10.0.0.7", 2379, true],
  ["etcd:2379", "etcd", 2379, false],
  ["[fd00::7]:2379", "fd00::7", 2379, false],
  ["https://[fd00::7]", "fd00::7", 443, true],
];

for (const [endpoint, hostname, port, secure] of ADDRESSES) {
  Deno.test(`${endpoint} is an address`, () => {
    assert.deepEqual(parseEndpoint(endpoint), { hostname, port, secure });
  });
}

/** Asks for the next member, and says that it failed, until none is left. */
function round(members: EtcdMembers): string[] {
  const names: string[] = [];
  for (let member = members.choose(); member !== undefined; member = members.choose()) {
    names.push(member.name);
    members.failed(member, `cause ${names.length}`);
  }
  return names;
}

Deno.test("members are tried in order, each once a round, and the causes of all are named", () => {
  const members = new EtcdMembers(["a:1", "b:2", "c:3"]);
  assert.deepEqual(round(members), ["a:1", "b:2", "c:3"]);
  assert.equal(members.causes, "a:1: cause 1; b:2: cause 2; c:3: cause 3");
  members.forgive();
  assert.deepEqual(round(members).toSorted(), ["a:1", "b:2", "c:3"]);
});

Deno.test("the member that is used stays until it fails, and is left aside then", () => {
  const members = new EtcdMembers(["a:1", "b:2", "c:3"]);
  const first = members.choose()!;
  members.succeeded(first);
  assert.equal(members.choose(), first);
  members.failed(first, "it hangs");
  assert.equal(members.choose()!.name, "b:2");
  members.succeeded(members.current!);
  assert.equal(members.choose()!.name, "b:2");
  assert.deepEqual(members.others.map(({ name }) => name), ["c:3"]);
});

Deno.test("of one endpoint the cause stands alone, without its name", () => {
  const members = new EtcdMembers(["a:1"]);
  assert.deepEqual(round(members), ["a:1"]);
  assert.equal(members.causes, "cause 1");
});

Deno.test("a sick member is named once, again after it was well, and never while none is well", () => {
  const lines = logLines();
  const members = new EtcdMembers(["a:1", "b:2"]);
  round(members);
  assert.deepEqual(lines, []);
  members.forgive();
  const first = members.choose()!;
  members.succeeded(first);
  members.nameSick();
  members.nameSick();
  assert.equal(lines.length, 1);
  const [other] = members.others as [EtcdMember];
  assert.match(lines[0]!, /WARN .*Left an etcd member aside member=b:2 cause="cause 2"/);
  members.succeeded(other);
  members.failed(other, "it hangs");
  members.nameSick();
  assert.equal(lines.length, 3);
  assert.match(lines[1]!, /INFO .*An etcd member answers again/);
  assert.match(lines[2]!, /it hangs/);
});

function mirror(members: readonly EtcdServer[], options: { auth?: typeof AUTH } = {}) {
  return new EtcdMirror([{ prefix: PREFIX, withValues: true }], {
    endpoints: members.map(({ url }) => url),
    signal: new AbortController().signal,
    ...limits,
    ...options,
  });
}

async function put(member: EtcdServer, key: string, auth?: typeof AUTH): Promise<void> {
  using client = await openEtcd(member.url, auth && { auth });
  await client.etcd.put(`${PREFIX}${key}`).value("x");
}

Deno.test("a member that is not used and hangs is named, and named again when it is well", async () => {
  const lines = logLines();
  await using cluster = await startEtcdCluster();
  const members = await leaderLast(cluster.members);
  await using mirrored = mirror(members);
  await eventually(() => assert.ok(mirrored.connected));
  const standby = members[1]!;
  /** On a full machine other members are named meanwhile. */
  const isNamed = (what: string) => {
    const pattern = RegExp(`${what} member="?127.0.0.1:${standby.port}`);
    return eventually(() => assert.ok(lines.some((line) => pattern.test(line)), lines.join("")), {
      timeoutMs: 20_000,
    });
  };
  await standby.pause();
  await isNamed("Left an .*");
  lines.length = 0;
  standby.resume();
  await isNamed("answers again");
  await eventually(() => assert.ok(mirrored.connected));
});

Deno.test("each member is logged in to, and one that hangs is replaced, with a password", async () => {
  await using cluster = await startEtcdCluster();
  const members = await leaderLast(cluster.members);
  await requirePassword(members[2]!.url, AUTH);
  await using mirrored = mirror(members, { auth: AUTH });
  await eventually(() => assert.ok(mirrored.connected));
  await members[0]!.pause();
  await put(members[1]!, "a1", AUTH);
  await eventually(() => assert.deepEqual([...mirrored.entries(PREFIX).keys()], [`${PREFIX}a1`]));
});

Deno.test("members that refuse all keys but ours are not left aside", async () => {
  const lines = logLines();
  await using cluster = await startEtcdCluster();
  const [first] = cluster.members;
  {
    using client = await openEtcd(first!.url);
    const role = await client.etcd.role("reader").create();
    await role.grant({ permission: "Read", range: Range.prefix(PREFIX) });
    await (await client.etcd.user(READER.username).create(READER.password)).addRole("reader");
  }
  await requirePassword(first!.url, AUTH);
  await using mirrored = mirror(cluster.members, { auth: READER });
  await eventually(() => assert.ok(mirrored.connected));
  await steadily(() => assert.deepEqual(lines.filter((line) => /WARN/.test(line)), []), { forMs: 1_500 });
});

Deno.test("a member that hangs is replaced over TLS too", async () => {
  await using cluster = await startEtcdCluster({
    tls: { certFile: `${TLS}server.pem`, keyFile: `${TLS}server.key` },
  });
  const members = await leaderLast(cluster.members);
  await members[0]!.pause();
  await using metrics = await startMetrics({
    args: ["--component", "my_component", "--endpoint", "my_endpoint", "--no-nats"],
    env: { ETCD_ENDPOINTS: members.map(({ url }) => url).join(","), DENO_CERT: `${TLS}ca.pem` },
  });
  await eventually(async () => {
    assert.match(await metrics.page(), /^dynamo_metrics_etcd_connected 1$/m);
    assert.match(metrics.log(), RegExp(`Left an etcd member aside member="?127.0.0.1:${members[0]!.port}`));
  });
});

Deno.test("leases outlive a member that hangs, and new keys are written at another one", async () => {
  await using cluster = await startEtcdCluster();
  const members = await leaderLast(cluster.members);
  let lost = 0;
  const holder: LeaseHolder = {
    onGranted: (id) => [{ key: `${PREFIX}${id}`, value: "x" }],
    onWritten: () => {},
    onLost: () => void lost++,
  };
  await using _leases = new EtcdLeases([holder], {
    endpoints: members.map(({ url }) => url),
    signal: new AbortController().signal,
    ttlSeconds: 6,
    ...limits,
  });
  const keys = async () => (await etcdKeys(members[1]!.url)).map(({ key }) => key);
  await eventually(async () => assert.equal((await keys()).length, 1));
  const before = await keys();
  await members[0]!.pause();
  await steadily(async () => assert.deepEqual(await keys(), before), { forMs: 9_000 });
  assert.equal(lost, 0);
});
