// The templating contract: two styles, one set of results (spec resource-provider, templating).
// The engine walks a value; handlebars-style.ts and jinja2-style.ts evaluate one string.
import type { Clock } from "../runtime/clock.ts";
import { AppError } from "../runtime/errors.ts";
import { Budget } from "./budget.ts";
import { HandlebarsStyle } from "./handlebars-style.ts";
import { OMIT, truthy } from "./helpers.ts";
import type { HelperScope } from "./helpers.ts";
import { Jinja2Style } from "./jinja2-style.ts";
import type { JinjaCall } from "./jinja2-style.ts";

export type TemplateStyle = "handlebars" | "jinja2";

export interface RenderOptions {
  readonly style?: TemplateStyle | undefined;
  /** Plain variables, e.g. resource_claim, resource_handle. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Variables whose string values are templates themselves (provider vars, handle vars): rendered when used. */
  readonly templateVariables?: Readonly<Record<string, unknown>> | undefined;
  /** For messages: `ResourceProvider x spec.template.definition`. */
  readonly source: string;
}

export interface Rendered<T> {
  readonly value: T;
  /** True when a template read the clock: the pass must run again by time (design.md part 5). */
  readonly readsClock: boolean;
}

export interface Templating {
  /** Walks a JSON value, renders every string, restores types, honours `omit`. Throws AppError PS_TEMPLATE_*. */
  render(value: unknown, options: RenderOptions): Rendered<unknown>;
  /** A `when`/`check` expression as a boolean (spec resource-claim 3.4). */
  condition(expression: string, options: RenderOptions): Rendered<boolean>;
}

export interface TemplatingOptions {
  readonly defaultStyle: TemplateStyle;
  readonly clock: Clock;
}

/** Stateless apart from the compile cache; one per process. */
export function createTemplating(options: TemplatingOptions): Templating {
  return new Engine(options);
}

class Engine implements Templating {
  readonly #options: TemplatingOptions;
  readonly #handlebars = new HandlebarsStyle();
  readonly #jinja2 = new Jinja2Style();

  constructor(options: TemplatingOptions) {
    this.#options = options;
  }

  render(value: unknown, options: RenderOptions): Rendered<unknown> {
    const run = this.#run(options);
    const rendered = this.#walk(value, run);
    return { value: rendered === OMIT ? (run.style === "jinja2" ? null : undefined) : rendered, readsClock: run.readsClock };
  }

  condition(expression: string, options: RenderOptions): Rendered<boolean> {
    const run = this.#run(options);
    if (run.style === "jinja2") return { value: this.#jinja2.condition(expression, this.#call(run)), readsClock: run.readsClock };
    const text = expression.includes("{{") ? expression : asMustache(expression);
    const value = this.#evaluate(text, run);
    const truth = typeof value === "string" ? /^(yes|true|t|y|1)$/iu.test(value.trim()) : truthy(value);
    return { value: truth, readsClock: run.readsClock };
  }

  #run(options: RenderOptions): Run {
    const run: Run = {
      style: options.style ?? this.#options.defaultStyle,
      source: options.source,
      variables: {},
      readsClock: false,
      depth: 0,
      vars: new Set(Object.keys(options.templateVariables ?? {})),
      budget: new Budget(() => this.#options.clock.monotonic()),
    };
    run.variables = this.#variables(options, run);
    return run;
  }

  // Values of vars may be templates: rendered when read, each time, with all variables in reach.
  #variables(options: RenderOptions, run: Run): Record<string, unknown> {
    const variables: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(options.templateVariables ?? {})) {
      Object.defineProperty(variables, name, { enumerable: true, configurable: true, get: () => this.#variable(value, run) });
    }
    for (const [name, value] of Object.entries(options.variables)) {
      // Spec resource-provider 8.8: in the compatibility style vars hide context variables of their name.
      if (run.style === "jinja2" && run.vars.has(name)) continue;
      Object.defineProperty(variables, name, { enumerable: true, configurable: true, value });
    }
    return variables;
  }

  // Only text is a template in the compatibility style; strings inside a list or mapping are not (spec 8.8).
  #variable(value: unknown, run: Run): unknown {
    if (run.style !== "jinja2") return this.#nested(value, run);
    return typeof value === "string" && /\{[{%]/u.test(value) ? this.#nested(value, run) : value;
  }

  #nested(value: unknown, run: Run): unknown {
    const limit = run.style === "jinja2" ? MAX_JINJA2_DEPTH : MAX_DEPTH;
    if (run.depth >= limit) throw new AppError("PS_TEMPLATE_DEPTH", `${run.source}: variables refer to each other more than ${limit} deep`);
    run.depth += 1;
    try {
      return this.#walk(value, run);
    } finally {
      run.depth -= 1;
    }
  }

  #walk(value: unknown, run: Run): unknown {
    if (run.style === "jinja2") return this.#walkJinja2(value, run);
    if (typeof value === "string") return value.includes("{{") ? this.#evaluate(value, run) : value;
    if (Array.isArray(value)) return value.map((item) => this.#walk(item, run)).filter((item) => item !== OMIT);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, member]): [unknown, unknown] => [this.#walk(key, run), this.#walk(member, run)])
        .filter(([key, member]) => key !== OMIT && member !== OMIT && member !== undefined),
    );
  }

  // Keys are never rendered here; typed values are walked for `omit` (spec 8.9).
  #walkJinja2(value: unknown, run: Run): unknown {
    run.budget.step();
    if (typeof value === "string") return withoutOmitted(this.#jinja2.evaluate(value, this.#call(run)));
    if (Array.isArray(value)) return value.map((item) => this.#walkJinja2(item, run)).filter((item) => item !== OMIT);
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value).map(([key, member]): [string, unknown] => [key, this.#walkJinja2(member, run)]);
    return Object.fromEntries(members.filter(([, member]) => member !== OMIT));
  }

  #evaluate(text: string, run: Run): unknown {
    return this.#handlebars.evaluate(text, run.variables, { source: run.source, scope: this.#scope(run), budget: run.budget });
  }

  #call(run: Run): JinjaCall {
    return { source: run.source, scope: this.#scope(run), budget: run.budget, variables: run.variables, vars: run.vars };
  }

  #scope(run: Run): HelperScope {
    return {
      now: () => this.#options.clock.now(),
      onClock: () => {
        run.readsClock = true;
      },
    };
  }
}

const MAX_DEPTH = 10;
// Spec resource-provider 8.8: a chain of 101 works.
const MAX_JINJA2_DEPTH = 101;

function withoutOmitted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.filter((item) => item !== OMIT).map(withoutOmitted);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== OMIT)
      .map(([key, member]) => [key, withoutOmitted(member)]),
  );
}

interface Run {
  readonly style: TemplateStyle;
  readonly vars: ReadonlySet<string>;
  readonly budget: Budget;
  readonly source: string;
  variables: Record<string, unknown>;
  readsClock: boolean;
  depth: number;
}

// A condition is a sub-expression: `ready`, `eq status.phase "ready"`.
function asMustache(expression: string): string {
  const text = expression.trim();
  return text.startsWith("(") ? `{{and ${text}}}` : `{{${text}}}`;
}
