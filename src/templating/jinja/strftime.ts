// strftime and strptime over the C library's codes that the spec names (resource-provider 8.4). datetime.ts holds the values.

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

function pad(value: number, width = 2, fill = "0"): string {
  return String(value).padStart(width, fill);
}

function offsetText(offset: number | undefined): string {
  if (offset === undefined) return "";
  return `${offset < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(offset) / 60))}${pad(Math.abs(offset) % 60)}`;
}

type Code = (date: Date, offset: number | undefined) => string;

const CODES: Readonly<Record<string, Code>> = {
  Y: (d) => pad(d.getUTCFullYear(), 4),
  m: (d) => pad(d.getUTCMonth() + 1),
  d: (d) => pad(d.getUTCDate()),
  H: (d) => pad(d.getUTCHours()),
  M: (d) => pad(d.getUTCMinutes()),
  S: (d) => pad(d.getUTCSeconds()),
  f: (d) => `${pad(d.getUTCMilliseconds(), 3)}000`,
  F: (d) => d.toISOString().slice(0, 10),
  T: (d) => d.toISOString().slice(11, 19),
  R: (d) => d.toISOString().slice(11, 16),
  D: (d) => `${pad(d.getUTCMonth() + 1)}/${pad(d.getUTCDate())}/${pad(d.getUTCFullYear() % 100)}`,
  s: (d, offset) => String(Math.floor(d.getTime() / 1000) - (offset ?? 0) * 60),
  e: (d) => pad(d.getUTCDate(), 2, " "),
  j: (d) => pad(Math.floor((d.getTime() - Date.UTC(d.getUTCFullYear(), 0, 1)) / 86_400_000) + 1, 3),
  b: (d) => (MONTHS[d.getUTCMonth()] ?? "").slice(0, 3),
  h: (d) => (MONTHS[d.getUTCMonth()] ?? "").slice(0, 3),
  B: (d) => MONTHS[d.getUTCMonth()] ?? "",
  a: (d) => (DAYS[d.getUTCDay()] ?? "").slice(0, 3),
  A: (d) => DAYS[d.getUTCDay()] ?? "",
  I: (d) => pad(d.getUTCHours() % 12 || 12),
  p: (d) => (d.getUTCHours() < 12 ? "AM" : "PM"),
  y: (d) => pad(d.getUTCFullYear() % 100),
  u: (d) => String(d.getUTCDay() || 7),
  w: (d) => String(d.getUTCDay()),
  z: (_, offset) => offsetText(offset),
  Z: (_, offset) =>
    offset === undefined ? "" : offset === 0 ? "UTC" : `UTC${offsetText(offset).slice(0, 3)}:${offsetText(offset).slice(3)}`,
  "%": () => "%",
  n: () => "\n",
  t: () => "\t",
};

/** The date's fields (read as UTC) in `format`; unknown codes stay as they are. */
export function formatTime(format: string, date: Date, offset: number | undefined): string {
  return format.replaceAll(/%(-?)([a-zA-Z%])/gu, (whole, minus: string, code: string) => {
    const text = CODES[code]?.(date, offset) ?? whole;
    return minus === "" ? text : text.replace(/^[0 ]+(?=.)/u, "");
  });
}

const PATTERNS: Readonly<Record<string, string>> = {
  Y: String.raw`(?<Y>\d{4})`,
  m: String.raw`(?<m>\d{1,2})`,
  d: String.raw`(?<d>\d{1,2})`,
  H: String.raw`(?<H>\d{1,2})`,
  M: String.raw`(?<M>\d{1,2})`,
  S: String.raw`(?<S>\d{1,2})`,
  f: String.raw`(?<f>\d{1,6})`,
  y: String.raw`(?<y>\d{2})`,
  I: String.raw`(?<I>\d{1,2})`,
  p: "(?<p>[AaPp][Mm])",
  z: String.raw`(?<z>Z|[+-]\d{2}:?\d{2})`,
  b: "(?<b>[A-Za-z]{3})",
  B: "(?<B>[A-Za-z]{3,9})",
  j: String.raw`(?<j>\d{1,3})`,
  a: "[A-Za-z]{3}",
  A: "[A-Za-z]{6,9}",
  "%": "%",
};

/** Parses `text`; every code may appear once. undefined when it does not fit. */
export function parseTime(text: string, format: string): { readonly local: number; readonly offset: number | undefined } | undefined {
  if (format.length > 200 || text.length > 200) return undefined;
  const expanded = format.replaceAll("%F", "%Y-%m-%d").replaceAll("%T", "%H:%M:%S");
  const codes = [...expanded.matchAll(/%([a-zA-Z%])/gu)].map(([, code]) => code ?? "");
  if (new Set(codes).size !== codes.length || codes.some((code) => !Object.hasOwn(PATTERNS, code))) return undefined;
  const source = expanded.replaceAll(/%([a-zA-Z%])|[^a-zA-Z0-9 ]/gu, (char, code?: string) =>
    code === undefined ? `\\u{${char.codePointAt(0)?.toString(16) ?? "20"}}` : (PATTERNS[code] ?? ""),
  );
  const groups = new RegExp(`^${source}$`, "u").exec(text)?.groups;
  return groups ? assemble(groups) : undefined;
}

function assemble(
  groups: Readonly<Record<string, string | undefined>>,
): { readonly local: number; readonly offset: number | undefined } | undefined {
  const number = (name: string, absent: number): number => (groups[name] === undefined ? absent : Number(groups[name]));
  const name = groups["b"] ?? groups["B"];
  const month = name === undefined ? number("m", 1) : MONTHS.findIndex((full) => full.toLowerCase().startsWith(name.toLowerCase())) + 1;
  const short = number("y", 0);
  const year = number("Y", groups["y"] === undefined ? 1900 : short + (short < 69 ? 2000 : 1900));
  const hour = groups["I"] === undefined ? number("H", 0) : (number("I", 12) % 12) + (/^p/iu.test(groups["p"] ?? "") ? 12 : 0);
  const day = number("j", number("d", 1));
  const millis = Number((groups["f"] ?? "0").padEnd(6, "0")) / 1000;
  const local = Date.UTC(year, groups["j"] === undefined ? month - 1 : 0, day, hour, number("M", 0), number("S", 0), millis);
  const date = new Date(local);
  const fits = groups["j"] !== undefined || (date.getUTCMonth() === month - 1 && date.getUTCDate() === day);
  const valid = fits && hour < 24 && number("M", 0) < 60 && number("S", 0) < 62;
  return valid ? { local, offset: offsetOf(groups["z"]) } : undefined;
}

function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  if (zone === "Z") return 0;
  const digits = zone.replaceAll(/\D/gu, "");
  return (zone.startsWith("-") ? -1 : 1) * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2)));
}
