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
  { title: 'How long a request is', about: 'Items 1 to 4.', setting: 'usual', cases: framingCases },
  { title: 'Chunked content', about: 'Item 5.', setting: 'usual', cases: chunkCases },
  { title: 'Bytes that have no place in a head', about: 'Item 6.', setting: 'usual', cases: lineEndCases },
  { title: 'More than is accepted', about: 'Items 7 and 8.', setting: 'usual', cases: limitCases },
  { title: 'Which host', about: 'Item 9.', setting: 'usual', cases: hostCases },
  { title: 'Which path', about: 'Items 10 and 11.', setting: 'usual', cases: targetCases },
  { title: 'Pipelining', about: 'Item 12.', setting: 'usual', cases: pipeliningCases },
  { title: 'Expectations', about: 'Item 13.', setting: 'usual', cases: expectCases },
  { title: 'Changes of protocol', about: 'Item 14.', setting: 'usual', cases: upgradeCases },
  {
    title: 'Answers that have no content',
    about: 'Item 15, and interim answers.',
    setting: 'usual',
    cases: bodylessCases,
  },
  { title: 'Malformed answers', about: 'Item 16.', setting: 'usual', cases: responseCases },
  { title: 'Answers that end too early or too late', about: 'Item 16.', setting: 'usual', cases: leftOverCases },
  { title: 'Fields that are not forwarded', about: 'Items 17 to 19.', setting: 'usual', cases: headerHygieneCases },
  { title: 'Who the client is', about: 'Item 20.', setting: 'trusting', cases: clientAddressCases },
  { title: 'Silence', about: 'Item 27.', setting: 'impatient', cases: deadlineCases },
  { title: 'Redirects', about: 'Item 22.', setting: 'usual', cases: redirectCases },
];
