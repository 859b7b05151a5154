/** A message as it came. Its data is part of what was read with it, and nobody writes there. */
export interface NatsMessage {
  readonly subject: string;
  /** Where an answer goes, if one is wanted. */
  readonly reply?: string | undefined;
  readonly data: Uint8Array;
  /** The server's own word that nobody listens at the subject asked. */
  readonly noResponders: boolean;
}
