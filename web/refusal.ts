/** Why there is no stream, in a sentence. */
export class StreamRefusal extends Error {}

/** Why an answer is no stream of events, as far as it can be known from here; undefined if it is one. */
export async function whyRefused(response: Response): Promise<string | undefined> {
  const { status, statusText, type } = response;
  const contentType = response.headers.get("content-type") ?? "";
  if (type === "opaqueredirect") {
    return "The server sends this page elsewhere. You may have to log in again: reload the page.";
  }
  if (response.ok && contentType.startsWith("text/event-stream")) return undefined;
  const said = await errorOf(response);
  if (said !== undefined) return `The server says: ${/[.?!]$/.test(said) ? said : `${said}.`}`;
  if (status === 404) {
    return "There is no api/v1/stream here. Was metrics started with --no-web, or does a proxy use another path?";
  }
  if (response.ok) {
    return `The answer is no stream, it is ${
      contentType || "of no type"
    }. Another program, or a login page, may answer here.`;
  }
  return `The server, or a proxy before it, answers ${status}${statusText && ` ${statusText}`}.`;
}

/** The API's own sentence (docs/api.md). */
async function errorOf(response: Response): Promise<string | undefined> {
  try {
    const { error } = await response.json();
    return typeof error === "string" ? error : undefined;
  } catch {
    return undefined; // No JSON, or not an object.
  }
}
