// The demo's table and its figures.

export interface ClaimTimes {
  readonly name: string;
  readonly createdAt: number;
  boundAt?: number;
  readyAt?: number;
}

export interface Row {
  readonly claim: string;
  readonly handle: string;
  readonly objects: string;
  readonly times: ClaimTimes | undefined;
}

function since(times: ClaimTimes | undefined, at: "boundAt" | "readyAt"): string {
  const end = times?.[at];
  return times && end !== undefined ? `${Math.round(end - times.createdAt)} ms` : "?";
}

/** claim → handle → objects, with created → bound and created → ready. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ["CLAIM", "HANDLE", "OBJECTS", "BOUND", "READY"],
    ...rows.map((row) => [row.claim, row.handle, row.objects, since(row.times, "boundAt"), since(row.times, "readyAt")]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The value below which a share of the sorted numbers lies (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function latencies(all: readonly ClaimTimes[], seconds: number): string {
  const line = (label: string, at: "boundAt" | "readyAt"): string => {
    const spans = all.flatMap((times) => (times[at] === undefined ? [] : [times[at] - times.createdAt]));
    return `created → ${label}: p50 ${Math.round(percentile(spans, 0.5))} ms, p99 ${Math.round(percentile(spans, 0.99))} ms (${spans.length} claims)`;
  };
  return `\n${line("bound", "boundAt")}\n${line("ready", "readyAt")}\n${(all.length / seconds).toFixed(1)} claims/s from first creation to last ready`;
}
