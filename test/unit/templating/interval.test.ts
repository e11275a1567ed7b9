import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInterval } from "../../../src/templating/interval.ts";

test("intervals read as the spec's table says", () => {
  const given = ["1d12h", "1.5h", "1:24", "-1h", "0s", "2 weeks, 3 days", "1:02:03", ":30", "90", "0", "", "3h1d", "3mo", "1y"];
  assert.deepEqual(
    given.map((text) => parseInterval(text)),
    [
      129_600_000,
      5_400_000,
      84_000,
      -3_600_000,
      0,
      1_468_800_000,
      3_723_000,
      30_000,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ],
  );
});
