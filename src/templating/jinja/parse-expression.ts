// Expressions of Jinja2 by recursive descent, with its precedences: filters bind tighter than every binary operator, the inline if
// lowest (spec resource-provider 8.6). parse-statement.ts calls it per tag.
import type { CallArgs, Expr } from "./ast.ts";
import { syntaxError } from "./lexer.ts";
import type { Token } from "./lexer.ts";
import { Float, integer } from "./values.ts";

const MAX_NESTING = 60;
const LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null],
]);
const BINARY: readonly (readonly string[])[] = [["~"], ["+", "-"], ["*", "/", "//", "%"]];
const COMPARE = new Set(["==", "!=", "<", "<=", ">", ">="]);

export class ExpressionParser {
  protected readonly tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  get token(): Token {
    return this.tokens[this.#at] ?? { kind: "end", text: "end of tag", line: 0 };
  }
  next(): Token {
    const { token } = this;
    this.#at += 1;
    return token;
  }
  is(text: string, kind: Token["kind"] = "op"): boolean {
    return this.token.kind === kind && this.token.text === text;
  }
  skip(text: string, kind: Token["kind"] = "op"): boolean {
    const found = this.is(text, kind);
    if (found) this.#at += 1;
    return found;
  }
  expect(text: string, kind: Token["kind"] = "op"): void {
    if (!this.skip(text, kind)) throw syntaxError(`expected '${text}', got '${this.token.text}'`, this.token.line);
  }
  name(): string {
    if (this.token.kind !== "name") throw syntaxError(`expected a name, got '${this.token.text}'`, this.token.line);
    return this.next().text;
  }
  end(): void {
    if (this.token.kind !== "end") throw syntaxError(`unexpected '${this.token.text}'`, this.token.line);
  }

  /** An expression, or a tuple without parentheses. */
  tuple(): Expr {
    const first = this.expression();
    if (!this.is(",")) return first;
    const items = [first];
    while (this.skip(",") && this.token.kind !== "end" && !this.is(")")) items.push(this.expression());
    return { t: "tuple", items };
  }

  expression(): Expr {
    this.#depth += 1;
    if (this.#depth > MAX_NESTING) throw syntaxError(`expressions nest more than ${MAX_NESTING} deep`, this.token.line);
    let value = this.#or();
    while (this.is("if", "name")) {
      const { line } = this.next();
      const test = this.#or();
      value = { t: "cond", test, yes: value, no: this.skip("else", "name") ? this.expression() : undefined, line };
    }
    this.#depth -= 1;
    return value;
  }

  /** An expression that stops before `if`: the iterable of a for tag. */
  withoutCondition(): Expr {
    return this.#or();
  }

  #or(): Expr {
    let left = this.#and();
    while (this.skip("or", "name")) left = { t: "logic", op: "or", left, right: this.#and() };
    return left;
  }

  #and(): Expr {
    let left = this.#not();
    while (this.skip("and", "name")) left = { t: "logic", op: "and", left, right: this.#not() };
    return left;
  }

  #not(): Expr {
    if (!this.is("not", "name")) return this.#compare();
    let count = 0;
    while (this.skip("not", "name")) count += 1;
    const obj = this.#compare();
    const once: Expr = { t: "not", obj };
    return count % 2 === 1 ? once : { t: "not", obj: once };
  }

  #compare(): Expr {
    const first = this.#binary(0);
    const rest: [string, Expr][] = [];
    for (let op = this.#compareOp(); op !== undefined; op = this.#compareOp()) rest.push([op, this.#binary(0)]);
    return rest.length === 0 ? first : { t: "cmp", first, rest };
  }

  #compareOp(): string | undefined {
    if (this.token.kind === "op" && COMPARE.has(this.token.text)) return this.next().text;
    if (this.skip("in", "name")) return "in";
    const after = this.tokens[this.#at + 1];
    if (!this.is("not", "name") || after?.text !== "in") return undefined;
    this.#at += 2;
    return "not in";
  }

  // Jinja2: `+ -` bind looser than `~`, which binds looser than `* / // %`.
  #binary(level: number): Expr {
    const operators = [BINARY[1], BINARY[0], BINARY[2]][level];
    if (!operators) return this.#power();
    let left = this.#binary(level + 1);
    while (this.token.kind === "op" && operators.includes(this.token.text)) {
      left = { t: "bin", op: this.next().text, left, right: this.#binary(level + 1) };
    }
    return left;
  }

  #unary(filters = true): Expr {
    const value = this.is("-") || this.is("+") ? this.#sign() : this.#postfix(this.#primary());
    return filters ? this.#filters(value) : value;
  }

  #sign(): Expr {
    this.#depth += 1;
    if (this.#depth > MAX_NESTING) throw syntaxError("too many signs", this.token.line);
    const op = this.next().text;
    const value: Expr = { t: "sign", op, obj: this.#unary(false) };
    this.#depth -= 1;
    return value;
  }

  #power(): Expr {
    let left = this.#unary();
    while (this.skip("**")) left = { t: "bin", op: "**", left, right: this.#unary() };
    return left;
  }

  #filters(start: Expr): Expr {
    let value = start;
    for (;;) {
      if (this.is("|")) value = this.filter(value);
      else if (this.is("is", "name")) value = this.#test(value);
      else if (this.is("(")) value = { t: "call", fn: value, ...this.#args() };
      else return value;
    }
  }

  /** `| name(args)`, at the bar. */
  filter(obj: Expr): Expr {
    this.expect("|");
    return this.filterName(obj);
  }

  filterName(obj: Expr): Expr {
    let name = this.name();
    while (this.skip(".")) name += `.${this.name()}`;
    const args = this.is("(") ? this.#args() : { args: [], kwargs: [] };
    return { t: "filter", obj, name, ...args };
  }

  #test(obj: Expr): Expr {
    this.expect("is", "name");
    const negate = this.skip("not", "name");
    const name = this.token.kind === "op" ? this.next().text : this.name();
    if (this.is("(")) return { t: "test", obj, name, negate, ...this.#args() };
    const args = this.#startsArgument() ? [this.#postfix(this.#primary())] : [];
    return { t: "test", obj, name, negate, args, kwargs: [] };
  }

  #startsArgument(): boolean {
    const { kind, text } = this.token;
    if (kind === "op") return text === "[" || text === "{";
    return kind !== "end" && !(kind === "name" && ["else", "or", "and", "if", "is", "in", "not"].includes(text));
  }

  #postfix(start: Expr): Expr {
    let value = start;
    for (;;) {
      if (this.skip(".")) value = this.#attribute(value);
      else if (this.skip("[")) value = this.#subscript(value);
      else if (this.is("(")) value = { t: "call", fn: value, ...this.#args() };
      else return value;
    }
  }

  #attribute(obj: Expr): Expr {
    if (this.token.kind === "int") return { t: "item", obj, key: { t: "lit", value: Number(this.next().text) } };
    return { t: "attr", obj, name: this.name() };
  }

  #subscript(obj: Expr): Expr {
    const parts: (Expr | undefined)[] = [this.is(":") ? undefined : this.tuple()];
    while (this.skip(":")) parts.push(this.is(":") || this.is("]") ? undefined : this.expression());
    this.expect("]");
    const [key] = parts;
    return parts.length === 1 && key ? { t: "item", obj, key } : { t: "slice", obj, parts };
  }

  #args(): CallArgs {
    const args: Expr[] = [];
    const kwargs: [string, Expr][] = [];
    this.expect("(");
    while (!this.is(")")) {
      const after = this.tokens[this.#at + 1];
      if (this.token.kind === "name" && after?.kind === "op" && after.text === "=") {
        const name = this.name();
        this.expect("=");
        kwargs.push([name, this.expression()]);
      } else args.push(this.expression());
      if (!this.is(")")) this.expect(",");
    }
    this.expect(")");
    return { args, kwargs };
  }

  #primary(): Expr {
    const token = this.next();
    if (token.kind === "string") return { t: "lit", value: this.#strings(token.text) };
    if (token.kind === "int") return { t: "lit", value: integer(BigInt(decimal(token.text))) };
    if (token.kind === "float") return { t: "lit", value: new Float(Number(token.text.replaceAll("_", ""))) };
    if (token.kind === "name") {
      return LITERALS.has(token.text) ? { t: "lit", value: LITERALS.get(token.text) } : { t: "name", name: token.text };
    }
    if (token.kind === "op") return this.#bracket(token);
    throw syntaxError(`unexpected '${token.text}'`, token.line);
  }

  #strings(first: string): string {
    let text = first;
    while (this.token.kind === "string") text += this.next().text;
    return text;
  }

  #bracket(token: Token): Expr {
    if (token.text === "(") {
      if (this.skip(")")) return { t: "tuple", items: [] };
      const value = this.tuple();
      this.expect(")");
      return value;
    }
    if (token.text === "[") return { t: "list", items: this.#list("]") };
    if (token.text === "{") return this.#dict();
    throw syntaxError(`unexpected '${token.text}'`, token.line);
  }

  #list(close: string): readonly Expr[] {
    const items: Expr[] = [];
    while (!this.is(close)) {
      items.push(this.expression());
      if (!this.is(close)) this.expect(",");
    }
    this.expect(close);
    return items;
  }

  #dict(): Expr {
    const entries: [Expr, Expr][] = [];
    while (!this.is("}")) {
      const key = this.expression();
      this.expect(":");
      entries.push([key, this.expression()]);
      if (!this.is("}")) this.expect(",");
    }
    this.expect("}");
    return { t: "dict", entries };
  }
}

// A leading zero is plain decimal here; a number too long to matter is cut off before BigInt sees it.
function decimal(text: string): string {
  const digits = text.replaceAll("_", "");
  return digits.length > 1000 ? digits.slice(0, 1000) : digits;
}
