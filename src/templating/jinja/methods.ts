// Attribute and item access, and the Python methods that templates may call on text, lists and dicts (spec resource-provider 8.6).
// Only what is listed here can be reached: there is no way to a JavaScript property that a value does not own.
import type { Context } from "./context.ts";
import { formatBraces } from "./format.ts";
import { equals } from "./operators.ts";
import {
  Callable,
  PyObject,
  Tuple,
  Undefined,
  View,
  asNumber,
  entriesOf,
  fail,
  hasKey,
  isDict,
  isInt,
  iterate,
  str,
  truthy,
  typeName,
  valueAt,
} from "./values.ts";
import type { Dict } from "./values.ts";

type Args = readonly unknown[];
type TextMethod = (text: string, args: Args) => unknown;

function stripper(set: unknown): (char: string | undefined) => boolean {
  const chars = set === undefined || set === null ? " \t\n\r\f\v" : str(set);
  return (char) => char !== undefined && chars.includes(char);
}

/** str.strip and its one-sided forms. */
export function strip(text: string, set: unknown, sides = "lr"): string {
  const drop = stripper(set);
  let start = 0;
  let end = text.length;
  while (sides.includes("l") && start < end && drop(text[start])) start += 1;
  while (sides.includes("r") && end > start && drop(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function split(text: string, args: Args): string[] {
  const [separator, limit] = args;
  if (separator === undefined || separator === null)
    return strip(text, undefined)
      .split(/\s+/u)
      .filter((part) => part !== "");
  if (str(separator) === "") throw fail("empty separator");
  const parts = text.split(str(separator));
  const most = limit === undefined ? -1 : asNumber(limit);
  return most < 0 || parts.length <= most + 1 ? parts : [...parts.slice(0, most), parts.slice(most).join(str(separator))];
}

function anyOf(value: unknown, check: (text: string) => boolean): boolean {
  return value instanceof Tuple ? value.items.some((entry) => check(str(entry))) : check(str(value));
}

export function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();
}

export function title(text: string): string {
  return text.replaceAll(/[\p{L}\p{N}']+/gu, capitalize);
}

function replace(text: string, args: Args): string {
  const [from, to, count] = args;
  if (count === undefined) return text.split(str(from)).join(str(to));
  const parts = text.split(str(from));
  const most = asNumber(count);
  return parts.slice(0, most + 1).join(str(to)) + (parts.length > most + 1 ? str(from) + parts.slice(most + 1).join(str(from)) : "");
}

const TEXT: Readonly<Record<string, TextMethod>> = {
  startswith: (text, [start]) => anyOf(start, (entry) => text.startsWith(entry)),
  endswith: (text, [end]) => anyOf(end, (entry) => text.endsWith(entry)),
  upper: (text) => text.toUpperCase(),
  lower: (text) => text.toLowerCase(),
  title: (text) => title(text),
  capitalize: (text) => capitalize(text),
  strip: (text, [set]) => strip(text, set),
  lstrip: (text, [set]) => strip(text, set, "l"),
  rstrip: (text, [set]) => strip(text, set, "r"),
  split,
  splitlines: (text) => text.replace(/\n$/u, "").split("\n"),
  replace,
  join: (text, [list]) => iterate(list).map(str).join(text),
  find: (text, [part]) => text.indexOf(str(part)),
  index: (text, [part]) => text.indexOf(str(part)),
  count: (text, [part]) => text.split(str(part)).length - 1,
  isdigit: (text) => /^\p{Nd}+$/u.test(text),
  isnumeric: (text) => /^\p{N}+$/u.test(text),
  isalpha: (text) => /^\p{L}+$/u.test(text),
  isalnum: (text) => /^[\p{L}\p{N}]+$/u.test(text),
  islower: (text) => text !== text.toUpperCase() && text === text.toLowerCase(),
  isupper: (text) => text !== text.toLowerCase() && text === text.toUpperCase(),
  removeprefix: (text, [prefix]) => (text.startsWith(str(prefix)) ? text.slice(str(prefix).length) : text),
  removesuffix: (text, [suffix]) => (str(suffix) !== "" && text.endsWith(str(suffix)) ? text.slice(0, -str(suffix).length) : text),
  partition: (text, [mark]) => {
    const at = text.indexOf(str(mark));
    return new Tuple(at === -1 ? [text, "", ""] : [text.slice(0, at), str(mark), text.slice(at + str(mark).length)]);
  },
};

// What makes text as wide as it is told: charged before it is made.
const WIDE: Readonly<Record<string, (text: string, width: number, fill: string) => string>> = {
  zfill: (text, width) => (/^[-+]/u.test(text) ? text.slice(0, 1) + text.slice(1).padStart(width - 1, "0") : text.padStart(width, "0")),
  ljust: (text, width, fill) => text.padEnd(width, fill),
  rjust: (text, width, fill) => text.padStart(width, fill),
  center: (text, width, fill) => text.padStart(text.length + Math.floor(Math.max(0, width - text.length) / 2), fill).padEnd(width, fill),
};

const GROWING = new Set(["replace", "join"]);

function textMethod(text: string, name: string, { budget }: Context): Callable | undefined {
  if (name === "format") return new Callable(name, (args, kwargs) => formatBraces(text, args, kwargs));
  const wide = Object.hasOwn(WIDE, name) ? WIDE[name] : undefined;
  if (wide) {
    return new Callable(name, ([width, fill]) => {
      budget.chars(Math.max(text.length, asNumber(width)));
      return wide(text, asNumber(width), fill === undefined ? " " : str(fill));
    });
  }
  const method = Object.hasOwn(TEXT, name) ? TEXT[name] : undefined;
  if (!method) return undefined;
  return new Callable(name, (args) => {
    budget.chars(GROWING.has(name) ? growth(text, args) : text.length);
    return method(text, args);
  });
}

function growth(text: string, args: Args): number {
  const [first, second] = args;
  const added = second === undefined ? 0 : str(second).length;
  if (second === undefined && typeof first !== "string")
    return iterate(first).reduce<number>((sum, entry) => sum + str(entry).length + text.length, 0);
  return text.length + (text.split(str(first)).length - 1) * added;
}

function dictMethod(dict: Dict, name: string): Callable | undefined {
  switch (name) {
    case "get":
      return new Callable(name, ([key, fallback]) => (hasKey(dict, key) ? valueAt(dict, key) : (fallback ?? null)));
    case "items":
      return new Callable(
        name,
        () =>
          new View(
            "dict_items",
            entriesOf(dict).map((entry) => new Tuple(entry)),
          ),
      );
    case "keys":
      return new Callable(
        name,
        () =>
          new View(
            "dict_keys",
            entriesOf(dict).map(([key]) => key),
          ),
      );
    case "values":
      return new Callable(
        name,
        () =>
          new View(
            "dict_values",
            entriesOf(dict).map(([, value]) => value),
          ),
      );
    case "copy":
      return new Callable(name, () => new Map(entriesOf(dict)));
    case "clear":
    case "fromkeys":
    case "pop":
    case "popitem":
    case "setdefault":
    case "update":
      return changer(dict, name);
    default:
      return undefined;
  }
}

// Dicts of the template's own making can change; what was passed in cannot.
function changer(dict: Dict, name: string): Callable {
  return new Callable(name, (args, kwargs) => {
    if (!(dict instanceof Map)) throw fail(`dict.${name} is not available on this value`);
    const own = dict as Map<unknown, unknown>;
    const [key, fallback] = args;
    if (name === "update") {
      for (const [added, value] of [...(isDict(key) ? entriesOf(key) : []), ...Object.entries(kwargs)]) own.set(added, value);
      return null;
    }
    if (name === "setdefault" && !own.has(key)) own.set(key, fallback ?? null);
    const value = own.has(key) ? own.get(key) : (fallback ?? null);
    if (name === "pop") own.delete(key);
    if (name === "clear") own.clear();
    return value;
  });
}

function listMethod(items: readonly unknown[], name: string, context: Context): Callable | undefined {
  const list = items as unknown[];
  switch (name) {
    case "index":
      return new Callable(name, ([value]) => {
        const at = items.findIndex((entry) => equals(entry, value));
        if (at === -1) throw fail(`${str(value)} is not in list`);
        return at;
      });
    case "count":
      return new Callable(name, ([value]) => items.filter((entry) => equals(entry, value)).length);
    case "append":
      return new Callable(name, ([value]) => {
        list.push(value);
        return null;
      });
    case "extend":
      return new Callable(name, ([more]) => {
        const added = iterate(more);
        context.budget.step(added.length);
        list.push(...added);
        return null;
      });
    case "copy":
      return new Callable(name, () => [...items]);
    case "pop":
      return new Callable(name, ([at]) => (at === undefined ? list.pop() : list.splice(asNumber(at), 1)[0]));
    case "reverse":
      return new Callable(name, () => {
        list.reverse();
        return null;
      });
    default:
      return undefined;
  }
}

function method(value: unknown, name: string, context: Context): unknown {
  if (typeof value === "string") return textMethod(value, name, context);
  if (value instanceof PyObject) return value.attr(name);
  if (value instanceof Callable) return Object.hasOwn(value.attrs, name) ? value.attrs[name] : undefined;
  if (Array.isArray(value)) return listMethod(value, name, context);
  if (value instanceof Tuple) return name === "index" || name === "count" ? listMethod(value.items, name, context) : undefined;
  return isDict(value) ? dictMethod(value, name) : undefined;
}

function missing(value: unknown, key: unknown): Undefined {
  if (value === null || value === undefined) return new Undefined(`'None' has no attribute '${str(key)}'`);
  if (isInt(key) && !isDict(value)) return new Undefined(`${typeName(value)} object has no element ${key}`);
  return new Undefined(`'${typeName(value)} object' has no attribute '${str(key)}'`);
}

/** `value.name`: first an attribute, then an item. */
export function attribute(value: unknown, name: string, context: Context): unknown {
  if (value instanceof Undefined) return value;
  const own = method(value, name, context);
  if (own !== undefined) return own;
  return isDict(value) && hasKey(value, name) ? (valueAt(value, name) ?? null) : missing(value, name);
}

/** `value[key]`: first an item, then an attribute. */
export function item(value: unknown, key: unknown, context: Context): unknown {
  if (value instanceof Undefined) return value;
  if (isDict(value) && hasKey(value, key)) return valueAt(value, key) ?? null;
  if (isInt(key) || typeof key === "boolean") {
    const items =
      typeof value === "string"
        ? Array.from(value)
        : !isDict(value) && value !== null && typeof value === "object"
          ? sequenceOf(value)
          : undefined;
    const at = asNumber(key) < 0 ? asNumber(key) + (items?.length ?? 0) : asNumber(key);
    return items && at >= 0 && at < items.length ? items[at] : missing(value, key);
  }
  return (typeof key === "string" ? method(value, key, context) : undefined) ?? missing(value, key);
}

function sequenceOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as readonly unknown[];
  return value instanceof Tuple ? value.items : undefined;
}

/** `value[start:stop:step]`. */
export function slice(value: unknown, parts: readonly unknown[], context: Context): unknown {
  if (value instanceof Undefined) return value;
  const items = typeof value === "string" ? Array.from(value) : sequenceOf(value);
  if (!items) throw fail(`'${typeName(value)}' object is not subscriptable`);
  context.budget.step(items.length);
  const picked = indexes(items.length, parts).map((at) => items[at]);
  if (typeof value === "string") return picked.join("");
  return value instanceof Tuple ? new Tuple(picked) : picked;
}

function indexes(length: number, [start, stop, step]: readonly unknown[]): number[] {
  const by = step === undefined || step === null ? 1 : asNumber(step);
  if (by === 0) throw fail("slice step cannot be zero");
  const [low, high] = by > 0 ? [0, length] : [-1, length - 1];
  const clamp = (bound: unknown, absent: number): number => {
    if (bound === undefined || bound === null) return absent;
    if (!truthy(bound) && !isInt(bound)) throw fail("slice indices must be integers or None");
    const at = asNumber(bound) < 0 ? asNumber(bound) + length : asNumber(bound);
    return Math.min(Math.max(at, low), high);
  };
  const end = clamp(stop, by > 0 ? high : low);
  const result: number[] = [];
  for (let at = clamp(start, by > 0 ? low : high); by > 0 ? at < end : at > end; at += by) result.push(at);
  return result;
}
