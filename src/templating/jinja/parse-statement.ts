// Statements of Jinja2: text, output and the block tags that the spec lists (resource-provider 8.6); every other tag is an error.
// parse-expression.ts reads what is inside a tag, statements.ts runs the result.
import type { Expr, Stmt, Target } from "./ast.ts";
import { lex, lexExpression, syntaxError } from "./lexer.ts";
import type { Segment } from "./lexer.ts";
import { ExpressionParser } from "./parse-expression.ts";

const MAX_BLOCKS = 40;

/** Parses a template source. Throws AppError PS_TEMPLATE_SYNTAX with the line. */
export function parseTemplate(source: string): readonly Stmt[] {
  const parser = new StatementParser(lex(source));
  return parser.all();
}

/** Parses a bare expression: a condition. */
export function parseCondition(text: string): Expr {
  const parser = new ExpressionParser(lexExpression(text));
  const expr = parser.expression();
  parser.end();
  return expr;
}

class StatementParser {
  readonly #segments: readonly Segment[];
  #at = 0;
  #depth = 0;

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  all(): readonly Stmt[] {
    const { body, end } = this.#body([]);
    if (end) throw syntaxError(`unexpected tag '${end.token.text}'`, end.token.line);
    return body;
  }

  // Statements up to one of the closing tags; the parser that is returned stands on the closing tag's name.
  #body(closing: readonly string[]): { readonly body: readonly Stmt[]; readonly end?: ExpressionParser } {
    const body: Stmt[] = [];
    for (;;) {
      const segment = this.#segments[this.#at];
      if (!segment) {
        if (closing.length > 0) throw syntaxError(`unexpected end of template, expected '${closing.join("' or '")}'`, 1);
        return { body };
      }
      this.#at += 1;
      if (segment.kind === "data") body.push({ t: "data", text: segment.text, line: segment.line });
      else {
        const parser = new ExpressionParser(segment.tokens);
        if (segment.kind === "tag" && closing.includes(parser.token.text)) return { body, end: parser };
        body.push(segment.kind === "out" ? output(parser, segment.line) : this.#tag(parser, segment.line));
      }
    }
  }

  #block(close: string): readonly Stmt[] {
    this.#depth += 1;
    if (this.#depth > MAX_BLOCKS) throw syntaxError(`blocks nest more than ${MAX_BLOCKS} deep`, 1);
    const { body } = this.#body([close]);
    this.#depth -= 1;
    return body;
  }

  #tag(parser: ExpressionParser, line: number): Stmt {
    const tag = parser.name();
    if (tag === "if") return this.#if(parser, line);
    if (tag === "for") return this.#for(parser, line);
    if (tag === "set") return this.#set(parser, line);
    if (tag === "macro") return this.#macro(parser, line);
    if (tag === "with") return this.#with(parser, line);
    if (tag === "filter") {
      let filter = parser.filterName({ t: "name", name: BODY });
      while (parser.is("|")) filter = parser.filter(filter);
      return { t: "capture", name: undefined, filter, body: this.#block("endfilter"), line };
    }
    throw syntaxError(`Encountered unknown tag '${tag}'.`, line);
  }

  #if(first: ExpressionParser, line: number): Stmt {
    const branches: [Expr, readonly Stmt[]][] = [];
    let parser = first;
    for (;;) {
      const test = parser.tuple();
      parser.end();
      const { body, end } = this.#nested(["elif", "else", "endif"]);
      branches.push([test, body]);
      const close = end.name();
      if (close === "endif") return { t: "if", branches, otherwise: [], line };
      if (close === "else") return { t: "if", branches, otherwise: this.#block("endif"), line };
      parser = end;
    }
  }

  #nested(closing: readonly string[]): { readonly body: readonly Stmt[]; readonly end: ExpressionParser } {
    this.#depth += 1;
    if (this.#depth > MAX_BLOCKS) throw syntaxError(`blocks nest more than ${MAX_BLOCKS} deep`, 1);
    const { body, end } = this.#body(closing);
    this.#depth -= 1;
    if (!end) throw syntaxError("unexpected end of template", 1);
    return { body, end };
  }

  #for(parser: ExpressionParser, line: number): Stmt {
    const target = targetOf(parser);
    parser.expect("in", "name");
    const iter = parser.withoutCondition();
    const filter = parser.skip("if", "name") ? parser.expression() : undefined;
    parser.end();
    const { body, end } = this.#nested(["else", "endfor"]);
    const otherwise = end.is("else", "name") ? this.#block("endfor") : [];
    return { t: "for", target, iter, filter, body, otherwise, line };
  }

  #set(parser: ExpressionParser, line: number): Stmt {
    const target = targetOf(parser);
    if (parser.skip("=")) {
      const value = parser.tuple();
      parser.end();
      return { t: "set", target, value, line };
    }
    let filter: Expr = { t: "name", name: BODY };
    while (parser.is("|")) filter = parser.filter(filter);
    parser.end();
    return { t: "capture", name: target.names[0], filter, body: this.#block("endset"), line };
  }

  #macro(parser: ExpressionParser, line: number): Stmt {
    const name = parser.name();
    const params: [string, Expr | undefined][] = [];
    parser.expect("(");
    while (!parser.skip(")")) {
      params.push([parser.name(), parser.skip("=") ? parser.expression() : undefined]);
      if (!parser.is(")")) parser.expect(",");
    }
    parser.end();
    return { t: "macro", name, params, body: this.#block("endmacro"), line };
  }

  #with(parser: ExpressionParser, line: number): Stmt {
    const assigns: [Target, Expr][] = [];
    while (parser.token.kind !== "end") {
      const name = parser.name();
      parser.expect("=");
      assigns.push([{ names: [name], single: true }, parser.expression()]);
      if (!parser.skip(",")) break;
    }
    parser.end();
    return { t: "with", assigns, body: this.#block("endwith"), line };
  }
}

/** The name under which a captured block reaches its filters; no template can write it. */
export const BODY = " body";

function output(parser: ExpressionParser, line: number): Stmt {
  const expr = parser.tuple();
  parser.end();
  return { t: "out", expr, line };
}

function targetOf(parser: ExpressionParser): Target {
  const paren = parser.skip("(");
  const names = [parser.name()];
  if (parser.skip(".")) return { names, single: true, attr: parser.name() };
  let single = true;
  while (parser.skip(",")) {
    single = false;
    if (parser.token.kind === "name") names.push(parser.name());
  }
  if (paren) parser.expect(")");
  return { names, single };
}
