// The compatibility style: Jinja2 as the reference uses it, evaluated by jinja/* under the render's budget, with the typing rule
// of spec resource-provider 8.7. engine.ts walks values and calls this per string.
import { AppError, messageOf } from "../runtime/errors.ts";
import type { Budget } from "./budget.ts";
import { OMIT } from "./helpers.ts";
import type { HelperScope } from "./helpers.ts";
import type { Expr, Stmt } from "./jinja/ast.ts";
import { Context } from "./jinja/context.ts";
import type { Names } from "./jinja/context.ts";
import { evaluate } from "./jinja/expressions.ts";
import { FILTERS } from "./jinja/filters.ts";
import { asBool } from "./jinja/filters-text.ts";
import { builtins, globals } from "./jinja/globals.ts";
import { parseCondition, parseTemplate } from "./jinja/parse-statement.ts";
import { run } from "./jinja/statements.ts";
import { TESTS } from "./jinja/tests.ts";

const CACHE_SIZE = 2000;
const MAX_TEMPLATE = 64 * 1024;
const TYPED = /^\{\{(?![^\n]*\{\{)[^\n]*\| *(bool|float|int|list|object) *\}\}\n?$/u;

export interface JinjaCall {
  readonly source: string;
  readonly scope: HelperScope;
  readonly budget: Budget;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Names among `variables` that are vars: they hide built-ins. */
  readonly vars: ReadonlySet<string>;
}

export class Jinja2Style {
  readonly #templates = new Map<string, readonly Stmt[]>();
  readonly #conditions = new Map<string, Expr>();

  /** The value of a string template. Throws AppError PS_TEMPLATE_* that names source, line and template. */
  evaluate(text: string, call: JinjaCall): unknown {
    return named(text, call, (context) => {
      const rendered = run(cached(this.#templates, text, parseTemplate), context);
      const type = TYPED.exec(text)?.[1];
      return type === undefined ? rendered : convert(rendered, type);
    });
  }

  /** `(text) | bool`, always a real boolean (spec 8.7, safe improvement). */
  condition(text: string, call: JinjaCall): boolean {
    return text.trim() !== "" && named(text, call, (context) => asBool(evaluate(cached(this.#conditions, text, parseCondition), context)));
  }
}

function cached<T>(cache: Map<string, T>, text: string, parse: (text: string) => T): T {
  const known = cache.get(text);
  if (known !== undefined) return known;
  if (text.length > MAX_TEMPLATE) throw new AppError("PS_TEMPLATE_SYNTAX", `a template of more than ${MAX_TEMPLATE} characters`);
  const parsed = parse(text);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(text, parsed);
  return parsed;
}

function named<T>(text: string, call: JinjaCall, body: (context: Context) => T): T {
  const now = (): number => {
    call.scope.onClock();
    return call.scope.now();
  };
  const context = new Context(call.budget, namesOf(call, now), { filters: FILTERS, tests: TESTS });
  try {
    return call.budget.nest(() => body(context));
  } catch (error) {
    if (error instanceof AppError && NAMED.has(error)) throw error;
    const code = error instanceof AppError ? error.code : "PS_TEMPLATE_RENDER";
    const place = JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
    const outer = new AppError(code, `${call.source}: ${messageOf(error)} at line ${context.line} of template ${place}`, { cause: error });
    NAMED.add(outer);
    throw outer;
  }
}

// Errors that already say where: a var that fails inside a template is named once.
const NAMED = new WeakSet<AppError>();

// vars > built-ins > context variables > Jinja's globals (spec 8.8)
function namesOf(call: JinjaCall, now: () => number): Names {
  const own = builtins(now, OMIT);
  let others: Readonly<Record<string, unknown>> | undefined;
  const global = (): Readonly<Record<string, unknown>> => (others ??= globals(call.budget));
  return {
    has: (name) => Object.hasOwn(call.variables, name) || Object.hasOwn(own, name) || Object.hasOwn(global(), name),
    get: (name) => {
      if (call.vars.has(name)) return call.variables[name];
      if (Object.hasOwn(own, name)) return own[name]?.();
      return Object.hasOwn(call.variables, name) ? (call.variables[name] ?? null) : global()[name];
    },
    isVar: (name) => call.vars.has(name),
  };
}

function convert(text: string, type: string): unknown {
  if (type === "bool") return asBool(text);
  if (type === "int") return /^[-+]?\d+$/u.test(text.trim()) ? Number(text) : text;
  if (type === "float") return text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
