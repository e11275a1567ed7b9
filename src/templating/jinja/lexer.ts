// Cuts a Jinja2 source into text, `{{ }}` and `{% %}` tags with tokens (spec resource-provider 8.1). parse-*.ts read the result.
import { AppError } from "../../runtime/errors.ts";

export interface Token {
  readonly kind: "name" | "string" | "int" | "float" | "op" | "end";
  readonly text: string;
  readonly line: number;
}
export type Segment =
  | { readonly kind: "data"; readonly text: string; readonly line: number }
  | { readonly kind: "out" | "tag"; readonly tokens: readonly Token[]; readonly line: number };

export function syntaxError(message: string, line: number): AppError {
  return new AppError("PS_TEMPLATE_SYNTAX", `${message} (line ${line})`);
}

const BLANK = /[ \t\n]+/uy;
const TOKEN =
  /(?<float>\d[\d_]*(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))|(?<int>0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*)|(?<name>[\p{L}_][\p{L}\p{N}_]*)|(?<string>"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*')|(?<op>\*\*|\/\/|==|!=|<=|>=|[-+*/%~<>=()[\]{},.:|;])/uy;

const STRING_ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\n": "" };

function unescape(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(u[\da-fA-F]{4}|x[\da-fA-F]{2}|[^])/gu, (_, escape: string) => {
    if (escape.length > 1) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return STRING_ESCAPES[escape] ?? (/["'\\]/u.test(escape) ? escape : `\\${escape}`);
  });
}

class Lexer {
  readonly #source: string;
  readonly segments: Segment[] = [];
  #at = 0;
  #line = 1;
  #trimNext = false;

  constructor(source: string) {
    this.#source = source;
  }

  run(): readonly Segment[] {
    const open = /\{[{%#]/gu;
    for (;;) {
      open.lastIndex = this.#at;
      const found = open.exec(this.#source);
      if (!found) break;
      this.#data(found.index);
      if (found[0] === "{#") this.#comment();
      else this.#tag(found[0]);
    }
    this.#data(this.#source.length);
    return this.segments;
  }

  #advance(to: number): void {
    for (let at = this.#source.indexOf("\n", this.#at); at !== -1 && at < to; at = this.#source.indexOf("\n", at + 1)) this.#line += 1;
    this.#at = to;
  }

  #data(end: number): void {
    let text = this.#source.slice(this.#at, end);
    if (this.#trimNext) text = text.trimStart();
    if (this.#source[end + 2] === "-") text = text.trimEnd();
    this.#trimNext = false;
    if (text !== "") this.segments.push({ kind: "data", text, line: this.#line });
    this.#advance(end);
  }

  #comment(): void {
    const end = this.#source.indexOf("#}", this.#at);
    if (end === -1) throw syntaxError("Missing end of comment tag", this.#line);
    this.#trimNext = this.#source[end - 1] === "-";
    this.#advance(end + 2);
  }

  #tag(open: string): void {
    const line = this.#line;
    this.#at += 2;
    if (/[-+]/u.test(this.#source[this.#at] ?? "")) this.#at += 1;
    const tokens = this.#tokens(open === "{{" ? "}}" : "%}");
    if (open === "{%" && tokens[0]?.text === "raw") this.#raw(line);
    else this.segments.push({ kind: open === "{{" ? "out" : "tag", tokens, line });
  }

  #tokens(close: string): readonly Token[] {
    const tokens: Token[] = [];
    let depth = 0;
    for (;;) {
      BLANK.lastIndex = this.#at;
      if (BLANK.test(this.#source)) this.#advance(BLANK.lastIndex);
      if (depth === 0 && this.#closes(close)) break;
      const token = this.#token();
      if ("([{".includes(token.text) && token.kind === "op") depth += 1;
      if (")]}".includes(token.text) && token.kind === "op") depth -= 1;
      tokens.push(token);
    }
    return [...tokens, { kind: "end", text: "end of tag", line: this.#line }];
  }

  #closes(close: string): boolean {
    const minus = /[-+]/u.test(this.#source[this.#at] ?? "") && this.#source.startsWith(close, this.#at + 1);
    if (!minus && !this.#source.startsWith(close, this.#at)) return false;
    this.#trimNext = minus && this.#source[this.#at] === "-";
    this.#at += minus ? 3 : 2;
    return true;
  }

  #token(): Token {
    TOKEN.lastIndex = this.#at;
    const groups = TOKEN.exec(this.#source)?.groups;
    if (!groups) {
      const char = this.#source[this.#at];
      throw syntaxError(char === undefined ? "unexpected end of template" : `unexpected char ${JSON.stringify(char)}`, this.#line);
    }
    const line = this.#line;
    this.#advance(TOKEN.lastIndex);
    const kind = (["name", "string", "int", "float", "op"] as const).find((name) => groups[name] !== undefined) ?? "op";
    const text = groups[kind] ?? "";
    return { kind, text: kind === "string" ? unescape(text) : text, line };
  }

  #raw(line: number): void {
    const end = /\{%[-+]?[ \t\n]*endraw[ \t\n]*[-+]?%\}/gu;
    end.lastIndex = this.#at;
    const found = end.exec(this.#source);
    if (!found) throw syntaxError("Missing end of raw directive", line);
    const text = this.#source.slice(this.#at, found.index);
    this.segments.push({ kind: "data", text: this.#trimNext ? text.trimStart() : text, line });
    this.#advance(end.lastIndex);
    this.#trimNext = found[0].endsWith("-%}");
  }
}

/** The source with its newlines unified and one trailing newline removed, cut into segments. */
export function lex(source: string): readonly Segment[] {
  return new Lexer(source.replaceAll(/\r\n?/gu, "\n").replace(/\n$/u, "")).run();
}

/** The tokens of a bare expression (a condition). */
export function lexExpression(text: string): readonly Token[] {
  const [segment] = new Lexer(`{{(${text.replaceAll(/\r\n?/gu, "\n")})}}`).run();
  return segment && segment.kind !== "data" ? segment.tokens : [];
}
