// Filters on lists and dicts, and the table of all filters (spec resource-provider 8.5). filters-text.ts has the others.
import { argument } from "./context.ts";
import type { Context, Filter, FilterCall } from "./context.ts";
import { TEXT_FILTERS } from "./filters-text.ts";
import { item } from "./methods.ts";
import { binary, compare, equals } from "./operators.ts";
import { Tuple, Undefined, View, asNumber, entriesOf, fail, isDict, iterate, str, truthy } from "./values.ts";

const fallback: Filter = (call) => {
  const missing = call.value instanceof Undefined || (truthy(argument(call, 1, "boolean")) && !truthy(call.value));
  return missing ? (argument(call, 0, "default_value") ?? "") : call.value;
};

/** `a.b.0` of an item. */
function path(value: unknown, name: unknown, context: Context): unknown {
  return str(name)
    .split(".")
    .reduce<unknown>((at, part) => item(at, /^\d+$/u.test(part) ? Number(part) : part, context), value);
}

function counted(value: unknown, context: Context): readonly unknown[] {
  const items = iterate(value);
  context.budget.step(items.length);
  return items;
}

function sortKey(
  call: FilterCall,
  at: { readonly attribute: number; readonly sensitive: number },
  context: Context,
): (value: unknown) => unknown {
  const name = argument(call, at.attribute, "attribute");
  const sensitive = truthy(argument(call, at.sensitive, "case_sensitive") ?? false);
  return (value) => {
    const key = name === undefined || name === null ? value : path(value, name, context);
    return typeof key === "string" && !sensitive ? key.toLowerCase() : key;
  };
}

function sorted(items: readonly unknown[], key: (value: unknown) => unknown, reverse = false): unknown[] {
  const keyed = items.map((value) => ({ value, key: key(value) }));
  keyed.sort((left, right) => (reverse ? compare(right.key, left.key) : compare(left.key, right.key)));
  return keyed.map(({ value }) => value);
}

const map: Filter = (call, context) => {
  const items = counted(call.value, context);
  const name = call.kwargs["attribute"];
  if (name !== undefined) {
    return items.map((value) => {
      const found = path(value, name, context);
      return found instanceof Undefined ? (call.kwargs["default"] ?? found) : found;
    });
  }
  const [filter, ...args] = call.args;
  return items.map((value) => context.runFilter(str(filter), { value, args, kwargs: call.kwargs }));
};

function selection(keep: boolean, byAttribute: boolean): Filter {
  return (call, context) => {
    const [name, ...rest] = byAttribute ? call.args : [undefined, ...call.args];
    const [testName, ...args] = rest;
    return counted(call.value, context).filter((entry) => {
      const value = byAttribute ? path(entry, name, context) : entry;
      const passes = testName === undefined ? truthy(value) : context.runTest(str(testName), { value, args, kwargs: {} });
      return passes === keep;
    });
  };
}

function extreme(sign: 1 | -1): Filter {
  return (call, context) => {
    const key = sortKey(call, { attribute: 1, sensitive: 0 }, context);
    const items = counted(call.value, context);
    if (items.length === 0) return new Undefined("No aggregated item, sequence was empty.");
    return items.reduce((best, value) => (compare(key(value), key(best)) * sign < 0 ? value : best));
  };
}

const unique: Filter = (call, context) => {
  const key = sortKey(call, { attribute: 1, sensitive: 0 }, context);
  const seen: unknown[] = [];
  return counted(call.value, context).filter((value) => {
    context.budget.step(seen.length);
    const own = key(value);
    const fresh = !seen.some((other) => equals(other, own));
    if (fresh) seen.push(own);
    return fresh;
  });
};

const groupby: Filter = (call, context) => {
  const key = (value: unknown): unknown => path(value, argument(call, 0, "attribute"), context);
  const groups: { readonly key: unknown; readonly items: unknown[] }[] = [];
  for (const value of sorted(counted(call.value, context), key)) {
    const last = groups.at(-1);
    if (last && equals(last.key, key(value))) last.items.push(value);
    else groups.push({ key: key(value), items: [value] });
  }
  return groups.map((group) => new Tuple([group.key, group.items]));
};

const join: Filter = (call, context) => {
  const name = argument(call, 1, "attribute");
  const mark = str(argument(call, 0, "d") ?? "");
  return counted(call.value, context)
    .map((value) => {
      const text = str(name === undefined ? value : path(value, name, context));
      context.budget.chars(text.length + mark.length);
      return text;
    })
    .join(mark);
};

const sum: Filter = (call, context) => {
  const name = argument(call, 0, "attribute");
  return counted(call.value, context).reduce(
    (total, value) => {
      const part = name === undefined || name === null ? value : path(value, name, context);
      return binary("+", [total, part], context.budget);
    },
    argument(call, 1, "start") ?? 0,
  );
};

const merge: Filter = ({ value }) => {
  if (!truthy(value)) return new Map();
  const items = iterate(value);
  if (items.length === 1) return items[0];
  return new Map(items.flatMap((entry) => (isDict(entry) ? entriesOf(entry) : [])));
};

const batch: Filter = (call, context) => {
  const items = counted(call.value, context);
  const size = Math.max(1, asNumber(argument(call, 0, "linecount")));
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
};

const length: Filter = ({ value }) => iterate(value).length;
const listed: Filter = ({ value }, context) => [...counted(value, context)];

const LIST_FILTERS: Readonly<Record<string, Filter>> = {
  default: fallback,
  d: fallback,
  length,
  count: length,
  list: listed,
  map,
  unique,
  groupby,
  join,
  sum,
  batch,
  select: selection(true, false),
  reject: selection(false, false),
  selectattr: selection(true, true),
  rejectattr: selection(false, true),
  min: extreme(1),
  max: extreme(-1),
  first: ({ value }) => (iterate(value).length === 0 ? new Undefined("No first item, sequence was empty.") : iterate(value)[0]),
  last: ({ value }) => (iterate(value).length === 0 ? new Undefined("No last item, sequence was empty.") : iterate(value).at(-1)),
  reverse: ({ value }) => (typeof value === "string" ? Array.from(value).toReversed().join("") : iterate(value).toReversed()),
  sort: (call, context) =>
    sorted(counted(call.value, context), sortKey(call, { attribute: 2, sensitive: 1 }, context), truthy(argument(call, 0, "reverse"))),
  items: ({ value }) => (isDict(value) ? entriesOf(value).map((entry) => new Tuple(entry)) : iterate(value)),
  dictsort: (call) => {
    if (!isDict(call.value)) throw fail("dictsort needs a mapping");
    const at = argument(call, 1, "by") === "value" ? 1 : 0;
    return sorted(
      entriesOf(call.value).map((entry) => new Tuple(entry)),
      (entry) => {
        const key = entry instanceof Tuple ? entry.items[at] : entry;
        return typeof key === "string" ? key.toLowerCase() : key;
      },
      truthy(argument(call, 2, "reverse")),
    );
  },
  attr: (call, context) => item(call.value, argument(call, 0, "name"), context),
  merge_list_of_dicts: merge,
  // The same value again, so that a view prints as the list that it stands for.
  pprint: ({ value }) => (value instanceof View ? value.items : value),
};

export const FILTERS: Readonly<Record<string, Filter>> = { ...TEXT_FILTERS, ...LIST_FILTERS };
