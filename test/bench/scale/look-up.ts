// The look-up of a request alone, as server/dispatch makes it: host → site → route.
import { latin1 } from '../../../src/core/latin1.ts';
import { HostTable } from '../../../src/router/host-table.ts';
import { PathTable } from '../../../src/router/path-table.ts';
import { fleetName } from './fleet.ts';

const TIMES = 2_000_000;

/** Nanoseconds for one of `count` hosts at random, its name cut freshly from bytes as a parser does. */
export function lookUpNs(count: number): number {
  const names = Array.from({ length: count }, (_, index) => fleetName(index));
  const routes = (): PathTable<number> => new PathTable([{ path: '/*', value: 1 }]);
  const sites = new HostTable(new Map(names.map((name) => [name, { routes: routes() }])));
  const bytes = names.map((name) => Buffer.from(name, 'latin1'));
  let found = 0;
  const pass = (times: number): void => {
    for (let i = 0; i < times; i++) {
      const name = bytes[(i * 7_919) % count]!;
      const host = latin1(name, 0, name.length);
      found += sites.match(host)?.routes.match('/small') ?? 0;
    }
  };
  pass(TIMES / 10);
  const begin = process.hrtime.bigint();
  pass(TIMES);
  const ns = Number(process.hrtime.bigint() - begin) / TIMES;
  if (found !== TIMES + TIMES / 10) throw new Error(`${found} found`);
  return ns;
}
