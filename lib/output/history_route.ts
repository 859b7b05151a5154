import { workerIdFromDecimal } from "../dynamo/worker_id.ts";
import { fleetHistoryJson, workerHistoryJson } from "../exposition/history_json.ts";
import type { History } from "../deployment/history.ts";
import type { Instant } from "../timing.ts";
import { API_HEADERS, apiError } from "./api_answer.ts";
import { bodyOf } from "./body.ts";
import { encode } from "./encode.ts";
import type { Handler } from "./server.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** `/api/v1/history`: the fleet's last minutes, made once a step, or with `?worker=ID` one worker's, which is short. */
export function historyRoute(history: Pick<History, "fleetTo" | "fleet" | "worker">): Handler {
  let made: { readonly to: Instant; readonly bytes: Promise<Bytes> } | undefined;

  function fleetBytes(): Promise<Bytes> {
    const to = history.fleetTo;
    if (made?.to === to) return made.bytes;
    const bytes = encode(fleetHistoryJson(history.fleet()));
    made = { to, bytes };
    return bytes;
  }

  return async (_request, { searchParams }) => {
    const text = searchParams.get("worker");
    if (text === null) return answer(await fleetBytes());
    const id = workerIdFromDecimal(text);
    const past = id && history.worker(id);
    return past
      ? answer(await encode(workerHistoryJson(past)))
      : apiError(404, "no worker that is there has this id");
  };
}

function answer(bytes: Bytes): Response {
  return new Response(bodyOf([bytes]), {
    headers: {
      ...API_HEADERS,
      "content-type": "application/json",
      "content-length": String(bytes.length),
    },
  });
}
