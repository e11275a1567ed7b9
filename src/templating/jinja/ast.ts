// The syntax tree of a Jinja2 template: what parse-*.ts make and expressions.ts / statements.ts evaluate.

export interface CallArgs {
  readonly args: readonly Expr[];
  readonly kwargs: readonly (readonly [string, Expr])[];
}

export type Expr =
  | { readonly t: "lit"; readonly value: unknown }
  | { readonly t: "name"; readonly name: string }
  | { readonly t: "attr"; readonly obj: Expr; readonly name: string }
  | { readonly t: "item"; readonly obj: Expr; readonly key: Expr }
  | { readonly t: "slice"; readonly obj: Expr; readonly parts: readonly (Expr | undefined)[] }
  | ({ readonly t: "call"; readonly fn: Expr } & CallArgs)
  | ({ readonly t: "filter"; readonly obj: Expr; readonly name: string } & CallArgs)
  | ({ readonly t: "test"; readonly obj: Expr; readonly name: string; readonly negate: boolean } & CallArgs)
  | { readonly t: "bin"; readonly op: string; readonly left: Expr; readonly right: Expr }
  | { readonly t: "cmp"; readonly first: Expr; readonly rest: readonly (readonly [string, Expr])[] }
  | { readonly t: "logic"; readonly op: "and" | "or"; readonly left: Expr; readonly right: Expr }
  | { readonly t: "not"; readonly obj: Expr }
  | { readonly t: "sign"; readonly op: string; readonly obj: Expr }
  | { readonly t: "cond"; readonly test: Expr; readonly yes: Expr; readonly no: Expr | undefined; readonly line: number }
  | { readonly t: "list"; readonly items: readonly Expr[] }
  | { readonly t: "tuple"; readonly items: readonly Expr[] }
  | { readonly t: "dict"; readonly entries: readonly (readonly [Expr, Expr])[] };

export type Target = { readonly names: readonly string[]; readonly single: boolean; readonly attr?: string };

export type Stmt = { readonly line: number } & (
  | { readonly t: "data"; readonly text: string }
  | { readonly t: "out"; readonly expr: Expr }
  | { readonly t: "if"; readonly branches: readonly (readonly [Expr, readonly Stmt[]])[]; readonly otherwise: readonly Stmt[] }
  | {
      readonly t: "for";
      readonly target: Target;
      readonly iter: Expr;
      readonly filter: Expr | undefined;
      readonly body: readonly Stmt[];
      readonly otherwise: readonly Stmt[];
    }
  | { readonly t: "set"; readonly target: Target; readonly value: Expr }
  | { readonly t: "capture"; readonly name: string | undefined; readonly filter: Expr; readonly body: readonly Stmt[] }
  | {
      readonly t: "macro";
      readonly name: string;
      readonly params: readonly (readonly [string, Expr | undefined])[];
      readonly body: readonly Stmt[];
    }
  | { readonly t: "with"; readonly assigns: readonly (readonly [Target, Expr])[]; readonly body: readonly Stmt[] }
);
