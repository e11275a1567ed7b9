// The tests of `is` (spec resource-provider 8.5).
import type { Filter } from "./context.ts";
import { compare, contains, equals } from "./operators.ts";
import { Callable, Tuple, Undefined, View, asNumber, isDict, isFloat, isInt, isNumeric, itemsOf } from "./values.ts";

const eq: Filter = ({ value, args: [other] }) => equals(value, other);
const ne: Filter = ({ value, args: [other] }) => !equals(value, other);
const lt: Filter = ({ value, args: [other] }) => compare(value, other) < 0;
const le: Filter = ({ value, args: [other] }) => compare(value, other) <= 0;
const gt: Filter = ({ value, args: [other] }) => compare(value, other) > 0;
const ge: Filter = ({ value, args: [other] }) => compare(value, other) >= 0;

function isSequence(value: unknown): boolean {
  return typeof value === "string" || Array.isArray(value) || value instanceof Tuple || isDict(value) || value instanceof Undefined;
}

export const TESTS: Readonly<Record<string, Filter>> = {
  defined: ({ value }) => !(value instanceof Undefined),
  undefined: ({ value }) => value instanceof Undefined,
  none: ({ value }) => value === null || value === undefined,
  string: ({ value }) => typeof value === "string",
  number: ({ value }) => isNumeric(value),
  integer: ({ value }) => isInt(value),
  float: ({ value }) => isFloat(value),
  boolean: ({ value }) => typeof value === "boolean",
  true: ({ value }) => value === true,
  false: ({ value }) => value === false,
  mapping: ({ value }) => isDict(value),
  sequence: ({ value }) => isSequence(value),
  iterable: ({ value }) => itemsOf(value) !== undefined || value instanceof View,
  callable: ({ value }) => value instanceof Callable,
  in: ({ value, args: [list] }, { budget }) => contains(list, value, budget),
  sameas: ({ value, args: [other] }) => value === other,
  odd: ({ value }) => Math.abs(asNumber(value) % 2) === 1,
  even: ({ value }) => asNumber(value) % 2 === 0,
  divisibleby: ({ value, args: [by] }) => asNumber(value) % asNumber(by) === 0,
  lower: ({ value }) => typeof value === "string" && value === value.toLowerCase() && value !== value.toUpperCase(),
  upper: ({ value }) => typeof value === "string" && value === value.toUpperCase() && value !== value.toLowerCase(),
  eq,
  equalto: eq,
  "==": eq,
  ne,
  "!=": ne,
  lt,
  lessthan: lt,
  "<": lt,
  le,
  "<=": le,
  gt,
  greaterthan: gt,
  ">": gt,
  ge,
  ">=": ge,
};
