// A request that is not complete when its response is: what is still to come has nowhere to go (RFC 9113 section 8.1). Its client
// is told so only when much comes or a while has passed: until then it can be told what else is wrong with the request.
import { LATE_CONTENT_BYTES } from './limits.ts';
import type { SessionOutput } from './session-output.ts';

export class LateRequest {
  readonly #output: SessionOutput;
  /** The write that the end of the response is part of. */
  readonly #generation: number;
  #bytes = 0;

  constructor(output: SessionOutput) {
    this.#output = output;
    this.#generation = output.generation;
  }

  /**
   * So much more has come. Whether its client is to be stopped: never in one write with the response, at which curl 7.88
   * does not look any more then.
   */
  isTooMuch(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#output.generation !== this.#generation && this.#bytes > LATE_CONTENT_BYTES;
  }
}
