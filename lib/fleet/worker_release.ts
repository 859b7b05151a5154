import type { LoadShape } from "../dynamo/load.ts";
import { ANY_RELEASE, type Releases, releases, releasesOfVersion, releasesText } from "../dynamo/release.ts";
import { releasesOfForm, SERVICE_FORMS, serviceName } from "../dynamo/service_name.ts";
import type { Target } from "../dynamo/target.ts";
import type { Answer } from "../scrape/answer.ts";

/** The releases whose workers answer under each of a target's service names. */
export function releasesByService({ namespace, component }: Target): ReadonlyMap<string, Releases> {
  return new Map(
    SERVICE_FORMS.map((form) => [serviceName(form, namespace, component), releasesOfForm(form)]),
  );
}

/**
 * A worker's release, as far as its keys and its answer tell: `0.7.1`, `0.1.1-0.2.0`, `1.5.1+`; undefined where they say
 * nothing or contradict each other. In answers a release of its own accord is named since 0.6.1.
 */
export function workerRelease(
  sources: {
    readonly registered: Releases;
    readonly answer: Answer | undefined;
    readonly byService: ReadonlyMap<string, Releases>;
  },
): string | undefined {
  const { registered, answer, byService } = sources;
  if (answer === undefined) return releasesText(registered);
  const { service, serviceVersion, outcome } = answer;
  const version = serviceVersion === undefined ? ANY_RELEASE : releasesOfVersion(serviceVersion);
  if (typeof version === "string") return version;
  const shape = outcome.kind === "load" ? SHAPES[outcome.load.shape] : ANY_RELEASE;
  return releasesText(registered & version & shape & (byService.get(service) ?? ANY_RELEASE));
}

/** In answers; events kept a shape longer. The first shape is older than all releases. */
const SHAPES: Readonly<Record<LoadShape, Releases>> = {
  flat4: ANY_RELEASE,
  flat7: releases("0.1.0", "0.2.1"),
  flat8: releases("0.3.0", "0.3.1"),
  nested: releases("0.3.2", "0.6.0"),
};
