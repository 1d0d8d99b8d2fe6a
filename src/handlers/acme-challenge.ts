// Answers HTTP-01 validators (RFC 8555 section 8.3) before anything else sees the request. GET and HEAD, the host the
// token is for, the token itself; everything else under the path is 404 and never reaches an upstream.
import { CHALLENGE_PATH } from '../certs/challenges/challenge-tokens.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendPlain } from '../http/plain-response.ts';

/** Where a token's answer is found: certs/challenges. */
export interface ChallengeAnswers {
  answer(host: string, token: string): string | null;
  /** Looks further, where it takes a moment. Never rejects. */
  find(host: string, token: string): Promise<string | null>;
}

/** Answers the exchange and returns true when its path is the challenge path. */
export function answerChallenge(exchange: Exchange, challenges: ChallengeAnswers): boolean {
  const { path, method, host } = exchange.request;
  if (!path.startsWith(CHALLENGE_PATH)) return false;
  const isRead = method === 'GET' || method === 'HEAD';
  const token = path.slice(CHALLENGE_PATH.length);
  const answer = isRead ? challenges.answer(host, token) : null;
  if (answer === null && isRead) answerLater(exchange, challenges.find(host, token));
  else send(exchange, answer);
  return true;
}

function answerLater(exchange: Exchange, looking: Promise<string | null>): void {
  let gone = false;
  const ignore = (): void => {};
  const onAbort = (): void => {
    gone = true;
  };
  exchange.observe({ onData: ignore, onEnd: ignore, onDrain: ignore, onAbort });
  void looking.then((answer) => {
    if (!gone) send(exchange, answer);
  });
}

function send(exchange: Exchange, answer: string | null): void {
  if (answer === null) sendPlain(exchange, 404, 'text/plain; charset=utf-8', '404 Not Found\n');
  else sendPlain(exchange, 200, 'application/octet-stream', answer, ['Cache-Control', 'no-store']);
}
