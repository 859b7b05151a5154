/** From how many on it is many, if slots are not known. */
const MANY = 10;

/** Whether at least as many requests wait as there are slots to work on them. */
export function manyWait(waiting: number | undefined, slots: number | undefined): boolean {
  return waiting !== undefined && waiting > 0 && waiting >= (slots || MANY);
}
