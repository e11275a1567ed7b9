// The templating contract: two styles, one set of results (spec resource-provider, templating).

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
