import assert from "node:assert/strict";
import { startNats } from "../tools/servers/nats.ts";
import { capturedReleases, capturesOf } from "./helpers/captured_release.ts";
import { channelsOf, type Played, playedSeries } from "./helpers/played_capture.ts";
import { RELEASES, SERIES, type Series, type Way, WAYS } from "./releases.ts";

Deno.test("every captured release has its row", () => {
  assert.deepEqual(Object.keys(RELEASES), capturedReleases());
});

for (const release of capturedReleases()) {
  Deno.test(`the captures of ${release} give these series, each by these channels`, async () => {
    await using nats = await startNats();
    const ways = new Map<Series, Set<Way>>(SERIES.map(([series]) => [series, new Set()]));
    for (const capture of capturesOf(release)) {
      const channels = channelsOf(capture);
      const play = (channels: readonly Played[]) => playedSeries(capture, { channels, natsUrl: nats.url });
      const single = new Set<Series>();
      for (const channel of channels) {
        for (const series of await play([channel])) {
          ways.get(series)!.add(channel);
          if (channel !== "HTTP") single.add(series);
        }
      }
      const together = await play(channels.filter((channel) => channel !== "HTTP"));
      assert.deepEqual([...single.difference(together)], [], `${capture.name}, all but HTTP together`);
      for (const series of together.difference(single)) ways.get(series)!.add("computed");
    }
    const row = [...ways.values()].map((ways) => WAYS.filter((way) => ways.has(way)).join(" ") || "–");
    assert.deepEqual(row, RELEASES[release]);
  });
}
