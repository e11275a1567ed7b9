// Text formatting of Python: printf-style `%` and str.format (spec resource-provider 8.6). operators.ts and methods.ts call it.
import type { Budget } from "../budget.ts";
import { Tuple, asNumber, fail, isDict, isNumeric, repr, str, typeName, valueAt } from "./values.ts";

const MAX_WIDTH = 10_000;
const PERCENT = /%(?:\((?<key>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>\d*)(?:\.(?<precision>\d+))?(?<type>[a-zA-Z%])/gu;

interface Spec {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly type: string;
}

/** `"%s of %05.1f" % (a, b)`. */
export function formatPercent(pattern: string, operand: unknown, budget: Budget): string {
  const items = operand instanceof Tuple ? operand.items : [operand];
  let at = 0;
  const text = pattern.replaceAll(PERCENT, (...match: unknown[]) => {
    const groups = match.at(-1) as Record<string, string | undefined>;
    const spec = specOf(groups);
    if (spec.type === "%") return "%";
    budget.chars(spec.width);
    if (groups["key"] !== undefined) return convert(spec, isDict(operand) ? valueAt(operand, groups["key"]) : undefined);
    if (at >= items.length) throw fail("not enough arguments for format string");
    at += 1;
    return convert(spec, items[at - 1]);
  });
  if (at < items.length && operand instanceof Tuple) throw fail("not all arguments converted during string formatting");
  return text;
}

function specOf(groups: Record<string, string | undefined>): Spec {
  const precision = groups["precision"];
  const spec = {
    flags: groups["flags"] ?? "",
    width: Number(groups["width"] ?? 0),
    type: groups["type"] ?? "s",
    precision: precision === undefined ? undefined : Number(precision),
  };
  if (spec.width > MAX_WIDTH || (spec.precision ?? 0) > 100) throw fail("format width too large");
  return spec;
}

function convert(spec: Spec, value: unknown): string {
  const text = spec.type === "s" || spec.type === "r" ? words(spec, value) : numeric(spec, value);
  if (spec.flags.includes("-")) return text.padEnd(spec.width);
  return spec.flags.includes("0") && spec.type !== "s" ? zeroPadded(text, spec.width) : text.padStart(spec.width);
}

function words(spec: Spec, value: unknown): string {
  const text = spec.type === "r" ? repr(value) : str(value);
  return spec.precision === undefined ? text : text.slice(0, spec.precision);
}

function zeroPadded(text: string, width: number): string {
  const sign = /^[-+]/u.test(text) ? text.slice(0, 1) : "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

function numeric(spec: Spec, value: unknown): string {
  if (!isNumeric(value)) throw fail(`%${spec.type} format: a real number is required, not ${typeName(value)}`);
  const text = digits(spec, asNumber(value));
  return spec.flags.includes("+") && !text.startsWith("-") ? `+${text}` : text;
}

function digits(spec: Spec, value: number): string {
  switch (spec.type) {
    case "d":
    case "i":
    case "u":
      return String(Math.trunc(value));
    case "f":
    case "F":
      return value.toFixed(spec.precision ?? 6);
    case "e":
      return value.toExponential(spec.precision ?? 6).replace(/e([+-])(\d)$/u, "e$10$2");
    case "g":
      return String(Number(value.toPrecision(spec.precision ?? 6)));
    case "x":
      return Math.trunc(value).toString(16);
    case "X":
      return Math.trunc(value).toString(16).toUpperCase();
    case "o":
      return Math.trunc(value).toString(8);
    default:
      throw fail(`unsupported format character '${spec.type}'`);
  }
}

const FIELD =
  /\{\{|\}\}|\{(?<name>[^{}:!]*)(?::(?<fill>[^{}]?[<>^])?(?<flags>[+0]*)(?<width>\d*)(?:\.(?<precision>\d+))?(?<type>[a-zA-Z]?))?\}/gu;

/** `"{} of {name:>5}".format(…)`; field names are plain: no attribute access. */
export function formatBraces(pattern: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): string {
  let at = 0;
  return pattern.replaceAll(FIELD, (...match: unknown[]) => {
    const whole = String(match[0]);
    if (whole === "{{" || whole === "}}") return whole.slice(1);
    const groups = match.at(-1) as Record<string, string | undefined>;
    const name = groups["name"] ?? "";
    const value = named(name === "" ? String(at++) : name, args, kwargs);
    const plain = groups["type"] || (groups["precision"] === undefined ? "s" : isNumeric(value) ? "f" : "s");
    const align = groups["fill"] ?? (isNumeric(value) ? ">" : "<");
    const spec = {
      ...specOf({ ...groups, type: plain }),
      flags: align.endsWith("<") ? `${groups["flags"] ?? ""}-` : (groups["flags"] ?? ""),
    };
    return convert(spec, value);
  });
}

function named(name: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): unknown {
  if (/^\d+$/u.test(name)) {
    if (Number(name) >= args.length) throw fail("Replacement index out of range for positional args tuple");
    return args[Number(name)];
  }
  if (!Object.hasOwn(kwargs, name)) throw fail(`'${name}'`);
  return kwargs[name];
}
