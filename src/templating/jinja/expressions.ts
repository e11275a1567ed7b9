// Evaluates expressions of the syntax tree over Python values; each node is one step of the budget (spec resource-provider 8.2, 8.6).
// filters.ts, tests.ts and methods.ts hold what is called by name.
import type { CallArgs, Expr } from "./ast.ts";
import type { Context } from "./context.ts";
import type { FilterCall } from "./context.ts";
import { asBool } from "./filters-text.ts";
import { attribute, item, slice } from "./methods.ts";
import { binary, comparison } from "./operators.ts";
import { Callable, Tuple, Undefined, asNumber, fail, isFloat, isInt, isNumeric, Float, PyObject, str, truthy, typeName } from "./values.ts";
import { TimeDelta, Timestamp } from "./datetime.ts";

type Node<K extends Expr["t"]> = Extract<Expr, { readonly t: K }>;
type Evaluators = { readonly [K in Expr["t"]]: (node: Node<K>, context: Context) => unknown };

const EVALUATORS: Evaluators = {
  lit: (node) => node.value,
  name: (node, context) => context.lookup(node.name),
  attr: (node, context) => attribute(evaluate(node.obj, context), node.name, context),
  item: (node, context) => item(evaluate(node.obj, context), evaluate(node.key, context), context),
  slice: (node, context) =>
    slice(
      evaluate(node.obj, context),
      node.parts.map((part) => (part ? evaluate(part, context) : undefined)),
      context,
    ),
  call: (node, context) => callValue(evaluate(node.fn, context), node, context),
  filter: (node, context) => context.runFilter(node.name, { value: evaluate(node.obj, context), ...argumentsOf(node, context) }),
  test: (node, context) =>
    context.runTest(node.name, { value: evaluate(node.obj, context), ...argumentsOf(node, context) }) !== node.negate,
  bin: (node, context) => {
    const operands = [evaluate(node.left, context), evaluate(node.right, context)] as const;
    if (node.op !== "~") return binary(node.op, operands, context.budget);
    const text = str(operands[0]) + str(operands[1]);
    context.budget.chars(text.length);
    return text;
  },
  cmp: (node, context) => {
    let left = evaluate(node.first, context);
    for (const [op, next] of node.rest) {
      const right = evaluate(next, context);
      if (!comparison(op, [left, right], context.budget)) return false;
      left = right;
    }
    return true;
  },
  logic: (node, context) => {
    const left = evaluate(node.left, context);
    return truthOf(node.left, left, context) === (node.op === "or") ? left : evaluate(node.right, context);
  },
  not: (node, context) => !test(node.obj, context),
  sign: (node, context) => signed(node.op, evaluate(node.obj, context)),
  cond: (node, context) => {
    if (test(node.test, context)) return evaluate(node.yes, context);
    if (node.no) return evaluate(node.no, context);
    return new Undefined(`the inline if-expression on line ${node.line} evaluated to false and no else section was defined.`);
  },
  list: (node, context) => node.items.map((entry) => evaluate(entry, context)),
  tuple: (node, context) => new Tuple(node.items.map((entry) => evaluate(entry, context))),
  dict: (node, context) => new Map(node.entries.map(([key, value]) => [evaluate(key, context), evaluate(value, context)])),
};

export function evaluate(node: Expr, context: Context): unknown {
  context.budget.step();
  const evaluator = EVALUATORS[node.t] as (node: Expr, context: Context) => unknown;
  return evaluator(node, context);
}

/** The truth of an expression. */
export function test(node: Expr, context: Context): boolean {
  return truthOf(node, evaluate(node, context), context);
}

// The text of a var must be a boolean word where a truth value is asked for (spec 8.8).
function truthOf(node: Expr, value: unknown, context: Context): boolean {
  if (typeof value !== "string" || node.t !== "name" || !context.isVar(node.name)) return truthy(value);
  if (asBool(value)) return true;
  if (/^(no|false|f|n|0)$/iu.test(value)) return false;
  throw fail(`the var ${node.name} is no boolean: ${value.slice(0, 40)}`);
}

function argumentsOf(node: CallArgs, context: Context): Omit<FilterCall, "value"> {
  if (node.args.length === 0 && node.kwargs.length === 0) return NO_ARGUMENTS;
  return {
    args: node.args.map((arg) => evaluate(arg, context)),
    kwargs: Object.fromEntries(node.kwargs.map(([name, arg]) => [name, evaluate(arg, context)])),
  };
}
const NO_ARGUMENTS = { args: [], kwargs: {} };

function callValue(fn: unknown, node: CallArgs, context: Context): unknown {
  const { args, kwargs } = argumentsOf(node, context);
  if (fn instanceof Undefined) throw fail(fn.message);
  if (fn instanceof Timestamp) {
    if (args.length === 0) throw fail("timestamp() takes one argument");
    return fn.of(args[0]);
  }
  if (!(fn instanceof Callable)) throw fail(`'${typeName(fn)}' object is not callable`);
  return context.budget.nest(() => fn.call(args, kwargs));
}

function signed(op: string, value: unknown): unknown {
  if (value instanceof Undefined) throw fail(value.message);
  if (value instanceof TimeDelta) return op === "-" ? new TimeDelta(-value.ms) : value;
  if (!isNumeric(value)) throw fail(`bad operand type for unary ${op}: '${typeName(value)}'`);
  if (isFloat(value)) return new Float(op === "-" ? -asNumber(value) : asNumber(value));
  if (!isInt(value)) return op === "-" ? -asNumber(value) : asNumber(value);
  return op === "-" ? -value || 0 : value;
}

/** Printing: an undefined value is an error (spec 8.1, finalize). */
export function printed(value: unknown): string {
  if (value instanceof Undefined) throw fail(value.message);
  return value instanceof PyObject ? value.print() : str(value);
}
