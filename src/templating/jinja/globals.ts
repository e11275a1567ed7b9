// The names that every Jinja2 template can use: times, range, dict, namespace (spec resource-provider 8.3).
import type { Budget } from "../budget.ts";
import { DateTime, TimeDelta, Timestamp, Zone, toDatetime } from "./datetime.ts";
import { Namespace } from "./statements.ts";
import { Callable, asNumber, entriesOf, fail, isDict, isNumeric, iterate, str, truthy } from "./values.ts";

const UNITS: Readonly<Record<string, number>> = {
  days: 86_400_000,
  seconds: 1000,
  microseconds: 0.001,
  milliseconds: 1,
  minutes: 60_000,
  hours: 3_600_000,
  weeks: 604_800_000,
};

const timedelta = new Callable("timedelta", (args, kwargs) => {
  const named = [
    ...args.map(
      (value, at) => [["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"][at] ?? "", value] as const,
    ),
    ...Object.entries(kwargs),
  ];
  const total = named.reduce((sum, [unit, value]) => {
    if (!isNumeric(value)) throw fail("unsupported type for timedelta component");
    return sum + asNumber(value) * (UNITS[unit] ?? Number.NaN);
  }, 0);
  return new TimeDelta(total);
});

const UTC = new Zone(0);
const timezone = new Callable("timezone", ([offset]) => new Zone(offset instanceof TimeDelta ? offset.ms / 60_000 : 0), { utc: UTC });

function datetimeClass(now: () => number): Callable {
  const current = (zone: unknown): DateTime =>
    zone instanceof Zone ? new DateTime(now() + zone.offset * 60_000, zone.offset) : new DateTime(now(), undefined);
  const make = (args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): DateTime => {
    const fields = ["year", "month", "day", "hour", "minute", "second", "microsecond"].map((name, at) =>
      asNumber(args[at] ?? kwargs[name] ?? 0),
    );
    const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, micro = 0] = fields;
    const zone = args[7] ?? kwargs["tzinfo"];
    return new DateTime(Date.UTC(year, month - 1, day, hour, minute, second, micro / 1000), zone instanceof Zone ? zone.offset : undefined);
  };
  return new Callable("datetime", make, {
    now: new Callable("now", ([zone], kwargs) => current(zone ?? kwargs["tz"])),
    utcnow: new Callable("utcnow", () => current(undefined)),
    strptime: new Callable("strptime", ([text, format]) => toDatetime(str(text), str(format))),
    fromtimestamp: new Callable(
      "fromtimestamp",
      ([seconds, zone]) => new DateTime(asNumber(seconds) * 1000, zone instanceof Zone ? zone.offset : undefined),
    ),
    fromisoformat: new Callable("fromisoformat", ([text]) => {
      const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/u.exec(str(text));
      if (!parts) throw fail(`Invalid isoformat string: '${str(text)}'`);
      const zone = parts[3] ?? "";
      return toDatetime(`${parts[1] ?? ""} ${parts[2] ?? "00:00:00"}${zone}`, zone === "" ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M:%S%z");
    }),
  });
}

function range(budget: Budget): Callable {
  return new Callable("range", (args) => {
    const [first = 0, second, step = 1] = args.map(asNumber);
    const [start, stop] = second === undefined ? [0, first] : [first, second];
    const count = Math.max(0, Math.ceil((stop - start) / step));
    budget.step(count);
    return Array.from({ length: count }, (_, at) => start + at * step);
  });
}

/** Built-in names hide context variables; `now` is called by whatever reads the clock. */
export function builtins(now: () => number, omit: unknown): Readonly<Record<string, () => unknown>> {
  return {
    datetime: () => datetimeClass(now),
    timedelta: () => timedelta,
    timezone: () => timezone,
    now: () =>
      new Callable("now", (args, kwargs) => {
        const moment = new DateTime(now(), truthy(args[0] ?? kwargs["utc"]) ? 0 : undefined);
        const format = args[1] ?? kwargs["fmt"];
        const method = moment.attr("strftime");
        return format === undefined || format === null || !(method instanceof Callable) ? moment : method.call([format], {});
      }),
    timestamp: () => new Timestamp(new DateTime(now(), 0), now),
    omit: () => omit,
    __recursion_depth__: () => 0,
  };
}

/** Globals of Jinja2, which context variables hide. */
export function globals(budget: Budget): Readonly<Record<string, unknown>> {
  return {
    range: range(budget),
    dict: new Callable("dict", ([from], kwargs) => new Map([...(isDict(from) ? entriesOf(from) : pairs(from)), ...Object.entries(kwargs)])),
    namespace: new Callable(
      "namespace",
      ([from], kwargs) =>
        new Namespace([
          ...(isDict(from) ? entriesOf(from).map(([key, value]) => [str(key), value] as const) : []),
          ...Object.entries(kwargs),
        ]),
    ),
  };
}

function pairs(list: unknown): (readonly [unknown, unknown])[] {
  return list === undefined ? [] : iterate(list).map((entry) => [iterate(entry)[0], iterate(entry)[1]] as const);
}
