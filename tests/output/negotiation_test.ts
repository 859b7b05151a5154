import assert from "node:assert/strict";
import { negotiate } from "../../lib/output/negotiation.ts";

const text = "text/plain; version=0.0.4; charset=utf-8";
const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const oldOpenMetrics = "application/openmetrics-text; version=0.0.1; charset=utf-8";

const formats: readonly [accept: string | null, contentType: string, why?: string][] = [
  [null, text],
  ["", text],
  ["*/*", text],
  ["text/*", text],
  ["text/plain", text],
  ["text/plain; version=0.0.4", text],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", text, "a browser"],
  ["application/openmetrics-text", openMetrics],
  ["application/openmetrics-text; version=1.0.0", openMetrics],
  ['application/openmetrics-text; version="1.0.0"; charset=utf-8', openMetrics],
  ["APPLICATION/OpenMetrics-Text;VERSION=1.0.0", openMetrics],
  ["application/openmetrics-text;version=0.0.1", oldOpenMetrics],
  ["application/openmetrics-text;version=0.0.1,application/openmetrics-text;version=1.0.0", oldOpenMetrics],
  [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    openMetrics,
    "Prometheus 2",
  ],
  [
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
    openMetrics,
    "Prometheus 3",
  ],
  [
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
    text,
    "a reader of protobuf",
  ],
  ["application/openmetrics-text ; version=1.0.0 ; escaping=values ; q=0.5", openMetrics, "with spaces"],
  ["text/plain;q=0.5,application/openmetrics-text;q=0.4", text],
  ["text/plain;q=0.4,application/openmetrics-text;q=0.5", openMetrics],
  ["text/plain;q=0,application/openmetrics-text;q=0.1", openMetrics],
  ["application/openmetrics-text;version=1.0.0;q=0", text],
  ["application/openmetrics-text;version=2.0.0", text, "nothing there is taken"],
  ["image/png", text, "nothing there is taken"],
  ["*/*;q=0", text, "nothing there is taken"],
  [",;;q=,\u0001", text, "no header of this kind"],
];

for (const [accept, contentType, why] of formats) {
  Deno.test(`who accepts ${JSON.stringify(accept)} gets ${contentType}${why ? ` (${why})` : ""}`, () => {
    const agreed = negotiate({ accept, acceptEncoding: null }, { gzip: true });
    assert.equal(agreed.contentType, contentType);
    assert.equal(agreed.format.name, contentType === text ? "text" : "openmetrics");
    assert.equal(agreed.encoding, "identity");
  });
}

const encodings: readonly [acceptEncoding: string | null, encoding: "gzip" | "identity"][] = [
  [null, "identity"],
  ["", "identity"],
  ["gzip", "gzip"],
  ["GZIP", "gzip"],
  ["deflate, gzip;q=0.1, br", "gzip"],
  ["*", "gzip"],
  ["br, *;q=0.5", "gzip"],
  ["gzip, identity;q=0", "gzip"],
  ["gzip;q=0.5, identity;q=0.1", "gzip"],
  ["gzip;q=0", "identity"],
  ["gzip;q=0.000", "identity"],
  ["gzip;q=0, *", "identity"],
  ["gzip;q=0.5, identity", "identity"],
  ["identity", "identity"],
  ["identity, *;q=0", "identity"],
  ["br, deflate", "identity"],
  ["identity;q=0", "identity"],
  ["*;q=0", "identity"],
  ["gzip;q=much", "identity"],
];

for (const [acceptEncoding, encoding] of encodings) {
  Deno.test(`who accepts the encodings ${JSON.stringify(acceptEncoding)} gets ${encoding}`, () => {
    assert.equal(negotiate({ accept: null, acceptEncoding }, { gzip: true }).encoding, encoding);
    assert.equal(negotiate({ accept: null, acceptEncoding }, { gzip: false }).encoding, "identity");
  });
}

Deno.test("headers of more than 1024 characters count as absent", () => {
  const padded = (value: string, length: number) => value + " ".repeat(length - value.length);
  const ask = (length: number) => {
    const asked = {
      accept: padded("application/openmetrics-text,", length),
      acceptEncoding: padded("gzip,", length),
    };
    const { contentType, encoding } = negotiate(asked, { gzip: true });
    return { contentType, encoding };
  };
  assert.deepEqual(ask(1_024), { contentType: openMetrics, encoding: "gzip" });
  assert.deepEqual(ask(1_025), { contentType: text, encoding: "identity" });
});
