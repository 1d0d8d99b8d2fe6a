// Whether the HTTP/2 server does what RFC 9113, 7541, 8441 and 9218 say: all cases of h2spec, and what they leave out. One
// file, since starting what is tested takes longer than any hundred of the cases.
import { after, before } from 'node:test';
import { ACCEPTED } from './accepted-cases.ts';
import { COMPRESSION } from './compression-cases.ts';
import { CONTROL_ERRORS } from './control-errors-cases.ts';
import { FIELDS } from './fields-cases.ts';
import { FRAME_ERRORS } from './frame-errors-cases.ts';
import { MESSAGE_FRAMING } from './message-framing-cases.ts';
import { MESSAGES } from './messages-cases.ts';
import { runSections } from './section.ts';
import { STREAMS } from './streams-cases.ts';
import { type Answerer, type Subject, startSubject } from './subject.ts';
import { WINDOWS } from './windows-cases.ts';

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.stop());

const both: readonly Answerer[] = ['respond', 'proxy'];

runSections(() => subject, ACCEPTED, both);
runSections(() => subject, STREAMS, both);
runSections(() => subject, WINDOWS, both);
runSections(() => subject, MESSAGE_FRAMING, both);
// What these are about is found before anybody is asked for an answer.
runSections(() => subject, FRAME_ERRORS, ['respond']);
runSections(() => subject, CONTROL_ERRORS, ['respond']);
runSections(() => subject, COMPRESSION, ['respond']);
runSections(() => subject, MESSAGES, ['proxy']);
runSections(() => subject, FIELDS, ['proxy']);
