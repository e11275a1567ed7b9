// Runs the statements of a template and collects its text; loops, captures and macros draw on the budget (spec resource-provider 8.6).
import type { Stmt, Target } from "./ast.ts";
import type { Context } from "./context.ts";
import { evaluate, printed, test } from "./expressions.ts";
import { equals } from "./operators.ts";
import { BODY } from "./parse-statement.ts";
import { Callable, PyObject, Undefined, fail, iterate } from "./values.ts";
import type { Kwargs } from "./values.ts";

type Node<K extends Stmt["t"]> = Extract<Stmt, { readonly t: K }>;
type Runners = { readonly [K in Stmt["t"]]: (node: Node<K>, context: Context) => string };

/** `namespace()`: attributes that a `set ns.x` reaches out of a loop. */
export class Namespace extends PyObject {
  readonly values: Map<string, unknown>;
  constructor(values: Iterable<readonly [string, unknown]>) {
    super();
    this.values = new Map(values);
  }
  attr(name: string): unknown {
    return this.values.get(name);
  }
  print(): string {
    return "<Namespace>";
  }
}

const RUNNERS: Runners = {
  data: (node) => node.text,
  out: (node, context) => printed(evaluate(node.expr, context)),
  if: (node, context) => {
    const branch = node.branches.find(([condition]) => test(condition, context));
    return run(branch ? branch[1] : node.otherwise, context);
  },
  for: (node, context) => loop(node, context),
  set: (node, context) => {
    assign(node.target, evaluate(node.value, context), context);
    return "";
  },
  capture: (node, context) => {
    const body = context.within(new Map(), () => run(node.body, context));
    const value = context.within(new Map([[BODY, body]]), () => evaluate(node.filter, context));
    if (node.name === undefined) return printed(value);
    context.scope.set(node.name, value);
    return "";
  },
  macro: (node, context) => {
    context.scope.set(node.name, new Callable(node.name, (args, kwargs) => expand(node, { args, kwargs }, context)));
    return "";
  },
  with: (node, context) => {
    const scope = new Map<string, unknown>();
    for (const [target, value] of node.assigns) scope.set(target.names[0] ?? "", evaluate(value, context));
    return context.within(scope, () => run(node.body, context));
  },
};

/** The text that the statements make. */
export function run(statements: readonly Stmt[], context: Context): string {
  let text = "";
  for (const node of statements) {
    context.line = node.line;
    const runner = RUNNERS[node.t] as (node: Stmt, context: Context) => string;
    const part = runner(node, context);
    context.budget.chars(part.length);
    text += part;
  }
  return text;
}

function assign(target: Target, value: unknown, context: Context): void {
  const [name = ""] = target.names;
  if (target.attr !== undefined) {
    const space = context.lookup(name);
    if (!(space instanceof Namespace)) throw fail("cannot assign attribute on non-namespace object");
    space.values.set(target.attr, value);
    return;
  }
  bind(target, value, context.scope);
}

function bind(target: Target, value: unknown, scope: Map<string, unknown>): void {
  if (target.single) {
    scope.set(target.names[0] ?? "", value);
    return;
  }
  const items = iterate(value);
  if (items.length !== target.names.length) throw fail(`expected ${target.names.length} values to unpack, got ${items.length}`);
  target.names.forEach((name, at) => scope.set(name, items[at]));
}

function loop(node: Node<"for">, context: Context): string {
  let items = iterate(evaluate(node.iter, context));
  const { filter } = node;
  if (filter) {
    items = items.filter((item) => {
      const scope = new Map<string, unknown>();
      bind(node.target, item, scope);
      return context.within(scope, () => test(filter, context));
    });
  }
  if (items.length === 0) return context.within(new Map(), () => run(node.otherwise, context));
  const state = new Loop(items);
  let text = "";
  for (const item of items) {
    context.budget.step();
    const scope = new Map<string, unknown>([["loop", state]]);
    bind(node.target, item, scope);
    text += context.within(scope, () => run(node.body, context));
    state.at += 1;
  }
  return text;
}

class Loop extends PyObject {
  readonly #items: readonly unknown[];
  #last: readonly unknown[] | undefined;
  at = 0;
  constructor(items: readonly unknown[]) {
    super();
    this.#items = items;
  }
  attr(name: string): unknown {
    const { length } = this.#items;
    switch (name) {
      case "index":
        return this.at + 1;
      case "index0":
        return this.at;
      case "first":
        return this.at === 0;
      case "last":
        return this.at === length - 1;
      case "length":
        return length;
      case "revindex":
        return length - this.at;
      case "revindex0":
        return length - this.at - 1;
      default:
        return this.#neighbour(name);
    }
  }
  #neighbour(name: string): unknown {
    if (name === "depth") return 1;
    if (name === "depth0") return 0;
    if (name === "previtem") return this.at > 0 ? this.#items[this.at - 1] : new Undefined("there is no previous item");
    if (name === "nextitem") return this.at + 1 < this.#items.length ? this.#items[this.at + 1] : new Undefined("there is no next item");
    if (name === "cycle") return new Callable(name, (args) => args[this.at % Math.max(1, args.length)]);
    return name === "changed" ? new Callable(name, (args) => this.#changed(args)) : undefined;
  }
  #changed(args: readonly unknown[]): boolean {
    const changed = !this.#last || !equals(this.#last, args);
    this.#last = args;
    return changed;
  }
  print(): string {
    return `<LoopContext ${this.at + 1}/${this.#items.length}>`;
  }
}

function expand(node: Node<"macro">, call: { readonly args: readonly unknown[]; readonly kwargs: Kwargs }, context: Context): string {
  const scope = new Map<string, unknown>();
  node.params.forEach(([name, fallback], at) => {
    if (at < call.args.length) scope.set(name, call.args[at]);
    else if (Object.hasOwn(call.kwargs, name)) scope.set(name, call.kwargs[name]);
    else scope.set(name, fallback ? evaluate(fallback, context) : new Undefined(`parameter '${name}' was not provided`));
  });
  if (call.args.length > node.params.length) throw fail(`macro '${node.name}' takes not more than ${node.params.length} argument(s)`);
  return context.within(scope, () => run(node.body, context));
}
