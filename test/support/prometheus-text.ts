// Reads the text format of Prometheus (version 0.0.4) as strictly as its description has it, and judges what Prometheus itself
// lets pass: families that come twice, series that do, histograms that do not add up. Knows nothing of who wrote it.
import assert from 'node:assert/strict';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/;
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/;
const SUFFIXES = { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'] } as const;

/** Throws for whatever is not as it should be. */
export function parsePrometheus(text: string): ReadonlyMap<string, MetricFamily> {
  assert.ok(text.endsWith('\n'), 'the last line has an end');
  const families = new Map<string, MetricFamily & { readonly samples: Sample[] }>();
  const series = new Set<string>();
  let help: readonly [name: string, text: string] | null = null;
  let family: (MetricFamily & { readonly samples: Sample[] }) | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment?.[1] === 'HELP') {
      assert.equal(help, null, line);
      help = [comment[2]!, comment[3]!];
    } else if (comment !== null) {
      const [, , name, type] = comment as unknown as [string, string, string, string];
      assert.ok(help !== null && help[0] === name, `HELP goes before TYPE: ${line}`);
      assert.ok(Object.hasOwn(SUFFIXES, type), line);
      assert.ok(!families.has(name), `twice: ${line}`);
      family = { name, type, help: help[1], samples: [] };
      families.set(name, family);
      help = null;
    } else {
      const sample = parseSample(line);
      assert.ok(family !== null && help === null, line);
      const suffixes: readonly string[] = SUFFIXES[family.type as keyof typeof SUFFIXES];
      assert.ok(
        suffixes.some((suffix) => sample.name === family!.name + suffix),
        `in the family ${family.name}: ${line}`,
      );
      const id = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      assert.ok(!series.has(id), `twice: ${line}`);
      series.add(id);
      if (family.type === 'counter') assert.ok(sample.value >= 0, line);
      family.samples.push(sample);
    }
  }
  assert.equal(help, null);
  for (const each of families.values()) {
    assert.ok(each.samples.length > 0, `${each.name} has samples`);
    if (each.type === 'histogram') judgeHistogram(each);
  }
  return families;
}

function parseSample(line: string): Sample {
  const name = NAME.exec(line)?.[0];
  assert.ok(name !== undefined, line);
  let rest = line.slice(name.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    do {
      rest = rest.slice(1);
      const label = LABEL.exec(rest);
      assert.ok(label !== null && !Object.hasOwn(labels, label[1]!), line);
      labels[label[1]!] = label[2]!.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
      rest = rest.slice(label[0].length);
    } while (rest.startsWith(','));
    assert.ok(rest.startsWith('}'), line);
    rest = rest.slice(1);
  }
  assert.ok(rest.startsWith(' ') && NUMBER.test(rest.slice(1)), line);
  return { name, labels, value: Number(rest.slice(1).replace('Inf', 'Infinity')) };
}

function judgeHistogram({ name, samples }: MetricFamily): void {
  const rows = new Map<string, { bounds: number[]; counts: number[]; sum?: number; count?: number }>();
  for (const { name: full, labels, value } of samples) {
    const { le, ...others } = labels;
    const id = JSON.stringify(Object.entries(others).sort());
    const row = rows.get(id) ?? { bounds: [], counts: [] };
    rows.set(id, row);
    if (full === `${name}_bucket`) {
      row.bounds.push(Number(le!.replace('Inf', 'Infinity')));
      row.counts.push(value);
    } else if (full === `${name}_sum`) row.sum = value;
    else row.count = value;
  }
  for (const [id, { bounds, counts, sum, count }] of rows) {
    const what = `${name} ${id}`;
    assert.ok(sum !== undefined && count !== undefined, what);
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY, what);
    assert.equal(counts.at(-1), count, `${what}: its count is that of the last bucket`);
    for (let i = 1; i < bounds.length; i++) {
      assert.ok(bounds[i]! > bounds[i - 1]!, `${what}: bounds ascend`);
      assert.ok(counts[i]! >= counts[i - 1]!, `${what}: buckets count those below as well`);
    }
  }
}
