import assert from "node:assert/strict";
import { join } from "node:path";
import { ownProgram, type Program } from "../../tools/program.ts";
import { type NatsServer, startNats } from "../../tools/servers/nats.ts";
import { instanceKey } from "../../lib/dynamo/instance_key.ts";
import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { changePassword, login, putKeys } from "../../tools/etcd_gateway.ts";
import { Deployment, target } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { NatsOperator } from "../helpers/nats_operator.ts";

function users(password: string): string {
  return `authorization { users = [ { user: me, password: ${password} } ] }`;
}

/** Drops all clients, and takes only those who know the new password. */
async function change(nats: NatsServer, password: string): Promise<void> {
  nats.setConfig(users(password));
  await nats.reload();
}

function said(program: Program, pattern: RegExp): number {
  return program.log.split("\n").filter((line) => pattern.test(line)).length;
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a password that is replaced in its file and at NATS is used at the next login; without the file the last one is", () =>
  withFolder(async (folder) => {
    await using nats = await startNats({ config: users("secret-one") });
    const path = join(folder, "password");
    await Deno.writeTextFile(path, "secret-one\n");
    const env = { NATS_SERVER: nats.url, NATS_AUTH_USERNAME: "me", NATS_AUTH_PASSWORD_FILE: path };
    await using mock = ownProgram("mock_worker.ts", { args: ["--no-etcd"], env });
    await mock.logged(/Connected to NATS/);

    await Deno.writeTextFile(path, "secret-two\n");
    await change(nats, "secret-two");
    await eventually(() => assert.equal(said(mock, /Connected to NATS/), 2));

    await Deno.remove(path);
    await nats.kill();
    await nats.start();
    await eventually(() => assert.equal(said(mock, /Connected to NATS/), 3));
    assert.equal(said(mock, /WARN .*Cannot read a secret again.* of=NATS_AUTH_PASSWORD_FILE /), 1);

    await Deno.writeTextFile(path, "secret-three");
    await change(nats, "secret-three");
    await eventually(() => assert.equal(said(mock, /Connected to NATS/), 4));
    assert.equal(said(mock, /Reading the secret again/), 1);
    assert.doesNotMatch(mock.log, /secret-/);
  }));

Deno.test("an etcd password that is replaced in its file and at etcd is used at the next login, by metrics and mock_worker", () =>
  withFolder(async (folder) => {
    const old = { username: "root", password: "secret-one" };
    const path = join(folder, "password");
    await Deno.writeTextFile(path, `${old.password}\n`);
    const files = { ETCD_AUTH_USERNAME: "root", ETCD_AUTH_PASSWORD_FILE: path };
    await using deployment = await Deployment.start({
      etcdUser: old,
      env: { ...files, ETCD_AUTH_PASSWORD: "" },
    });
    const env = { ...files, NATS_SERVER: deployment.nats.url, ETCD_ENDPOINTS: deployment.etcd.url };
    await using _mock = ownProgram("mock_worker.ts", { args: [], env });
    const registered = (count: number) =>
      eventually(async () => {
        const page = await deployment.page();
        assert.equal(page.value("dynamo_metrics_etcd_connected"), 1);
        assert.equal(
          page.values("dynamo_metrics_worker_registered").filter((value) => value === 1).length,
          count,
        );
      }, { timeoutMs: 20_000 });
    await registered(1);

    await Deno.writeTextFile(path, "secret-two");
    await changePassword(deployment.etcd.url, old, "secret-two");
    const token = await login(deployment.etcd.url, { ...old, password: "secret-two" });
    await putKeys(deployment.etcd.url, [instanceKey("v1", target, workerIdFromHex("a2")!)], token);
    await registered(2);
    await deployment.etcd.kill();
    await deployment.etcd.start();
    await registered(2);
    assert.doesNotMatch(deployment.metrics.log(), /secret-/);
  }));

Deno.test("credentials that are renewed in time go on, and those that end are never said to be connected", () =>
  withFolder(async (folder) => {
    const operator = new NatsOperator();
    await using nats = await startNats({ config: operator.config });
    const path = join(folder, "user.creds");
    await Deno.writeTextFile(path, operator.credentials({ seconds: 3 }));
    const env = { NATS_SERVER: nats.url, NATS_AUTH_CREDENTIALS_FILE: path };
    await using mock = ownProgram("mock_worker.ts", { args: ["--no-etcd"], env });
    await mock.logged(/Connected to NATS/);
    await Deno.writeTextFile(path, operator.credentials({ seconds: 600 }));
    await mock.logged(/Lost the connection to NATS.*User Authentication Expired[^]*Connected to NATS/);
    await Deno.writeTextFile(path, operator.credentials({ seconds: 0 }));
    await nats.stop();
    await nats.start();
    await mock.logged(/Cannot reach NATS.*(?:Authorization Violation|Authentication Expired)/);
    assert.equal(said(mock, /Connected to NATS/), 2, mock.log);
    await Deno.writeTextFile(path, operator.credentials({ seconds: 600 }));
    await eventually(() => assert.equal(said(mock, /Connected to NATS/), 3));
    assert.equal(said(mock, /Connected to NATS/), 3);
  }));
