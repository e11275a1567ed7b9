// JSON text as Python's json.dumps writes it: `, ` and `: ` between parts, non-ASCII escaped (spec resource-provider 8.5).
import { PyObject, Tuple, Undefined, View, Walk, asNumber, entriesOf, fail, isDict, isFloat, printFloat, str, typeName } from "./values.ts";

export interface JsonStyle {
  readonly sorted: boolean;
  readonly ascii: boolean;
}

/** Throws for values that JSON cannot say: undefined, times. */
export function jsonText(value: unknown, style: JsonStyle, walk = new Walk()): string {
  walk.spend(typeof value === "string" ? value.length + 2 : 2);
  if (typeof value === "string") return quoted(value);
  if (value === null || value === undefined) return "null";
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (isFloat(value)) return printFloat(asNumber(value));
  if (typeof value === "number") return String(value);
  if (value instanceof Undefined || value instanceof PyObject || value instanceof View) {
    throw fail(`Object of type ${value instanceof View ? value.kind : typeName(value)} is not JSON serializable`);
  }
  return walk.deeper(() => container(value, style, walk));
}

function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function container(value: unknown, style: JsonStyle, walk: Walk): string {
  const items = Array.isArray(value) ? (value as readonly unknown[]) : value instanceof Tuple ? value.items : undefined;
  if (items) return `[${items.map((item) => jsonText(item, style, walk)).join(", ")}]`;
  if (!isDict(value)) throw fail(`Object of type ${typeName(value)} is not JSON serializable`);
  const entries = entriesOf(value).map(([key, item]) => [str(key), item] as const);
  if (style.sorted) entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, item]) => `${quoted(key)}: ${jsonText(item, style, walk)}`).join(", ")}}`;
}
