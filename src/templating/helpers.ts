// Helpers of the house style, one small function each, over plain arguments. Documented in docs/templating.md.
import { createHash, randomInt } from "node:crypto";
import { AppError } from "../runtime/errors.ts";
import { formatTimestamp, parseInterval, parseTimestamp } from "./interval.ts";

export interface HelperScope {
  readonly now: () => number;
  /** Called by whatever reads the clock, so that the pass runs again by time. */
  readonly onClock: () => void;
}

/** Marks a value to be left out of the rendered result. */
export const OMIT = "__omit_place_holder__poolstream__";

type Helper = (args: readonly unknown[], scope: HelperScope) => unknown;

function text(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function number(value: unknown): number {
  const result = typeof value === "number" ? value : Number(text(value));
  if (Number.isNaN(result)) throw new AppError("PS_TEMPLATE_TYPE", `not a number: ${text(value)}`);
  return result;
}

/** Truth as Handlebars sees it, with empty maps false too. */
export function truthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function same(left: unknown, right: unknown): boolean {
  return left === right || (typeof left === "object" && typeof right === "object" && JSON.stringify(left) === JSON.stringify(right));
}

function interval(value: unknown): number {
  const ms = parseInterval(text(value));
  if (ms === undefined) throw new AppError("PS_TEMPLATE_TYPE", `not a time interval: ${text(value)}`);
  return ms;
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

export const HELPERS: Readonly<Record<string, Helper>> = {
  omit: () => OMIT,
  eq: ([left, right]) => same(left, right),
  ne: ([left, right]) => !same(left, right),
  lt: ([left, right]) => number(left) < number(right),
  le: ([left, right]) => number(left) <= number(right),
  gt: ([left, right]) => number(left) > number(right),
  ge: ([left, right]) => number(left) >= number(right),
  and: (args) => args.every(truthy),
  or: (args) => args.some(truthy),
  not: ([value]) => !truthy(value),
  default: ([value, fallback]) => (value === undefined || value === null || value === "" ? fallback : value),
  concat: (args) => args.map(text).join(""),
  lower: ([value]) => text(value).toLowerCase(),
  upper: ([value]) => text(value).toUpperCase(),
  trim: ([value]) => text(value).trim(),
  replace: ([value, from, to]) => text(value).replaceAll(text(from), text(to)),
  split: ([value, by]) => text(value).split(text(by)),
  join: ([list, by]) => (Array.isArray(list) ? list.map(text).join(text(by)) : text(list)),
  startsWith: ([value, start]) => text(value).startsWith(text(start)),
  contains: ([list, item]) => (Array.isArray(list) ? list.some((entry) => same(entry, item)) : text(list).includes(text(item))),
  length: ([value]) => (Array.isArray(value) ? value.length : text(value).length),
  add: (args) => args.reduce<number>((sum, value) => sum + number(value), 0),
  sub: ([left, right]) => number(left) - number(right),
  mul: (args) => args.reduce<number>((product, value) => product * number(value), 1),
  div: ([left, right]) => number(left) / number(right),
  mod: ([left, right]) => number(left) % number(right),
  int: ([value]) => Math.trunc(number(value)),
  string: ([value]) => text(value),
  bool: ([value]) => (typeof value === "string" ? /^(yes|true|t|y|1)$/iu.test(value) : truthy(value)),
  json: ([value]) => JSON.stringify(value),
  parseJson: ([value]) => JSON.parse(text(value)) as unknown,
  base64: ([value]) => Buffer.from(text(value)).toString("base64"),
  fromBase64: ([value]) => Buffer.from(text(value), "base64").toString("utf8"),
  sha256: ([value]) => createHash("sha256").update(text(value)).digest("hex"),
  random: ([length]) => Array.from({ length: Math.min(256, number(length)) }, () => ALPHABET[randomInt(ALPHABET.length)]).join(""),
  now: (_, scope) => {
    scope.onClock();
    return formatTimestamp(scope.now());
  },
  addTime: ([stamp, duration]) => formatTimestamp((parseTimestamp(text(stamp)) ?? Number.NaN) + interval(duration)),
  isPast: ([stamp], scope) => {
    scope.onClock();
    return (parseTimestamp(text(stamp)) ?? Number.POSITIVE_INFINITY) < scope.now();
  },
};
