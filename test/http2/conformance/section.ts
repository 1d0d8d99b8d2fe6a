// A section of the conformance suite: cases as a table of what is sent and what has to follow, each run on a connection of
// its own against everything that answers.
import { describe, it } from 'node:test';
import { type H2Options, openH2 } from '../../support/h2-client.ts';
import { type FieldPair, requestFields } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { type Answerer, PATHS, type Subject } from './subject.ts';

/** Of a request to whatever answers; default: GET. */
export type Fields = (method?: string, more?: readonly FieldPair[]) => FieldPair[];

export type Outcome = (peer: H2Peer, fields: Fields) => Promise<unknown>;

/** A case as a sentence, what is sent, what has to follow. `options`: for connections unlike others. `only`: who answers. */
export type Case = readonly [
  name: string,
  act: (peer: H2Peer, fields: Fields) => unknown,
  outcome: Outcome,
  options?: H2Options,
  only?: Answerer,
];

/** Title → its cases. */
export type Sections = Readonly<Record<string, readonly Case[]>>;

/** `answerers`: whom it is tried with. */
export function runSections(subject: () => Subject, sections: Sections, answerers: readonly Answerer[]): void {
  for (const answerer of answerers) {
    const fields: Fields = (method = 'GET', more = []) => requestFields(PATHS[answerer], method, more);
    for (const [title, cases] of Object.entries(sections))
      describe(`${title}, with ${answerer}`, () => {
        for (const [name, act, outcome, options, only] of cases) {
          if (only !== undefined && only !== answerer) continue;
          it(name, async (t) => {
            const peer = await openH2(t, subject().port, options);
            await act(peer, fields);
            await outcome(peer, fields);
          });
        }
      });
  }
}
