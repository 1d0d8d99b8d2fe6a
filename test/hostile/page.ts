// docs/hostile-inputs.md: written by the run that saw it.
import { handshakeCases } from './cases/handshakes.ts';
import { H2_THEMES } from './h2/h2-themes.ts';
import type { Contender, ContenderName } from './subjects/contender.ts';
import { TIMEOUT_SECONDS } from './subjects/contender.ts';
import { THEMES } from './themes.ts';
import { type Cell, escaped } from './wording.ts';

export interface Results {
  /** As typed. */
  readonly command: string;
  /** YYYY-MM-DD */
  readonly date: string;
  readonly commit: string | null;
  readonly contenders: readonly Contender[];
  readonly missing: readonly ContenderName[];
  /** By case. */
  readonly cells: ReadonlyMap<ContenderName, ReadonlyMap<object, Cell>>;
}

interface Row {
  readonly item: number | null;
  readonly name: string;
  readonly source: string;
}

/** Items that are not in the tables. */
const ELSEWHERE: readonly (readonly [item: string, what: string, where: string])[] = [
  ['21', 'forward-auth', 'Perantara has no forward-auth yet; its inputs come with it.'],
  [
    '22',
    'placeholders expanded twice',
    'There are no placeholders in answers. Variables in the configuration are expanded once: test/golden/cases/environment-substitutes-once.',
  ],
  [
    '16',
    'TLS toward the upstream: closed without notify, plaintext before the handshake',
    'test/upstream/secure-target.test.ts and verification.test.ts: 502, or broken off in the middle of an answer, never complete; nothing is sent before the certificate is believed.',
  ],
  [
    '23–25',
    'HTTP/2, besides the tables',
    'Perantara alone: three connections that flood at once beside a client over HTTP/2, with what reaches the origin (test/hostile/h2/siege.test.ts); what a connection can make it hold (memory.test.ts); requests, resets and ends that cross each other (races.test.ts); 646 cases of RFC 9113, 7541, 8441 and 9218 (test/http2/conformance). Limits: docs/http2.md. TLS settings of one site used for another: 421, test/hostile/h2/other-terms.test.ts, test/server/misdirected.test.ts.',
  ],
  ['27', '10,000 silent connections', 'test/faults'],
  [
    '28',
    'CA file for client certificates missing',
    'Perantara has no client certificates yet. Other certificate files that are missing, empty or damaged stop the start: test/golden/cases/tls-files-missing, tls-files-damaged, acme-trust-without-certificate, target-trust-empty.',
  ],
  [
    '29',
    'look-up of a certificate that throws; storage gone',
    'test/hostile/certificates.test.ts. A look-up cannot hang: it is synchronous, from memory.',
  ],
  ['31–35', 'the ACME side', 'test/certs, test/e2e, test/server/plain-listener.test.ts'],
  ['36', 'sockets without a listener for errors', 'test/hostile/resets.test.ts'],
  ['37', 'clients and upstreams that leave in each phase', 'test/faults'],
  ['38', 'back-pressure with 1 GB', 'test/e2e/memory.test.ts, test/faults'],
];

export function writePage(results: Results): string {
  const { contenders, missing, command, date, commit } = results;
  return `# Hostile inputs

Written by \`${command}\` on ${date}, commit ${commit ?? 'unknown'} (do not edit). What Perantara and other proxies make of
inputs that have hurt proxies before: each row was sent to each, through TLS, with a recording origin behind, and a normal
request after it. Numbers are those of the list that the project works from; + marks inputs that are not in it. \`npm test\` holds Perantara to its column, on both sides: what the client got and what the origin saw.

\`\`\`sh
npm run hostile                            # all that are found
npm run hostile -- --against nginx,caddy   # Perantara beside these
PEERS=/path/to/debian/tree npm run hostile # others from a tree; no root or chroot needed
\`\`\`

| proxy | version | set besides | inputs | unsafe |
|---|---|---|---|---|
${contenders.map((contender) => summary(results, contender)).join('\n')}
${withoutHttp2(contenders)}${missing.length === 0 ? '' : `\nNot found and left out: ${missing.join(', ')}.\n`}
All: TLS for app.localhost, HTTP/1.1 and HTTP/2 in front and HTTP/1.1 behind, \`/admin/\` to one origin (*guarded*) and the
rest to another (*public*), upstream connections kept, X-Forwarded-For and X-Forwarded-Proto said, and ${TIMEOUT_SECONDS} seconds for every phase that can be limited.
Everything else is as it comes; a proxy can often be told to be stricter. Several rows often show one weakness: compare
the reasons, not the counts.

## How to read the tables

- A **status** is the proxy's own answer, or in the tables about answers what the client got in all.
- **forwarded**: passed on, and the origin's answer came back. Being laxer than Perantara is no fault.
- **closed**: without an answer. **cut off**: in the middle of one. **no answer**: and not closed within ${TIMEOUT_SECONDS * 2} seconds,
  or ${TIMEOUT_SECONDS * 4} where silence over HTTP/2 is the input.
- Over HTTP/2, **a code** such as PROTOCOL_ERROR means that the request's stream was reset with it, and **GOAWAY** with a code
  that the connection was ended; both may follow a status. **goes on**: neither, and the next request on the connection was
  served. A 400 is as safe as PROTOCOL_ERROR.
- **unsafe** is what is a matter of security whoever stands behind: a request executed that the client's framing did not
  contain, or framing passed on that two readers take differently (RFC 9112 section 11.2); an answer given to another
  request; a field of one connection passed on (RFC 9110 section 7.6.1), or the proxy's own X-Forwarded-For lost or doubled
  by another spelling; the route chosen by another path than the origin reads in the target it gets (RFC 3986 section
  6.2.2: dot segments, escapes of unreserved characters); a process that
  ends; beside a flood, a client that was not served.

## Where Perantara departs from the list

- Item 3 lists \`Content-Length: 5 \` as refused. RFC 9112 section 5.1 says that whitespace around a value is no part of it.
  Perantara accepts spaces and writes the length anew, so that nobody behind it has to decide; a tab beside the value of a
  framing field it refuses, since llhttp takes some of these for another length.
- Item 18 lists \`Trailer\`. RFC 9110 section 6.6.2 does not make it a field of one connection; it is passed on, as the
  trailers are, but for those that say framing, routing or who the client is.
- A request with \`Transfer-Encoding: gzip\` alone is 501, not 400 (RFC 9112 section 6.1).
${THEMES.map(({ title, about, cases }) => section(results, title, about, cases)).join('')}${H2_THEMES.map(({ title, about, cases }) => section(results, title, about, cases)).join('')}${section(results, 'Handshakes', 'Items 26 and 30. A ClientHello, or what comes in its place, and the alert it gets.', handshakeCases)}
## Items that are elsewhere

| item | what | where |
|---|---|---|
${ELSEWHERE.map((row) => `| ${row.join(' | ')} |`).join('\n')}
`;
}

function summary({ cells }: Results, { name, version, setting }: Contender): string {
  const all = [...(cells.get(name)?.values() ?? [])];
  const unsafe = all.filter(({ isUnsafe }) => isUnsafe).length;
  return `| ${name} | ${version} | ${setting} | ${all.length} | ${unsafe === 0 ? '0' : `**${unsafe}**`} |`;
}

function withoutHttp2(contenders: readonly Contender[]): string {
  const lines = contenders
    .filter(({ noHttp2 }) => noHttp2 !== null)
    .map(({ name, noHttp2 }) => `\n${name} gets the inputs over HTTP/1.1 only: ${noHttp2}.\n`);
  return lines.join('');
}

function section(results: Results, title: string, about: string, rows: readonly Row[]): string {
  const shown = results.contenders.filter(({ name }) => rows.some((row) => results.cells.get(name)?.has(row)));
  const lines = rows.map((row) => {
    const cells = shown.map(({ name }) => results.cells.get(name)?.get(row)?.text ?? '–');
    return `| ${row.item ?? '+'} | ${escaped(row.name)} | ${escaped(row.source)} | ${cells.join(' | ')} |`;
  });
  return `
## ${title}

${about}

| item | input | source | ${shown.map(({ name }) => name).join(' | ')} |
|---|---|---|${'---|'.repeat(shown.length)}
${lines.join('\n')}
`;
}
