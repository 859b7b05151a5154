// @ts-types="./negotiator.d.ts"
import Negotiator from "negotiator";
import type { Format } from "../exposition/sample.ts";
import { OPENMETRICS, openMetricsContentType } from "../exposition/openmetrics.ts";
import type { Encoding } from "../exposition/pages.ts";
import { TEXT, TEXT_CONTENT_TYPE } from "../exposition/text.ts";
import { memo } from "./memo.ts";

/** What a reader asks for, as its headers say. */
export interface Asked {
  readonly accept: string | null;
  readonly acceptEncoding: string | null;
}

/** The page that a reader gets. */
export interface Agreed {
  readonly format: Format;
  readonly contentType: string;
  readonly encoding: Encoding;
}

/** By media type, the one for those who have no preference first. */
const FORMATS: ReadonlyMap<string, Format> = new Map([
  [TEXT_CONTENT_TYPE, TEXT],
  [openMetricsContentType("1.0.0"), OPENMETRICS],
  [openMetricsContentType("0.0.1"), OPENMETRICS],
]);

/** A header that is longer is read as if it were absent; Prometheus's have about 350 characters. */
const MAX_HEADER_LENGTH = 1_024;

/** The page that suits a reader best. One who takes none of what there is gets plain text: better than nothing. */
export function negotiate({ accept, acceptEncoding }: Asked, options: { readonly gzip: boolean }): Agreed {
  const contentType = contentTypeFor(accept);
  return {
    format: FORMATS.get(contentType)!,
    contentType,
    encoding: options.gzip ? encodingFor(acceptEncoding) : "identity",
  };
}

const contentTypeFor = memo((accept: string | null): string => {
  const headers = { accept: bounded(accept)?.replace(ESCAPING, "") };
  return new Negotiator({ headers }).mediaTypes([...FORMATS.keys()])[0] ?? TEXT_CONTENT_TYPE;
});

const encodingFor = memo((acceptEncoding: string | null): Encoding => {
  const headers = { "accept-encoding": bounded(acceptEncoding) };
  const [encoding] = new Negotiator({ headers }).encodings(["gzip", "identity"]);
  return encoding === "gzip" ? "gzip" : "identity";
});

function bounded(header: string | null): string | undefined {
  return header !== null && header.length <= MAX_HEADER_LENGTH ? header : undefined;
}

/** How Prometheus 3 wants names written that ours are none of. */
const ESCAPING = /;\s*escaping\s*=\s*[\w-]+/gi;
