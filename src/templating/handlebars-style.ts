// The house style: Handlebars with prototype access off, typed results and a compile cache. Values come out as they went in when
// a string is exactly one expression; anything around it makes text. engine.ts walks values and calls this per string.
import Handlebars from "handlebars";
import { AppError, messageOf } from "../runtime/errors.ts";
import type { Budget } from "./budget.ts";
import { HELPERS } from "./helpers.ts";
import type { HelperScope } from "./helpers.ts";

const CACHE_SIZE = 2000;
const MAX_TEMPLATE = 64 * 1024;
const TYPED = "__typed";

type Variables = Readonly<Record<string, unknown>>;
type Compiled = (variables: Variables, call: HandlebarsCall) => unknown;

export interface HandlebarsCall {
  readonly source: string;
  readonly scope: HelperScope;
  readonly budget: Budget;
}

export class HandlebarsStyle {
  readonly #handlebars = Handlebars.create();
  readonly #cache = new Map<string, Compiled>();
  readonly #bound = new WeakMap<Budget, Readonly<Record<string, Handlebars.HelperDelegate>>>();

  constructor() {
    // The built-in log and lookup helpers reach the console and prototypes; ours replace what is needed.
    for (const name of ["log", "helperMissing", "blockHelperMissing"]) this.#handlebars.unregisterHelper(name);
  }

  /** The value of a string template. Throws AppError PS_TEMPLATE_SYNTAX or PS_TEMPLATE_RENDER, naming `source`. */
  evaluate(text: string, variables: Variables, call: HandlebarsCall): unknown {
    let compiled = this.#cache.get(text);
    if (!compiled) {
      compiled = this.#compile(text, call.source);
      if (this.#cache.size >= CACHE_SIZE) this.#cache.clear();
      this.#cache.set(text, compiled);
    }
    try {
      return compiled(variables, call);
    } catch (error) {
      throw new AppError("PS_TEMPLATE_RENDER", `${call.source}: ${messageOf(error)} in template ${excerpt(text)}`, { cause: error });
    }
  }

  // Bound once per render: a render has one budget and one clock.
  #helpers(call: HandlebarsCall): Readonly<Record<string, Handlebars.HelperDelegate>> {
    let helpers = this.#bound.get(call.budget);
    if (!helpers) {
      helpers = { ...boundHelpers(call), each: this.#each(call.budget) };
      this.#bound.set(call.budget, helpers);
    }
    return helpers;
  }

  // The built-in loop, each turn of which is charged.
  #each(budget: Budget): Handlebars.HelperDelegate {
    const each = this.#handlebars.helpers["each"];
    return function charged(this: unknown, list: unknown, options: Handlebars.HelperOptions): unknown {
      const fn: Handlebars.TemplateDelegate = (item: unknown, runtime) => {
        budget.step(20);
        const text = options.fn(item, runtime);
        budget.chars(text.length);
        return text;
      };
      return each?.call(this, list, { ...options, fn }) as unknown;
    };
  }

  #compile(text: string, source: string): Compiled {
    if (text.length > MAX_TEMPLATE)
      throw new AppError("PS_TEMPLATE_SYNTAX", `${source}: a template of more than ${MAX_TEMPLATE} characters`);
    let program: hbs.AST.Program;
    try {
      program = this.#handlebars.parse(text);
    } catch (error) {
      throw new AppError("PS_TEMPLATE_SYNTAX", `${source}: ${messageOf(error)} in template ${excerpt(text)}`, { cause: error });
    }
    const expression = onlyExpression(program);
    const options = { noEscape: true, knownHelpersOnly: false, preventIndent: true };
    const template = this.#handlebars.compile(expression ? typed(program, expression) : program, options);
    return (variables, call) => {
      let value: unknown;
      const capture = (given: unknown): string => {
        value = given;
        return "";
      };
      const helpers = { ...this.#helpers(call), [TYPED]: capture };
      const text_ = template(variables, {
        helpers,
        allowProtoPropertiesByDefault: false,
        allowProtoMethodsByDefault: false,
      });
      return expression ? value : text_;
    };
  }
}

function boundHelpers({ scope, budget }: HandlebarsCall): Record<string, (...args: unknown[]) => unknown> {
  return Object.fromEntries(
    Object.entries(HELPERS).map(([name, helper]) => [
      name,
      // Handlebars passes its options object last; ours see plain arguments only.
      (...given: unknown[]) => {
        const args = given.slice(0, -1);
        budget.step();
        if (name === "replace") budget.chars(grown(args));
        const value = helper(args, scope);
        if (typeof value === "string") budget.chars(value.length);
        return value;
      },
    ]),
  );
}

// How long the result of `replace` gets, before it exists.
function grown([value, from, to]: readonly unknown[]): number {
  const text = String(value);
  return text.length + (text.split(String(from)).length - 1) * String(to).length;
}

/** The one mustache that a template consists of, if it does. */
function onlyExpression(program: hbs.AST.Program): hbs.AST.MustacheStatement | undefined {
  const [statement, second] = program.body;
  return second === undefined && statement?.type === "MustacheStatement" ? (statement as hbs.AST.MustacheStatement) : undefined;
}

// {{expr}} → {{__typed expr}}, {{helper a b}} → {{__typed (helper a b)}}: the capture sees the value before it becomes text.
function typed(program: hbs.AST.Program, mustache: hbs.AST.MustacheStatement): hbs.AST.Program {
  const isCall = mustache.params.length > 0 || isHelperName(mustache.path);
  const argument: hbs.AST.Expression = isCall ? { ...mustache, type: "SubExpression" } : mustache.path;
  const path = { type: "PathExpression", data: false, depth: 0, parts: [TYPED], original: TYPED, loc: mustache.loc };
  return { ...program, body: [{ ...mustache, path, params: [argument], hash: undefined } as unknown as hbs.AST.Statement] };
}

function isHelperName(path: hbs.AST.MustacheStatement["path"]): boolean {
  return path.type === "PathExpression" && Object.hasOwn(HELPERS, (path as hbs.AST.PathExpression).original);
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
