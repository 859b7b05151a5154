import assert from "node:assert/strict";
import { groupUrl } from "../../lib/output/push_group.ts";

const rows: readonly [gateway: string, job: string, instance: string, url: string][] = [
  ["http://g:9091", "j", "i", "http://g:9091/metrics/job/j/instance/i"],
  ["http://g:9091/", "j", "", "http://g:9091/metrics/job/j"],
  ["https://g/push/", "j", "i", "https://g/push/metrics/job/j/instance/i"],
  ["http://g", "a/b", "h/dynamo/c/e", "http://g/metrics/job@base64/YS9i/instance@base64/aC9keW5hbW8vYy9l"],
  ["http://g", "ä", "..", "http://g/metrics/job@base64/w6Q/instance@base64/Li4"],
];

for (const [gateway, job, instance, url] of rows) {
  Deno.test(`the group of job ${job} and instance ${instance || "none"} at ${gateway} is ${url}`, () => {
    assert.equal(groupUrl(new URL(gateway), { job, instance }).href, url);
  });
}
