// What the answering of requests reads of certificates: from the automation beside it, or from a copy of what that publishes.
import type { ChallengeAnswers } from '../handlers/acme-challenge.ts';
import type { ContextLastResort } from './certificate-wait.ts';
import type { ChallengeContexts, ContextSource } from './tls-acceptor.ts';

export interface CertificateSource {
  readonly resolver: ContextSource;
  /** HTTP-01. */
  readonly challenges: ChallengeAnswers;
  /** TLS-ALPN-01. */
  readonly alpnChallenges: ChallengeContexts;
  /** For names that are not in the configuration; null: they are refused. May change with the configuration. */
  readonly onDemand: ContextLastResort | null;
}
