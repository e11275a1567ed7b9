// Time intervals and timestamps as the kinds write them (spec resource-claim 0). Pure.

const UNITS: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

const N = String.raw`(\d+(?:\.\d+)?)\s*`;
const SEP = String.raw`\s*[,/]?\s*`;
const PARTS = new RegExp(
  `^(?:${N}(?:weeks?|wks?|w)${SEP})?(?:${N}(?:days?|dys?|d)${SEP})?(?:${N}(?:hours?|hrs?|hr|h)${SEP})?(?:${N}(?:minutes?|mins?|m)${SEP})?(?:${N}(?:seconds?|secs?|s))?$`,
  "u",
);

/** `40s`, `1d12h`, `1.5h`, `-1h`, `1:30` (minutes:seconds) in ms; undefined when it is none (spec resource-provider 12.1). */
export function parseInterval(text: string): number | undefined {
  const trimmed = text.trim().toLowerCase();
  if (trimmed.length > 100) return undefined;
  const sign = trimmed.startsWith("-") ? -1 : 1;
  const body = trimmed.replace(/^[-+]\s*/u, "");
  const colon = /^(?:(?:(?:(\d+):)?(\d+):)?(\d+))?:(\d{2}(?:\.\d+)?)$/u.exec(body);
  const parts = colon ? [undefined, ...colon.slice(1)] : PARTS.exec(body)?.slice(1);
  if (!parts || parts.every((part) => part === undefined)) return undefined;
  const total = ["w", "d", "h", "m", "s"].reduce((sum, unit, at) => sum + Number(parts[at] ?? 0) * (UNITS[unit] ?? 0), 0);
  return sign * Math.round(total);
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
