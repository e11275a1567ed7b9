import assert from "node:assert/strict";
import { test } from "node:test";
import { createTemplating } from "../../../src/templating/engine.ts";

const clock = { now: () => Date.UTC(2031, 2, 4, 5, 6, 7), monotonic: () => performance.now() };
const templating = createTemplating({ defaultStyle: "jinja2", clock });
const DATA = {
  x: 4,
  n: null,
  flag: true,
  text: "hello",
  list: [3, "a", null],
  map: { k: 1, b: true, items: 5 },
  f: 2.5,
  guid: "guid-abc12",
  people: [
    { name: "Bo", age: 3 },
    { name: "al", age: 1 },
  ],
  omap: { "a/b": "c" },
};

function render(value: unknown, templateVariables: Record<string, unknown> = {}): unknown {
  return templating.render(value, { variables: DATA, templateVariables, source: "Provider p" }).value;
}

// Source and result, from the tables of spec resource-provider 8.2 to 8.9.
const CASES: readonly (readonly [string, unknown])[] = [
  ["hello\n", "hello"],
  ["a\n\n", "a\n"],
  ["{{ 20 + 3 }}", "23"],
  ["{{ (20 + 3) | int }}", 23],
  ["{{ x|int}}", 4],
  [" {{ x | int }}", " 4"],
  ["{{ x | int }}\n", 4],
  ["{{ x | int -}}", "4"],
  ["{{ x | int() }}", "4"],
  ["{{ 'big' if x > 9 else x | int }}", 4],
  ["{{ [1, 2] | list }}", [1, 2]],
  ["{{ ['a'] | list }}", "['a']"],
  ["{{ [true] | list }}", "[True]"],
  ["{{ ['a'] | object }}", ["a"]],
  ["{{ none | object }}", null],
  ["{{ none }}", "None"],
  ["{{ {'a': {'b': 1}} | object }}", { a: { b: 1 } }],
  ["{{ map }}", "{'k': 1, 'b': True, 'items': 5}"],
  ["{{ list }}", "[3, 'a', None]"],
  ["{{ flag }}", "True"],
  ["{{ 4/2 }}", "2.0"],
  ["{{ 7 // 2 }}{{ -7 // 2 }}{{ -7 % 3 }}", "3-42"],
  ["{{ 2 ** 70 }}", "1180591620717411303424"],
  ["{{ 1 ~ true ~ none }}", "1TrueNone"],
  ["{{ '' or 'x' }}", "x"],
  ["{{ 1 < x < 5 }}", "True"],
  ["{{ x in (4, 5) }}", "True"],
  ["{{ 'k' not in map }}", "False"],
  ["{{ text[1:] }}{{ text[-2:] }}{{ text[::-1] }}", "elloloolleh"],
  ["{{ guid[-5:] }}", "abc12"],
  ["{{ (1, 2) }}{{ (1,) }}", "(1, 2)(1,)"],
  ["{{ map['items'] }}", "5"],
  ["{{ map.get('z', 9) }}{{ map.get('z') }}", "9None"],
  ["{{ omap['a/b'] }}", "c"],
  ["{{ list.0 }}", "3"],
  ["{{ 'n=%03d %s' % (x, text) }}", "n=004 hello"],
  ["{{ '{} {a}'.format(1, a=2) }}", "1 2"],
  ["{{ 2.5 | round }}", "2.0"],
  ["{{ '3.7' | int }}{{ 'z' | int(8) }}", "38"],
  ["{{ u is defined }}{{ u.a.b is defined }}", "FalseFalse"],
  ["{{ u | default(3) | int > 2 }}", "True"],
  ["{{ n | default('d') }}", "None"],
  ["{{ u | length }}{{ u | list }}", "0[]"],
  ["{{ [u] }}", "[Undefined]"],
  ["{{ u == 1 }}{{ u != 1 }}", "FalseTrue"],
  ["{% for p in people %}{{ loop.index }}{{ p.name }}{% if not loop.last %},{% endif %}{% else %}none{% endfor %}", "1Bo,2al"],
  ["{% for p in [] %}x{% else %}none{% endfor %}", "none"],
  ["{% set ns = namespace(t=0) %}{% for p in people %}{% set ns.t = ns.t + p.age %}{% endfor %}{{ ns.t }}", "4"],
  ["{% macro hi(n, m='!') %}hi {{ n }}{{ m }}{% endmacro %}{{ hi('a') }}{{ hi('b', m='?') }}", "hi a!hi b?"],
  ["{% raw %}{{ x }}{% endraw %}", "{{ x }}"],
  ["{% set b %}q{{ x }}{% endset %}{{ b | upper }}", "Q4"],
  ["{% filter upper %}a{{ x }}{% endfilter %}", "A4"],
  ["{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}", "3"],
  ["a  {{- x -}}  b", "a4b"],
  ["{# no #}y", "y"],
  ["{{ people | map(attribute='name') | join('-') }}", "Bo-al"],
  ["{{ people | sort(attribute='name') | map(attribute='age') | list }}", [1, 3]],
  ["{{ people | selectattr('age', 'gt', 2) | map(attribute='name') | first }}", "Bo"],
  ["{{ people | sum(attribute='age') }}", "4"],
  ["{{ [1, 2] | map('string') | join }}", "12"],
  ["{{ [{'a': 1}, {'b': 2}] | merge_list_of_dicts | object }}", { a: 1, b: 2 }],
  ["{{ {'b': 1, 'a': '<'} | tojson }}", '{"a": "\\u003c", "b": 1}'],
  ["{{ {'é': 1} | to_json }}", '{"\\u00e9": 1}'],
  ["{{ '1d12h' | parse_time_interval }}", "1 day, 12:00:00"],
  ["{{ timedelta(hours=3) }}{{ timedelta(hours=-1) }}", "3:00:00-1 day, 23:00:00"],
  ["{{ timestamp }}", "2031-03-04T05:06:07Z"],
  ["{{ timestamp.add('1d') }}", "2031-03-05T05:06:07Z"],
  ["{{ timestamp.utcnow.add('1h') }}", "2031-03-04T06:06:07Z"],
  ["{{ timestamp('2031-01-01T00:00:00Z') < timestamp }}", "True"],
  ["{{ now(true, '%F %H') }}", "2031-03-04 05"],
  ["{{ datetime(2031, 1, 2, 3, 4, 5) }}", "2031-01-02 03:04:05"],
  ["{{ ('2031-01-02T00:00:00Z' | to_datetime('%Y-%m-%dT%H:%M:%S%z') - now(true)) < ('10d' | parse_time_interval) }}", "True"],
  ["{{ timedelta(days=1).total_seconds() }}", "86400.0"],
  ["{{ 'on' | bool }}", false],
  ["{{ 'Yes' | bool }}", true],
  ["{{ range(3) | list }}", [0, 1, 2]],
  ["{{ text.startswith('he') }}{{ '7'.zfill(3) }}", "True007"],
  ["{{ 0.1 + 0.2 }}{{ 1e20 }}{{ 1e-7 }}", "0.300000000000000041e+201e-07"],
  ["{{ 'it\\'s' }}{{ ['it\\'s'] }}", "it's[\"it's\"]"],
];
for (const [source, expected] of CASES) {
  test(`${JSON.stringify(source)} gives ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(render(source), expected);
  });
}

const FAILURES: readonly (readonly [string, RegExp])[] = [
  ["{{ u }}", /Provider p: 'u' is undefined at line 1 of template "\{\{ u \}\}"/u],
  ["{{ map.zz }}", /'dict object' has no attribute 'zz'/u],
  ["{{ list[5] }}", /list object has no element 5/u],
  ["{{ n.k }}", /'None' has no attribute 'k'/u],
  ["{{ u > 1 }}", /'u' is undefined/u],
  ["{{ 'x' if false }}", /the inline if-expression on line 1/u],
  ["{{ x | combine }}", /No filter named 'combine'\./u],
  ["{{ x is match('a') }}", /No test named 'match'\./u],
  ["{% do x %}", /unknown tag 'do'/u],
  ["{% include 'a' %}", /unknown tag 'include'/u],
  ["{{ 'a' + 1 }}", /unsupported operand/u],
  ["{{ 'a' < 1 }}", /not supported between/u],
  ["{{ u | to_json }}", /ChainableUndefined is not JSON/u],
  ["a\n{{ u }}", /at line 2/u],
  ["{{ u | int }}", /'u' is undefined/u],
];
for (const [source, message] of FAILURES) {
  test(`${JSON.stringify(source)} fails with ${message.source}`, () => {
    assert.throws(() => render(source), message);
  });
}

test("omit leaves members and items out, also inside typed values", () => {
  assert.deepEqual(render({ a: "{{ u | default(omit) }}", b: ["{{ omit }}", "z"], c: "{{ {'a': omit, 'b': 1} | object }}", d: {} }), {
    b: ["z"],
    c: { b: 1 },
    d: {},
  });
  assert.equal(render("{{ omit }}"), null);
});

test("vars are rendered when used, keep their type, and hide variables", () => {
  assert.deepEqual(
    render(["{{ a }}", "{{ m.k }}", "{% if b %}yes{% endif %}", "{{ x }}"], {
      a: "{{ guid }}-{{ c }}",
      c: "z",
      m: "{{ {'k': 3} | object }}",
      b: "{{ true | bool }}",
      x: "var",
    }),
    ["guid-abc12-z", "3", "yes", "var"],
  );
  assert.equal(render("{% if no %}yes{% else %}no{% endif %}", { no: "false" }), "no");
  assert.throws(() => render("{{ a }}", { a: "{{ a }}" }), /more than 101 deep/u);
});

test("conditions follow the bool filter, multi-line ones too", () => {
  const when = (text: string): boolean => templating.condition(text, { variables: DATA, source: "p" }).value;
  assert.deepEqual(["x > 3", "text", "u.a", "map.k is defined\n", "x >\n 9", "", "'true'"].map(when), [
    true,
    false,
    false,
    true,
    false,
    false,
    true,
  ]);
});

test("reading the clock is reported", () => {
  assert.equal(templating.render("{{ now() }}", { variables: {}, source: "p" }).readsClock, true);
  assert.equal(templating.render("{{ x }}", { variables: DATA, source: "p" }).readsClock, false);
});
