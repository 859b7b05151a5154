/** An address or a port that cannot be listened on: the message is one line that names it. */
export class BindError extends Error {
  override readonly name = "BindError";
}
