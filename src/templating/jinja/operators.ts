// Python's operators over the values of values.ts: equality, order, arithmetic, membership (spec resource-provider 8.6).
import type { Budget } from "../budget.ts";
import { formatPercent } from "./format.ts";
import {
  Float,
  PyObject,
  Tuple,
  Undefined,
  View,
  Walk,
  asNumber,
  entriesOf,
  fail,
  hasKey,
  integer,
  isDict,
  isFloat,
  isInt,
  isNumeric,
  itemsOf,
  typeName,
  valueAt,
} from "./values.ts";

/** Objects that take part in arithmetic and order: times. `undefined` means: not with this operand. */
export abstract class Operand extends PyObject {
  abstract compareTo(other: unknown): number | undefined;
  abstract binary(op: string, other: unknown, reversed: boolean): unknown;
}

export function equals(left: unknown, right: unknown, walk = new Walk()): boolean {
  walk.spend(1);
  if (left === right) return true;
  if (isNumeric(left) && isNumeric(right)) return same(left, right);
  if (left instanceof Undefined) return right instanceof Undefined;
  if (left instanceof Operand) return right instanceof Operand && left.compareTo(right) === 0;
  return walk.deeper(() => containersEqual(left, right, walk));
}

function same(left: unknown, right: unknown): boolean {
  return typeof left === "bigint" && typeof right === "bigint" ? left === right : asNumber(left) === asNumber(right);
}

function containersEqual(left: unknown, right: unknown, walk: Walk): boolean {
  const lists = [sequence(left), sequence(right)] as const;
  if (lists[0] && lists[1]) {
    return (
      Array.isArray(left) === Array.isArray(right) &&
      lists[0].length === lists[1].length &&
      lists[0].every((item, at) => equals(item, lists[1]?.[at], walk))
    );
  }
  if (!isDict(left) || !isDict(right)) return false;
  const entries = entriesOf(left);
  return (
    entries.length === entriesOf(right).length &&
    entries.every(([key, item]) => hasKey(right, key) && equals(item, valueAt(right, key), walk))
  );
}

function sequence(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as readonly unknown[];
  return value instanceof Tuple || value instanceof View ? value.items : undefined;
}

/** <0, 0 or >0; values of different types have no order. */
export function compare(left: unknown, right: unknown, op = "<"): number {
  const broken = left instanceof Undefined ? left : right;
  if (broken instanceof Undefined) throw fail(broken.message);
  if (isNumeric(left) && isNumeric(right)) return asNumber(left) - asNumber(right);
  if (typeof left === "string" && typeof right === "string") return left < right ? -1 : Number(left > right);
  const lists = [sequence(left), sequence(right)] as const;
  if (lists[0] && lists[1]) return compareLists(lists[0], lists[1]);
  const order = left instanceof Operand ? left.compareTo(right) : undefined;
  if (order === undefined) throw fail(`'${op}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`);
  return order;
}

function compareLists(left: readonly unknown[], right: readonly unknown[]): number {
  const at = left.findIndex((item, index) => index >= right.length || !equals(item, right[index]));
  if (at === -1 || at >= right.length) return left.length - right.length;
  return compare(left[at], right[at]);
}

export function contains(container: unknown, item: unknown, budget: Budget): boolean {
  if (typeof container === "string") {
    if (item instanceof Undefined) throw fail(item.message);
    if (typeof item !== "string") throw fail(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    return container.includes(item);
  }
  if (isDict(container)) return hasKey(container, item);
  const items = itemsOf(container);
  if (!items) throw fail(`argument of type '${typeName(container)}' is not iterable`);
  budget.step(items.length);
  return items.some((entry) => equals(entry, item));
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

export function comparison(op: string, operands: readonly [unknown, unknown], budget: Budget): boolean {
  const [left, right] = operands;
  if (op === "==") return equals(left, right);
  if (op === "!=") return !equals(left, right);
  if (op === "in") return contains(right, left, budget);
  if (op === "not in") return !contains(right, left, budget);
  return COMPARISONS[op]?.(compare(left, right, op)) ?? false;
}

export function binary(op: string, operands: readonly [unknown, unknown], budget: Budget): unknown {
  const [left, right] = operands;
  const broken = left instanceof Undefined ? left : right;
  if (broken instanceof Undefined) throw fail(broken.message);
  if (op === "%" && typeof left === "string") return charged(formatPercent(left, right, budget), budget);
  if (isNumeric(left) && isNumeric(right)) return arithmetic(op, left, right);
  const result = operand(op, left, right) ?? joined(op, left, right, budget) ?? repeated(op, left, right, budget);
  if (result !== undefined) return result;
  throw fail(`unsupported operand type(s) for ${op}: '${typeName(left)}' and '${typeName(right)}'`);
}

function charged(text: string, budget: Budget): string {
  budget.chars(text.length);
  return text;
}

function operand(op: string, left: unknown, right: unknown): unknown {
  const own = left instanceof Operand ? left.binary(op, right, false) : undefined;
  return own ?? (right instanceof Operand ? right.binary(op, left, true) : undefined);
}

function joined(op: string, left: unknown, right: unknown, budget: Budget): unknown {
  if (op !== "+") return undefined;
  if (typeof left === "string" && typeof right === "string") {
    budget.chars(left.length + right.length);
    return left + right;
  }
  const lists = [sequence(left), sequence(right)] as const;
  if (!lists[0] || !lists[1] || Array.isArray(left) !== Array.isArray(right)) return undefined;
  budget.step(lists[0].length + lists[1].length);
  const items = [...lists[0], ...lists[1]];
  return Array.isArray(left) ? items : new Tuple(items);
}

function repeated(op: string, left: unknown, right: unknown, budget: Budget): unknown {
  if (op !== "*") return undefined;
  const [value, times] = isInt(left) ? [right, left] : [left, right];
  if (!isInt(times)) return undefined;
  const count = Math.max(0, Number(times));
  if (typeof value === "string") {
    budget.chars(value.length * count);
    return value.repeat(count);
  }
  const items = sequence(value);
  if (!items) return undefined;
  budget.step(items.length * count);
  const result = Array.from({ length: items.length * count }, (_, at) => items[at % items.length]);
  return Array.isArray(value) ? result : new Tuple(result);
}

function arithmetic(op: string, left: unknown, right: unknown): unknown {
  if (op === "/" || isFloat(left) || isFloat(right)) return new Float(floats(op, asNumber(left), asNumber(right)));
  return integers(op, whole(left), whole(right));
}

function whole(value: unknown): bigint {
  return BigInt(value as number | bigint | boolean);
}

function floats(op: string, left: number, right: number): number {
  if ("/%".includes(op[0] ?? "") && right === 0) throw fail("division by zero");
  switch (op) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "//":
      return Math.floor(left / right);
    case "%":
      return left - right * Math.floor(left / right);
    default:
      return left ** right;
  }
}

const MAX_POWER_BITS = 4096;

function integers(op: string, left: bigint, right: bigint): unknown {
  if ((op === "//" || op === "%") && right === 0n) throw fail("integer division or modulo by zero");
  switch (op) {
    case "+":
      return bounded(left + right);
    case "-":
      return bounded(left - right);
    case "*":
      return bounded(left * right);
    case "//":
      return integer(floorDiv(left, right));
    case "%":
      return integer(left - right * floorDiv(left, right));
    default:
      return power(left, right);
  }
}

function bounded(value: bigint): number | bigint {
  if (BigInt.asIntN(MAX_POWER_BITS, value) !== value) throw fail("an integer grows too large");
  return integer(value);
}

function floorDiv(left: bigint, right: bigint): bigint {
  const quotient = left / right;
  return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
}

function power(base: bigint, exponent: bigint): unknown {
  if (exponent < 0n) return new Float(Number(base) ** Number(exponent));
  const bits = base.toString(2).length * Number(exponent);
  if (bits > MAX_POWER_BITS && base !== 1n && base !== -1n && base !== 0n) throw fail("an integer grows too large");
  return bounded(base === 1n || base === 0n ? base ** (exponent === 0n ? 0n : 1n) : base ** (base === -1n ? exponent % 2n : exponent));
}
