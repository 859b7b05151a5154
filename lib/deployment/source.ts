/** What feeds a fleet, or what is heard once for a namespace. */
export interface Source<Input> extends Disposable {
  /** Called when inputs have arrived; it only takes note. Whoever takes them sets it. */
  onInput: () => void;
  /** What has arrived since the last call, in order; empty if nothing has. */
  take(): readonly Input[];
}
