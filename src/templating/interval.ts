// Time intervals and timestamps as the kinds write them (spec resource-claim 0). Pure.

const UNITS: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

/** `40s`, `1d12h`, `1.5h`, `1:30` (minutes:seconds) in ms; undefined when it is none. A bare number is none. */
export function parseInterval(text: string): number | undefined {
  const trimmed = text.trim().toLowerCase();
  const colon = /^(?:(\d+):)?(\d+):(\d{2})$/u.exec(trimmed);
  if (colon) return (Number(colon[1] ?? 0) * 3600 + Number(colon[2]) * 60 + Number(colon[3])) * 1000;
  if (!/^(\d+(\.\d+)?\s*[wdhms]\s*)+$/u.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*([wdhms])/gu)) total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
  return Math.round(total);
}

/** Canonical form, zero units left out: `1d2h3m4s`; `0s` for nothing. */
export function formatInterval(ms: number): string {
  let rest = Math.floor(ms / 1000);
  const parts = (["d", "h", "m", "s"] as const).map((unit) => {
    const size = (UNITS[unit] ?? 1000) / 1000;
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    return amount === 0 ? "" : `${amount}${unit}`;
  });
  return parts.join("") || "0s";
}

/** `YYYY-MM-DDTHH:MM:SSZ`, whole seconds. */
export function formatTimestamp(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** ms since the epoch of an RFC 3339 text; undefined when it is none. */
export function parseTimestamp(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/u.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
