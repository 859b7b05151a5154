import { workerIdFromDecimal } from "../dynamo/worker_id.ts";
import { fleetHistoryJson, workerHistoryJson } from "../exposition/history_json.ts";
import type { History } from "../monitor/history.ts";
import { API_HEADERS, apiError } from "./api_answer.ts";
import type { Handler } from "./server.ts";

/** `/api/v1/history`: the fleet's last minutes, or with `?worker=ID` one worker's. */
export function historyRoute(history: Pick<History, "fleet" | "worker">): Handler {
  return (_request, { searchParams }) => {
    const text = searchParams.get("worker");
    if (text === null) return json(fleetHistoryJson(history.fleet()));
    const id = workerIdFromDecimal(text);
    const past = id && history.worker(id);
    return past ? json(workerHistoryJson(past)) : apiError(404, "no worker that is there has this id");
  };
}

function json(text: string): Response {
  return new Response(text, { headers: { ...API_HEADERS, "content-type": "application/json" } });
}
