// What an evaluation carries: the scopes, the budget, the clock and the filters. jinja-style.ts makes it, expressions.ts reads it.
import type { Budget } from "../budget.ts";
import type { Kwargs } from "./values.ts";
import { Undefined, fail } from "./values.ts";

/** One filter or test as templates call it. */
export type Filter = (call: FilterCall, context: Context) => unknown;

export interface FilterCall {
  readonly value: unknown;
  readonly args: readonly unknown[];
  readonly kwargs: Kwargs;
}

/** An argument by position or by name; undefined when it is not given. */
export function argument(call: FilterCall, at: number, name: string): unknown {
  return at < call.args.length ? call.args[at] : Object.hasOwn(call.kwargs, name) ? call.kwargs[name] : undefined;
}

/** Names outside the template: vars, built-ins, variables, globals. */
export interface Names {
  has(name: string): boolean;
  get(name: string): unknown;
  /** True for a var: its text is read as a boolean where a truth value is asked for (spec 8.8). */
  isVar(name: string): boolean;
}

export class Context {
  readonly budget: Budget;
  readonly names: Names;
  /** Runs a filter or test by name, for filters that take one (`map`, `select`). */
  readonly runFilter: (name: string, call: FilterCall) => unknown;
  readonly runTest: (name: string, call: FilterCall) => boolean;
  /** The line that is being evaluated, for error texts. */
  line = 1;
  scope = new Map<string, unknown>();
  readonly #outer: ReadonlyMap<string, unknown>[] = [];

  constructor(
    budget: Budget,
    names: Names,
    tables: { readonly filters: Readonly<Record<string, Filter>>; readonly tests: Readonly<Record<string, Filter>> },
  ) {
    this.runFilter = (name, call) => pick(tables.filters, name, "filter")(call, this);
    this.runTest = (name, call) => Boolean(pick(tables.tests, name, "test")(call, this));
    this.budget = budget;
    this.names = names;
  }

  lookup(name: string): unknown {
    if (this.scope.has(name)) return this.scope.get(name);
    for (let at = this.#outer.length - 1; at >= 0; at -= 1) {
      const outer = this.#outer[at];
      if (outer?.has(name) === true) return outer.get(name);
    }
    return this.names.has(name) ? this.names.get(name) : new Undefined(`'${name}' is undefined`);
  }

  isVar(name: string): boolean {
    return !this.scope.has(name) && !this.#outer.some((scope) => scope.has(name)) && this.names.isVar(name);
  }

  /** Runs `body` with names of its own on top of those in reach. */
  within<T>(scope: Map<string, unknown>, body: () => T): T {
    const outer = this.scope;
    this.#outer.push(outer);
    this.scope = scope;
    try {
      return this.budget.nest(body);
    } finally {
      this.#outer.pop();
      this.scope = outer;
    }
  }
}

function pick(table: Readonly<Record<string, Filter>>, name: string, what: string): Filter {
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!found) throw fail(`No ${what} named '${name}'.`);
  return found;
}
