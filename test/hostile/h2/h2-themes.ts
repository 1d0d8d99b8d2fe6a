// All hostile inputs over HTTP/2 that are data, by theme, in the order of the page.
import { answerCases } from './cases/answers.ts';
import { claimCases } from './cases/claims.ts';
import { connectionCases } from './cases/connections.ts';
import { fieldCases } from './cases/fields.ts';
import { floodCases } from './cases/floods.ts';
import { lengthCases } from './cases/lengths.ts';
import { h2LimitCases } from './cases/limits.ts';
import { pseudoFieldCases } from './cases/pseudo-fields.ts';
import { h2SilenceCases } from './cases/silence.ts';
import { translationCases } from './cases/translation.ts';
import { tunnelCases } from './cases/tunnels.ts';
import type { H2Theme } from './h2-case.ts';

export const H2_THEMES: readonly H2Theme[] = [
  {
    title: 'HTTP/2: pseudo-fields and hosts',
    about: 'Item 23.',
    setting: 'usual',
    cases: pseudoFieldCases,
  },
  {
    title: 'HTTP/2: names, values, fields of a connection',
    about: 'Items 18, 23 and 24.',
    setting: 'usual',
    cases: fieldCases,
  },
  {
    title: 'HTTP/2: how long a request is',
    about:
      'Item 23. An origin may have got the beginning of a request whose fault came in its content; it never got an end.',
    setting: 'usual',
    cases: lengthCases,
  },
  {
    title: 'HTTP/2: translation to HTTP/1.1',
    about: 'Item 24.',
    setting: 'usual',
    cases: translationCases,
  },
  { title: 'HTTP/2: who the client is', about: 'Item 19.', setting: 'usual', cases: claimCases },
  {
    title: 'HTTP/2: tunnels',
    about: 'Items 14 and 23. CONNECT, and what RFC 8441 makes of it.',
    setting: 'usual',
    cases: tunnelCases,
  },
  {
    title: 'HTTP/2: more than is accepted',
    about: 'Item 23. Long heads, and header bombs.',
    setting: 'usual',
    cases: h2LimitCases,
  },
  {
    title: 'HTTP/2: floods',
    about:
      'Item 23. Up to 20,000 units on one connection, as fast as they are taken, until it is over. **all taken**: it went on to the end, **still taken**: for four seconds, which is no fault by itself; a client beside it, which asks on new connections all the while, has to be served. The requests are those that the origin got whole.',
    setting: 'usual',
    cases: floodCases,
  },
  {
    title: 'HTTP/2: answers',
    about: 'Items 15 and 16. Content where there is none, malformed answers, answers that end too early or too late.',
    setting: 'usual',
    cases: answerCases,
  },
  {
    title: 'HTTP/2: connections that end',
    about: 'Items 23 and 37. What ends a connection, and with which code; requests that are left.',
    setting: 'usual',
    cases: connectionCases,
  },
  {
    title: 'HTTP/2: silence',
    about: 'Item 27. One connection each.',
    setting: 'impatient behind TLS',
    cases: h2SilenceCases,
  },
];
