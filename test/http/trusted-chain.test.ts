import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { believedClaims } from '../../src/http/forwarded.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import { TrustedProxies } from '../../src/http/trusted-proxies.ts';
import { runs } from '../support/property-runs.ts';

const trusted = new TrustedProxies(['10.0.0.0/8', '192.0.2.7/32', '2001:db8::/32']);

interface Entry {
  readonly text: string;
  /** null: no address. */
  readonly address: string | null;
  readonly isTrusted: boolean;
}

const byte = fc.nat(255);
const hex = (number: number): string => number.toString(16);

/** The ways to write an IPv4 address, mapped into IPv6 ones among them. */
function spellings(a: number, b: number, c: number, d: number): string[] {
  const dotted = `${a}.${b}.${c}.${d}`;
  const words = `${hex(a * 256 + b)}:${hex(c * 256 + d)}`;
  const mapped = [
    `::ffff:${dotted}`,
    `::FFFF:${dotted}`,
    `0:0:0:0:0:ffff:${dotted}`,
    `::ffff:${words}`,
    `0000::FfFf:${words}`,
  ];
  return [
    dotted,
    `${dotted}:4711`,
    ...mapped,
    ...mapped.map((text) => `[${text}]`),
    ...mapped.map((text) => `[${text}]:80`),
  ];
}

const v4 = fc
  .tuple(fc.constantFrom(10, 10, 192, 198, 127), byte, byte, byte, fc.nat(16))
  .map(([a, b, c, d, style]): Entry => {
    const texts = spellings(a, b, c, d);
    const address = `${a}.${b}.${c}.${d}`;
    return { text: texts[style % texts.length]!, address, isTrusted: a === 10 || address === '192.0.2.7' };
  });
const v6 = fc
  .tuple(fc.constantFrom('2001:db8', '2001:db9', 'fd00'), fc.integer({ min: 1, max: 0xffff }), fc.nat(3))
  .map(([network, last, style]): Entry => {
    const address = `${network}::${hex(last)}`;
    const texts = [address, address.toUpperCase(), `[${address}]`, `[${address}]:443`];
    return { text: texts[style]!, address, isTrusted: network === '2001:db8' };
  });
const junk = fc
  .constantFrom(
    '',
    'unknown',
    '_hidden',
    '10.0.0.1.',
    '10.0.0',
    '10.0.0.256',
    '::ffff:10.0.0.1%1',
    '010.0.0.1',
    '10.0.0.1/8',
    '\xa010.0.0.1',
  )
  .map((text): Entry => ({ text, address: null, isTrusted: false }));
const entry = fc.oneof({ weight: 5, arbitrary: v4 }, { weight: 2, arbitrary: v6 }, { weight: 1, arbitrary: junk });
const entries = fc.array(entry, { minLength: 1, maxLength: 8 });

/** Read from the right: whoever added an entry must be trusted for it to count; the peer that sent the field is. */
function expected(list: readonly Entry[]): string[] {
  const stop = list.findLastIndex(({ isTrusted }) => !isTrusted);
  const from = stop === -1 ? 0 : list[stop]!.address === null ? stop + 1 : stop;
  return list.slice(from).map(({ address }) => address!);
}

const peer = { address: '10.0.0.1', port: 1, servername: null, tls: null };
const chainFrom = (name: string, value: string): readonly string[] =>
  believedClaims(new HeaderList([name, value]), peer, trusted)?.chain ?? [];

test('a chain is believed from the right as far as the first stranger, however the addresses are written', () => {
  fc.assert(
    fc.property(entries, fc.constantFrom(',', ', ', ' ,\t'), (list, comma) => {
      assert.deepEqual(trusted.believedChain(list.map(({ text }) => text).join(comma)), expected(list));
    }),
    runs(5_000),
  );
});

test('what stands left of the first stranger changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), entries, (invented, list) => {
      fc.pre(list.some(({ isTrusted }) => !isTrusted));
      const chain = list.map(({ text }) => text).join(', ');
      assert.deepEqual(trusted.believedChain(`${invented},${chain}`), trusted.believedChain(chain));
    }),
    runs(5_000),
  );
});

test('Forwarded is believed just as far as X-Forwarded-For is', () => {
  fc.assert(
    fc.property(entries, fc.constantFrom(';proto=https', '', ';by=_x;host=a'), (list, more) => {
      const elements = list.map(({ text }) => `for="${text}"${more}`);
      assert.deepEqual(chainFrom('Forwarded', elements.join(', ')), expected(list));
      assert.deepEqual(chainFrom('X-Forwarded-For', list.map(({ text }) => text).join(', ')), expected(list));
    }),
    runs(3_000),
  );
});

test('an element of Forwarded is one node, whatever its string holds', () => {
  fc.assert(
    fc.property(entries, entries, (inside, list) => {
      fc.pre(inside.length > 1);
      const odd = `for="${inside.map(({ text }) => text).join(',')}"`;
      const elements = [odd, ...list.map(({ text }) => `for="${text}"`)];
      assert.deepEqual(
        chainFrom('Forwarded', elements.join(', ')),
        expected([{ text: odd, address: null, isTrusted: false }, ...list]),
      );
    }),
    runs(1_000),
  );
});

test('the word of a stranger is not believed at all', () => {
  fc.assert(
    fc.property(v4, entries, ({ address, isTrusted }, list) => {
      fc.pre(!isTrusted);
      const headers = new HeaderList(['X-Forwarded-For', list.map(({ text }) => text).join(', ')]);
      assert.equal(believedClaims(headers, { ...peer, address: address! }, trusted), null);
    }),
    runs(500),
  );
});
