// All hostile inputs that are HTTP, by theme, in the order of the page.
import { bodylessCases } from './cases/bodyless.ts';
import { chunkCases } from './cases/chunks.ts';
import { clientAddressCases } from './cases/client-address.ts';
import { deadlineCases } from './cases/deadlines.ts';
import { expectCases } from './cases/expect.ts';
import { framingCases } from './cases/framing.ts';
import { headerHygieneCases } from './cases/header-hygiene.ts';
import { hostCases } from './cases/host.ts';
import { leftOverCases } from './cases/left-over.ts';
import { limitCases } from './cases/limits.ts';
import { lineEndCases } from './cases/line-ends.ts';
import { pipeliningCases } from './cases/pipelining.ts';
import { redirectCases } from './cases/redirects.ts';
import { responseCases } from './cases/responses.ts';
import { targetCases } from './cases/targets.ts';
import { upgradeCases } from './cases/upgrade.ts';
import type { Theme } from './hostile-case.ts';

export const THEMES: readonly Theme[] = [
  {
    title: 'How long a request is',
    about: 'Items 1 to 4. Both framings, two lengths, lengths that are no numbers, codings that are not chunked.',
    setting: 'usual',
    cases: framingCases,
  },
  {
    title: 'Chunked content',
    about:
      'Item 5. An origin may have got the beginning of a request whose fault came in its content; it never got an end.',
    setting: 'usual',
    cases: chunkCases,
  },
  {
    title: 'Bytes that have no place in a head',
    about: 'Item 6. Line ends, folds, names, values and start lines.',
    setting: 'usual',
    cases: lineEndCases,
  },
  {
    title: 'More than is accepted',
    about: 'Items 7 and 8. Whoever accepts a head accepts all of it: fields that are dropped silently would be unsafe.',
    setting: 'usual',
    cases: limitCases,
  },
  {
    title: 'Which host',
    about: 'Item 9. Perantara serves app.localhost alone; the others serve whatever host is asked for.',
    setting: 'usual',
    cases: hostCases,
  },
  {
    title: 'Which path',
    about: 'Items 10 and 11. Which origin got the request, and the target that it got.',
    setting: 'usual',
    cases: targetCases,
  },
  {
    title: 'Pipelining',
    about:
      'Item 12. What comes behind a request that was refused, that ends the connection, or that was answered early.',
    setting: 'usual',
    cases: pipeliningCases,
  },
  { title: 'Expectations', about: 'Item 13.', setting: 'usual', cases: expectCases },
  {
    title: 'Changes of protocol',
    about: 'Item 14. WebSocket handshakes are complete, as RFC 6455 has them, wherever Upgrade is websocket.',
    setting: 'usual',
    cases: upgradeCases,
  },
  {
    title: 'Answers that have no content',
    about: 'Item 15, and interim answers. The status is what the client got.',
    setting: 'usual',
    cases: bodylessCases,
  },
  {
    title: 'Malformed answers',
    about: 'Item 16. The status is what the client got.',
    setting: 'usual',
    cases: responseCases,
  },
  {
    title: 'Answers that end too early or too late',
    about: 'Item 16. The status is what the client got.',
    setting: 'usual',
    cases: leftOverCases,
  },
  {
    title: 'Fields that are not forwarded',
    about: 'Items 17 to 19. What of it reaches the origin is held by the tests; the tables show what is unsafe.',
    setting: 'usual',
    cases: headerHygieneCases,
  },
  {
    title: 'Who the client is',
    about: 'Item 20. Behind a proxy that is trusted, which each proxy is told in a way of its own: Perantara alone.',
    setting: 'trusting',
    cases: clientAddressCases,
  },
  { title: 'Silence', about: 'Item 27. One connection each.', setting: 'impatient', cases: deadlineCases },
  {
    title: 'Redirects',
    about: 'Item 22. The redirect of the plain listener, which Perantara alone has by itself.',
    setting: 'usual',
    cases: redirectCases,
  },
];
