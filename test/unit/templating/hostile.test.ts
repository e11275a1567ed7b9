import assert from "node:assert/strict";
import { test } from "node:test";
import { createTemplating } from "../../../src/templating/engine.ts";
import type { TemplateStyle } from "../../../src/templating/engine.ts";

const clock = { now: () => Date.UTC(2031, 2, 4, 5, 6, 7), monotonic: () => performance.now() };
const templating = createTemplating({ defaultStyle: "jinja2", clock });
const LIMIT_MS = 250;

function attempt(source: string, style: TemplateStyle): unknown {
  return templating.render(source, { style, variables: { x: {}, l: [1, 2], t: "a" }, source: "hostile" }).value;
}

function timed(body: () => void): void {
  const start = performance.now();
  body();
  const took = performance.now() - start;
  assert.ok(took < LIMIT_MS, `took ${Math.round(took)} ms`);
}

const loops = (depth: number, body: string): string => "{% for i in range(999) %}".repeat(depth) + body + "{% endfor %}".repeat(depth);

const REFUSED: readonly string[] = [
  loops(3, "x"),
  loops(4, ""),
  loops(2, "{{ 'abc' * 100 }}"),
  "{{ range(10000000) | list }}",
  "{{ range(0, 10, 0) | list }}",
  "{{ 'a' * 1000000000 }}",
  "{{ [1] * 1000000000 }}",
  "{{ 9 ** (9 ** 9) }}",
  "{{ 2 ** 100000 }}",
  "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
  "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
  "{% set ns = namespace(a=[1]) %}{% for i in range(99) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
  "{% set ns = namespace(a=[1]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a | to_json }}",
  "{% set ns = namespace(a=[1]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a == ns.a + [] or ns.a[0] == [ns.a[1][0], ns.a[1][1]] }}{{ ns.a }}",
  "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s | length }}",
  "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
  "{% set ns = namespace(s='aa') %}{% for i in range(99) %}{% set ns.s = ns.s | replace('a', 'aa') %}{% endfor %}",
  "{% set ns = namespace(s='aa') %}{% for i in range(99) %}{% set ns.s = ns.s.replace('a', 'aaaa') %}{% endfor %}",
  "{% set q = [] %}{{ q.append(q) }}{{ q }}",
  "{% set q = [] %}{{ q.append(q) }}{{ q | to_json }}",
  "{{ '%1000000000d' % 1 }}",
  "{{ 'a'.zfill(1000000000) }}",
  "{{ 'a'.ljust(1000000000) }}",
  "{{ 'a' | center(1000000000) }}",
  "{{ 'a' | indent(1000000000, true) }}",
  "{{ '[a]{1000000000}' | strgen }}",
  "{{ '{:1000000000}'.format(1) }}",
  "{{ range(9999) | map('string') | map('center', 9999) | join }}",
  `${"{{ (".repeat(1)}${"(".repeat(5000)}1${")".repeat(5000)}) }}`,
  `{{ ${"-".repeat(5000)}1 }}`,
  `{{ ${"[".repeat(5000)}${"]".repeat(5000)} }}`,
  `{{ ${"not ".repeat(10)}u.v() }}`,
  "{% if x %}".repeat(500),
  `{{ "${"a".repeat(70_000)}" }}`,
  "{{ x.constructor }}",
  "{{ x.__proto__ }}",
  "{{ x['constructor'] }}",
  "{{ t.constructor('return 1')() }}",
  "{{ x.__class__.__mro__ }}",
  "{{ ''.__class__.__base__.__subclasses__() }}",
  "{{ l.constructor.constructor('return process')() }}",
  "{{ range.constructor }}",
  "{{ datetime.__proto__ }}",
  "{{ process.env }}",
  "{{ require('fs') }}",
  "{{ globalThis }}",
  "{{ this.x }}",
  "{{ x.toString() }}",
  "{{ x.hasOwnProperty('a') }}",
  "{{ x | attr('__proto__') }}",
  "{{ [x] | map(attribute='constructor') | first }}",
  "{{ x | constructor }}",
  "{{ x | toString }}",
  "{{ x is constructor }}",
  "{% import 'os' as os %}",
  "{% extends '/etc/passwd' %}",
  "{{ dict.constructor.constructor }}",
  "{{ namespace(a=1).constructor }}",
  "{{ lipsum.__globals__ }}",
];
for (const source of REFUSED) {
  test(`jinja2 refuses ${source.slice(0, 70)}`, () => {
    timed(() => assert.throws(() => attempt(source, "jinja2"), /^AppError: hostile: .+ in template|^AppError: hostile: .+ of template/su));
  });
}

test("a regular expression cannot be reached with a text that makes it backtrack", () => {
  const text = "a ".repeat(20_000);
  timed(() =>
    assert.doesNotThrow(() => attempt(`{{ '${text}' | trim | title | wordcount }}{{ '${"<".repeat(20_000)}' | striptags }}`, "jinja2")),
  );
});

const many = Array.from({ length: 300 }, (_, at) => at);
const HANDLEBARS: readonly string[] = [
  "{{#each many}}{{#each ../many}}{{#each ../../many}}x{{/each}}{{/each}}{{/each}}",
  "{{#each many}}{{#each ../many}}{{#each ../../many}}{{/each}}{{/each}}{{/each}}",
  `${"{{replace ".repeat(1)}${"(replace ".repeat(40)}"aa"${' "a" "aaaa")'.repeat(40)} "a" "b"}}`,
  '{{#*inline "p"}}{{> p}}{{> p}}{{/inline}}{{> p}}',
  `{{${"(".repeat(3000)}x${")".repeat(3000)}}}`,
  `{{x ${"a".repeat(70_000)}}}`,
  "{{> file}}",
  "{{#unknown 1}}{{/unknown}}",
];
for (const source of HANDLEBARS) {
  test(`handlebars refuses ${source.slice(0, 70)}`, () => {
    timed(() => {
      assert.throws(() => templating.render(source, { style: "handlebars", variables: { many }, source: "hostile" }), /hostile: /u);
    });
  });
}
