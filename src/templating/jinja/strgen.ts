// Random text from a pattern: literals, classes with a length, alternatives (spec resource-provider 8.5, strgen).
import { randomInt } from "node:crypto";
import type { Budget } from "../budget.ts";
import { fail } from "./values.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGITS = "0123456789";
const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const CODES: Readonly<Record<string, string>> = {
  d: DIGITS,
  w: `${LOWER}${UPPER}${DIGITS}_`,
  l: LOWER + UPPER,
  c: LOWER,
  u: UPPER,
  U: UPPER,
  h: `${DIGITS}abcdefABCDEF`,
  o: "01234567",
  p: PUNCTUATION,
  s: " \t\n\r\v\f",
  W: ` \t\n\r\v\f${PUNCTUATION}`,
  r: `${LOWER}${UPPER}${DIGITS}${PUNCTUATION} \t\n\r\v\f`,
};

function pick(chars: string): string {
  if (chars === "") throw fail("strgen: empty character class");
  return chars[randomInt(chars.length)] ?? "";
}

function classChars(body: string): string {
  let chars = "";
  for (const [, code, from, to, plain] of body.matchAll(/\\(.)|(.)-(.)|(.)/gsu)) {
    if (code !== undefined) chars += Object.hasOwn(CODES, code) ? CODES[code] : code;
    else if (from !== undefined && to !== undefined) chars += range(from, to);
    else chars += plain ?? "";
  }
  return chars;
}

function range(from: string, to: string): string {
  const [start, end] = [from.charCodeAt(0), to.charCodeAt(0)];
  if (end < start) throw fail(`strgen: bad range ${from}-${to}`);
  return Array.from({ length: end - start + 1 }, (_, at) => String.fromCharCode(start + at)).join("");
}

const PART = /\[((?:\\.|[^\]\\])*)\](?:\{(\d+)(?:[:-](\d+))?\})?|\(([^()]*)\)|\\(.)|([^[\](){}&])/gsuy;

/** Generates one text. Charges its length before it is made. */
export function strgen(pattern: string, budget: Budget): string {
  const parts = pattern.split("&").map((part) => generate(part, budget));
  if (parts.length === 1) return parts.join("");
  const chars = Array.from(parts.join(""));
  for (let at = chars.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [chars[at], chars[other]] = [chars[other] ?? "", chars[at] ?? ""];
  }
  return chars.join("");
}

function generate(pattern: string, budget: Budget): string {
  let text = "";
  PART.lastIndex = 0;
  let at = 0;
  while (at < pattern.length) {
    PART.lastIndex = at;
    const match = PART.exec(pattern);
    if (!match) throw fail(`strgen: unexpected ${JSON.stringify(pattern[at])} in pattern`);
    at = PART.lastIndex;
    text += piece(match, budget);
  }
  return text;
}

function piece(match: RegExpExecArray, budget: Budget): string {
  const [, body, least, most, alternatives, escaped, literal] = match;
  if (literal !== undefined || escaped !== undefined) return literal ?? escaped ?? "";
  if (alternatives !== undefined) {
    const choices = alternatives.split("|");
    return generate(choices[randomInt(choices.length)] ?? "", budget);
  }
  const low = Number(least ?? 1);
  const high = Math.max(low, Number(most ?? low));
  budget.chars(high);
  budget.step(high);
  const chars = classChars(body ?? "");
  return Array.from({ length: low + randomInt(high - low + 1) }, () => pick(chars)).join("");
}
