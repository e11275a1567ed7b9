// The templating contract: two styles, one set of results (spec resource-provider, templating).
// The engine walks a value; handlebars-style.ts evaluates one string.
import type { Clock } from "../runtime/clock.ts";
import { AppError } from "../runtime/errors.ts";
import { HandlebarsStyle } from "./handlebars-style.ts";
import { OMIT, truthy } from "./helpers.ts";

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

  constructor(options: TemplatingOptions) {
    this.#options = options;
  }

  render(value: unknown, options: RenderOptions): Rendered<unknown> {
    const run = this.#run(options);
    const rendered = this.#walk(value, run);
    return { value: rendered === OMIT ? undefined : rendered, readsClock: run.readsClock };
  }

  condition(expression: string, options: RenderOptions): Rendered<boolean> {
    const run = this.#run(options);
    const text = expression.includes("{{") ? expression : asMustache(expression);
    const value = this.#evaluate(text, run);
    const truth = typeof value === "string" ? /^(yes|true|t|y|1)$/iu.test(value.trim()) : truthy(value);
    return { value: truth, readsClock: run.readsClock };
  }

  #run(options: RenderOptions): Run {
    const style = options.style ?? this.#options.defaultStyle;
    if (style !== "handlebars") {
      throw new AppError("PS_TEMPLATE_STYLE", `${options.source}: template style ${style} is not available in this build, use handlebars`);
    }
    const run: Run = { source: options.source, variables: {}, readsClock: false, depth: 0 };
    run.variables = this.#variables(options, run);
    return run;
  }

  // Values of vars may be templates: rendered when read, each time, with all variables in reach.
  #variables(options: RenderOptions, run: Run): Record<string, unknown> {
    const variables: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(options.templateVariables ?? {})) {
      Object.defineProperty(variables, name, { enumerable: true, configurable: true, get: () => this.#nested(value, run) });
    }
    for (const [name, value] of Object.entries(options.variables)) {
      Object.defineProperty(variables, name, { enumerable: true, configurable: true, value });
    }
    return variables;
  }

  #nested(value: unknown, run: Run): unknown {
    if (run.depth >= MAX_DEPTH) throw new AppError("PS_TEMPLATE_DEPTH", `${run.source}: variables refer to each other more than ${MAX_DEPTH} deep`);
    run.depth += 1;
    try {
      return this.#walk(value, run);
    } finally {
      run.depth -= 1;
    }
  }

  #walk(value: unknown, run: Run): unknown {
    if (typeof value === "string") return value.includes("{{") ? this.#evaluate(value, run) : value;
    if (Array.isArray(value)) return value.map((item) => this.#walk(item, run)).filter((item) => item !== OMIT);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, member]): [unknown, unknown] => [this.#walk(key, run), this.#walk(member, run)])
        .filter(([key, member]) => key !== OMIT && member !== OMIT && member !== undefined),
    );
  }

  #evaluate(text: string, run: Run): unknown {
    const scope = {
      now: () => this.#options.clock.now(),
      onClock: () => {
        run.readsClock = true;
      },
    };
    return this.#handlebars.evaluate(text, run.variables, { source: run.source, scope });
  }
}

const MAX_DEPTH = 10;

interface Run {
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
