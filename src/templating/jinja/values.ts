// Python values in JavaScript: what a value is, how it prints and whether it is true (spec resource-provider 8.6). Integers are
// numbers or bigints, floats are Float (or a number with a fraction), dicts are plain objects or Maps read by own key only.
import { AppError } from "../../runtime/errors.ts";

/** An error of template evaluation; jinja-style.ts adds the template's name and position. */
export function fail(message: string): AppError {
  return new AppError("PS_TEMPLATE_RENDER", message);
}

export class Undefined {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export class Tuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** Marks a list that came from a dict view, which prints with its kind. */
export class View {
  readonly kind: string;
  readonly items: readonly unknown[];
  constructor(kind: string, items: readonly unknown[]) {
    this.kind = kind;
    this.items = items;
  }
}

export type Kwargs = Readonly<Record<string, unknown>>;

export class Callable {
  readonly name: string;
  readonly call: (args: readonly unknown[], kwargs: Kwargs) => unknown;
  readonly attrs: Readonly<Record<string, unknown>>;
  constructor(name: string, call: Callable["call"], attrs: Readonly<Record<string, unknown>> = {}) {
    this.name = name;
    this.call = call;
    this.attrs = attrs;
  }
}

/** An object with attributes of its own: times, loop, namespace. */
export abstract class PyObject {
  /** The attribute, or undefined (the JavaScript one) when there is none. */
  abstract attr(name: string): unknown;
  abstract print(): string;
  repr(): string {
    return this.print();
  }
  truth(): boolean {
    return true;
  }
}

export type Dict = ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>;

const SPECIAL = [Undefined, Float, Tuple, View, Callable, PyObject];

export function isDict(value: unknown): value is Dict {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !SPECIAL.some((type) => value instanceof type);
}

/** Own entries only. */
export function entriesOf(dict: Dict): (readonly [unknown, unknown])[] {
  return dict instanceof Map ? [...(dict as ReadonlyMap<unknown, unknown>)] : Object.entries(dict);
}

export function hasKey(dict: Dict, key: unknown): boolean {
  if (dict instanceof Map) return dict.has(key);
  return typeof key === "string" && Object.hasOwn(dict, key);
}

export function valueAt(dict: Dict, key: unknown): unknown {
  if (dict instanceof Map) return (dict as ReadonlyMap<unknown, unknown>).get(key);
  return typeof key === "string" && Object.hasOwn(dict, key) ? (dict as Readonly<Record<string, unknown>>)[key] : undefined;
}

export function isFloat(value: unknown): boolean {
  return value instanceof Float || (typeof value === "number" && !Number.isInteger(value));
}

export function isInt(value: unknown): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
}

export function isNumeric(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean" || value instanceof Float;
}

/** The value as a JavaScript number; only for numeric values. */
export function asNumber(value: unknown): number {
  return value instanceof Float ? value.value : Number(value);
}

/** An integer as number while it is exact, else as bigint. */
export function integer(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** The items of a sequence or iterable; undefined for none. Strings by code point, dicts by key. */
export function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (value instanceof Tuple || value instanceof View) return value.items;
  if (value instanceof Undefined) return [];
  if (typeof value === "string") return Array.from(value);
  return isDict(value) ? entriesOf(value).map(([key]) => key) : undefined;
}

export function iterate(value: unknown): readonly unknown[] {
  const items = itemsOf(value);
  if (!items) throw fail(`'${typeName(value)}' object is not iterable`);
  return items;
}

export function truthy(value: unknown): boolean {
  if (value === null || value === undefined || value instanceof Undefined) return false;
  if (value instanceof Float) return value.value !== 0;
  if (value instanceof PyObject) return value.truth();
  if (typeof value === "object" && !(value instanceof Callable)) return (itemsOf(value) ?? [0]).length > 0;
  return Boolean(value);
}

export function typeName(value: unknown): string {
  if (value === null || value === undefined) return "NoneType";
  if (value instanceof Undefined) return "ChainableUndefined";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  if (isInt(value)) return "int";
  if (isFloat(value)) return "float";
  if (Array.isArray(value)) return "list";
  if (value instanceof Tuple) return "tuple";
  return isDict(value) ? "dict" : "object";
}

export function printFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/u, "e$10$2");
  }
  return Number.isInteger(value) ? `${Object.is(value, -0) ? "-0" : value}.0` : String(value);
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\" };

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\n\t\r\\]/gu, (char) => ESCAPES[char] ?? char);
  return mark + (mark === "'" ? escaped.replaceAll("'", String.raw`\'`) : escaped) + mark;
}

/** Bounds one walk over a value: a list that holds itself twice over grows exponentially when it is written out. */
export class Walk {
  #left = 512 * 1024;
  #depth = 0;
  spend(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw fail("a value is too large to walk");
  }
  deeper<T>(body: () => T): T {
    this.#depth += 1;
    if (this.#depth > 100) throw fail("a value nests too deep");
    const result = body();
    this.#depth -= 1;
    return result;
  }
}

/** repr(): as inside a container. */
export function repr(value: unknown, walk = new Walk()): string {
  walk.spend(typeof value === "string" ? value.length + 2 : 2);
  if (typeof value === "string") return quote(value);
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof PyObject) return value.repr();
  return typeof value === "object" && value !== null ? walk.deeper(() => container(value, walk)) : scalar(value);
}

function container(value: object, walk: Walk): string {
  const inner = (items: readonly unknown[]): string => items.map((item) => repr(item, walk)).join(", ");
  if (Array.isArray(value)) return `[${inner(value)}]`;
  if (value instanceof Tuple) return `(${inner(value.items)}${value.items.length === 1 ? "," : ""})`;
  if (value instanceof View) return `${value.kind}([${inner(value.items)}])`;
  if (!isDict(value)) return scalar(value);
  return `{${entriesOf(value)
    .map(([key, item]) => `${repr(key, walk)}: ${repr(item, walk)}`)
    .join(", ")}}`;
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (isFloat(value)) return printFloat(asNumber(value));
  if (value instanceof Callable) return `<function ${value.name}>`;
  return (value as number | bigint).toString();
}

/** str(): undefined is empty text. */
export function str(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Undefined) return "";
  return value instanceof PyObject ? value.print() : repr(value);
}
