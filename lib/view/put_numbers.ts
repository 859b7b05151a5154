import type { Column, Numbers, Worker } from "../exposition/api_v1.ts";

/**
 * Puts the numbers that a change tells into its workers, which come in the order of its ids. Their records are written to,
 * those in their lists too: they are to be the caller's own.
 *
 * @throws {RangeError} when they are others than those that the change tells of
 */
export function putNumbers(numbers: Numbers, workers: readonly Worker[]): void {
  const { id: _, ranks, estimates, endpoints, ...own } = numbers;
  putColumns(own, workers);
  if (ranks !== undefined) putColumns(ranks, workers.flatMap(({ ranks }) => ranks ?? []));
  if (estimates !== undefined) putColumns(estimates, workers.flatMap(({ estimates }) => estimates ?? []));
  if (endpoints !== undefined) putColumns(endpoints, workers.flatMap(({ endpoints }) => endpoints ?? []));
}

function putColumns(columns: Readonly<Record<string, Column>>, records: readonly object[]): void {
  for (const [name, column] of Object.entries(columns)) {
    if (!Array.isArray(column)) continue; // A list that later releases have.
    if (column.length !== records.length) {
      throw new RangeError(`${column.length} values of ${name} are told of ${records.length} that are there`);
    }
    putColumn(name, column, records as Record<string, number>[]);
  }
}

function putColumn(name: string, column: Column, records: readonly Record<string, number>[]): void {
  for (let n = 0; n < column.length; n++) {
    const value = column[n]!;
    if (value === null) delete records[n]![name];
    else records[n]![name] = value;
  }
}
