// Filters that make or read text and numbers (spec resource-provider 8.5). filters.ts joins them with those on lists.
import { argument } from "./context.ts";
import type { Filter } from "./context.ts";
import { intervalOf, toDatetime } from "./datetime.ts";
import { formatPercent } from "./format.ts";
import { jsonText } from "./json.ts";
import { capitalize, strip, title } from "./methods.ts";
import { strgen } from "./strgen.ts";
import { Float, Tuple, Undefined, asNumber, fail, integer, isFloat, isInt, isNumeric, str, truthy } from "./values.ts";

/** The reference's `bool`: words for text, truth for the rest. */
export function asBool(value: unknown): boolean {
  return typeof value === "string" ? /^(yes|true|t|y|1)$/iu.test(value) : truthy(value);
}

function defined(value: unknown): unknown {
  if (value instanceof Undefined) throw fail(value.message);
  return value;
}

const toInt: Filter = (call) => {
  const value = defined(call.value);
  const fallback = argument(call, 0, "default") ?? 0;
  if (isInt(value)) return value;
  if (isNumeric(value)) return Number.isFinite(asNumber(value)) ? Math.trunc(asNumber(value)) : fallback;
  const text = str(value).trim().replaceAll("_", "");
  const base = asNumber(argument(call, 1, "base") ?? 10);
  if (base !== 10) return based(text, base) ?? fallback;
  if (/^[-+]?\d{1,1000}$/u.test(text)) return integer(BigInt(text.replace(/^\+/u, "")));
  const number = text === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? Math.trunc(number) : fallback;
};

function based(text: string, base: number): number | undefined {
  const digits = text.toLowerCase().replace(/^0[xob]/u, "");
  const number = Number.parseInt(digits, base);
  return !Number.isNaN(number) && number.toString(base) === digits.replace(/^0+(?=.)/u, "") ? number : undefined;
}

const toFloat: Filter = (call) => {
  const value = defined(call.value);
  const number = isNumeric(value) ? asNumber(value) : str(value).trim() === "" ? Number.NaN : Number(str(value).trim());
  return Number.isNaN(number) ? (argument(call, 0, "default") ?? new Float(0)) : new Float(number);
};

const round: Filter = (call) => {
  const digits = 10 ** asNumber(argument(call, 0, "precision") ?? 0);
  const method = argument(call, 1, "method") ?? "common";
  const value = defined(call.value);
  if (!isNumeric(value)) throw fail("round needs a number");
  const scaled = asNumber(value) * digits;
  const result = (method === "ceil" ? Math.ceil(scaled) : method === "floor" ? Math.floor(scaled) : halfEven(scaled)) / digits;
  return isFloat(value) || method !== "common" ? new Float(result) : result;
};

function halfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

const indent: Filter = (call, { budget }) => {
  const width = argument(call, 0, "width") ?? 4;
  if (typeof width !== "string") budget.chars(asNumber(width));
  const pad = typeof width === "string" ? width : " ".repeat(asNumber(width));
  const lines = str(call.value).split("\n");
  budget.chars(lines.length * (pad.length + 1));
  const first = truthy(argument(call, 1, "first") ?? false);
  const blank = truthy(argument(call, 2, "blank") ?? false);
  return lines.map((line, at) => ((at === 0 && !first) || (line === "" && !blank) ? line : pad + line)).join("\n");
};

const replace: Filter = (call, { budget }) => {
  const [from, to] = [str(argument(call, 0, "old")), str(argument(call, 1, "new"))];
  const parts = str(call.value).split(from);
  budget.chars(str(call.value).length + parts.length * to.length);
  const count = argument(call, 2, "count");
  const most = count === undefined || count === null ? parts.length : asNumber(count);
  return (
    parts.slice(0, most + 1).join(to) +
    parts
      .slice(most + 1)
      .map((part) => from + part)
      .join("")
  );
};

const truncate: Filter = (call) => {
  const length = asNumber(argument(call, 0, "length") ?? 255);
  const end = str(argument(call, 2, "end") ?? "...");
  const text = str(call.value);
  if (text.length <= length + asNumber(argument(call, 3, "leeway") ?? 5)) return text;
  const cut = text.slice(0, Math.max(0, length - end.length));
  return (truthy(argument(call, 1, "killwords") ?? false) ? cut : cut.replace(/ [^ ]*$/u, "")) + end;
};

function json(value: unknown, limit: (count: number) => void): string {
  const text = jsonText(value, { sorted: false, ascii: true });
  limit(text.length);
  return text;
}

const HTML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" };
const escape: Filter = ({ value }) => str(value).replaceAll(/[&<>"']/gu, (char) => HTML[char] ?? char);

export const TEXT_FILTERS: Readonly<Record<string, Filter>> = {
  bool: ({ value }) => asBool(value),
  int: toInt,
  float: toFloat,
  round,
  indent,
  replace,
  truncate,
  string: ({ value }) => str(value),
  upper: ({ value }) => str(value).toUpperCase(),
  lower: ({ value }) => str(value).toLowerCase(),
  title: ({ value }) => title(str(value)),
  capitalize: ({ value }) => capitalize(str(value)),
  trim: (call) => strip(str(call.value), argument(call, 0, "chars")),
  striptags: ({ value }) =>
    str(value)
      .replaceAll(/<[^<>]*>/gu, "")
      .trim(),
  wordcount: ({ value }) =>
    str(value)
      .split(/\W+/u)
      .filter((word) => word !== "").length,
  center: (call, { budget }) => {
    const [text, width] = [str(call.value), asNumber(argument(call, 0, "width") ?? 80)];
    budget.chars(width);
    return text.padStart(text.length + Math.floor(Math.max(0, width - text.length) / 2)).padEnd(width);
  },
  abs: ({ value }) => {
    if (!isNumeric(defined(value))) throw fail("abs needs a number");
    return isFloat(value) ? new Float(Math.abs(asNumber(value))) : Math.abs(asNumber(value));
  },
  format: (call, { budget }) => formatPercent(str(call.value), new Tuple(call.args), budget),
  escape,
  e: escape,
  safe: ({ value }) => value,
  urlencode: ({ value }) => encodeURIComponent(str(value)).replaceAll("%2F", "/"),
  tojson: ({ value }, { budget }) => {
    const text = jsonText(value, { sorted: true, ascii: true });
    budget.chars(text.length);
    return text.replaceAll(/[<>&']/gu, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
  },
  object: ({ value }, { budget }) => json(value, (count) => budget.chars(count)),
  to_json: ({ value }, { budget }) => json(value, (count) => budget.chars(count)),
  parse_time_interval: ({ value }) => intervalOf(str(value)),
  to_datetime: (call) => toDatetime(str(call.value), str(argument(call, 0, "fmt") ?? "%Y-%m-%d %H:%M:%S")),
  strgen: ({ value }, { budget }) => strgen(str(value), budget),
};
