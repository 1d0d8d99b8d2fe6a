// Forwards one exchange to an upstream target and the answer back, with back-pressure both ways. Hot: one object
// per exchange; no stream, promise or closure, and nothing per chunk. Retries only where retry.ts allows it.
import { httpDate } from '../core/clock.ts';
import { PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Exchange, ExchangeObserver, Handler } from '../http/exchange.ts';
import { passingFields, tellUpstream } from '../http/forwarded.ts';
import type { FieldTest, HeaderList } from '../http/header-list.ts';
import { mayTravelOn } from '../http/max-forwards.ts';
import type { ResponseHead } from '../http/message.ts';
import type { OutgoingRequest } from '../http/outgoing-request.ts';
import { sendError, sendPlain } from '../http/plain-response.ts';
import type { RequestCarrier } from '../http/request-carrier.ts';
import type { ResponseObserver } from '../http/response-observer.ts';
import type { Tracing } from '../http/tracing.ts';
import type { TrustedProxies } from '../http/trusted-proxies.ts';
import { shouldRetry } from '../upstream/retry.ts';
import type { Target } from '../upstream/target.ts';
import type { Tunnel, Upstream } from '../upstream/upstream.ts';

export interface ProxyOptions {
  readonly upstream: Upstream;
  readonly trustedProxies: TrustedProxies;
  /** Lower-case names with `_` that may pass. */
  readonly underscoreHeaders: ReadonlySet<string>;
  /** Largest request content in bytes, or null. */
  readonly maxBodyBytes: number | null;
  /** null: fields about traces pass like any others. */
  readonly tracing: Tracing | null;
  readonly log: Logger;
}

export function proxyHandler(options: ProxyOptions): Handler {
  const passes = passingFields(options.underscoreHeaders);
  return (exchange) => {
    if (mayTravelOn(exchange.request)) new Forwarding(exchange, options, passes).start();
    else answerHere(exchange);
  };
}

/** A diagnostic request that may not go on. Nothing is reflected: the fields may hold secrets (RFC 9110 section 9.3.8). */
function answerHere(exchange: Exchange): void {
  if (exchange.request.method === 'OPTIONS') sendPlain(exchange, 200, '', '');
  else
    sendError(exchange, new PerantaraError('cannot answer TRACE', { code: 'not_implemented', source: 'downstream' }));
}

const NONE: readonly Target[] = [];

class Forwarding implements ExchangeObserver, ResponseObserver, Tunnel {
  readonly #exchange: Exchange;
  readonly #options: ProxyOptions;
  /** Whether a field of the client's may pass, in the head or as a trailer: not its claims, nor names with `_`. */
  readonly #passes: FieldTest;
  /** Targets that have failed. */
  #tried: readonly Target[] = NONE;
  #request: OutgoingRequest | null = null;
  #target: Target | null = null;
  #carrier: RequestCarrier | null = null;
  #contentTaken = false;
  #requestDone = false;
  #upgraded = false;
  /** On the same target. */
  #repeats = 0;

  constructor(exchange: Exchange, options: ProxyOptions, passes: FieldTest) {
    this.#exchange = exchange;
    this.#options = options;
    this.#passes = passes;
  }

  start(): void {
    const exchange = this.#exchange;
    const { maxBodyBytes, tracing } = this.#options;
    if (maxBodyBytes !== null) exchange.limitRequest(maxBodyBytes);
    exchange.observe(this);
    const { request } = exchange;
    tellUpstream(request, exchange.client, this.#passes, this.#options.trustedProxies);
    if (tracing !== null) {
      const trace = tracing.follow(request.headers);
      if (exchange.record !== null) exchange.record.trace = trace;
    }
    this.#request = {
      method: request.method,
      target: request.path + request.query,
      headers: request.headers,
      length: exchange.requestLength,
      upgradeTo: exchange.upgradeTo,
      acceptsTrailers: exchange.acceptsTrailers,
    };
    this.#requestDone = exchange.requestLength === 0;
    this.#attempt(null, null);
  }

  /** `again`: the target whose connection failed the request untouched, to be tried once more on a fresh one. */
  #attempt(again: Target | null, failure: PerantaraError | null): void {
    const target = again ?? this.#options.upstream.pick(this.#tried);
    if (target === null) {
      sendError(this.#exchange, failure ?? noTarget(this.#options.upstream));
      return;
    }
    const { upgradeTo, record } = this.#exchange;
    if (record !== null) {
      record.upstream = target.name;
      record.attempts++;
    }
    const carrier = again === null ? target.claim(upgradeTo) : target.claimFresh(upgradeTo);
    this.#target = target;
    this.#options.upstream.inflight++;
    this.#carrier = carrier;
    const isOpen = carrier.connected;
    carrier.send(this.#request!, this);
    if (isOpen) this.onConnect();
  }

  #release(): void {
    if (this.#target !== null) {
      this.#target.release();
      this.#options.upstream.inflight--;
      this.#target = null;
    }
    if (this.#upgraded) this.#options.upstream.tunnels.delete(this);
  }

  cut(): void {
    const error = new PerantaraError('tunnel cut: its site is no longer configured', {
      code: 'site_removed',
      source: 'internal',
    });
    this.#release();
    this.#carrier?.destroy();
    this.#carrier = null;
    this.#exchange.abort(error);
  }

  // From the upstream.

  onConnect(): void {
    if (this.#requestDone || this.#contentTaken || this.#carrier === null) return;
    this.#contentTaken = true;
    this.#exchange.receive();
  }

  onInformation(head: ResponseHead): void {
    this.#exchange.inform(head);
  }

  onResponse(head: ResponseHead, length: number | null): void {
    this.#target?.answered();
    // RFC 9110 section 6.6.1: whoever forwards a response without a date adds one.
    if (head.headers.get('date') === null) head.headers.append('Date', httpDate());
    this.#exchange.respond(head, length);
  }

  onUpgrade(head: ResponseHead, protocol: string): void {
    this.#upgraded = true;
    this.#target?.answered();
    this.#options.upstream.tunnels.add(this);
    this.#requestDone = false;
    this.#exchange.upgrade(head, protocol);
    this.#exchange.receive();
  }

  onResponseData(chunk: Buffer): void {
    if (!this.#exchange.write(chunk)) this.#carrier?.pause();
  }

  onResponseIdle(): void {
    this.#exchange.flush();
  }

  onResponseEnd(trailers: HeaderList | null): void {
    this.#release();
    // A response that is complete before its request: what is left of the request has nowhere to go.
    if (!this.#requestDone && !this.#upgraded) this.#carrier?.destroy();
    this.#exchange.end(trailers);
  }

  onRequestDrain(): void {
    this.#exchange.resume();
  }

  onResponseError(error: PerantaraError): void {
    const target = this.#target;
    const carrier = this.#carrier!;
    this.#release();
    this.#carrier = null;
    const retry = this.#exchange.responded
      ? 'no'
      : shouldRetry(error, {
          method: this.#request!.method,
          contentTaken: this.#contentTaken,
          hasContent: this.#exchange.requestLength !== 0,
          reused: carrier.reused,
          responseStarted: carrier.responseStarted,
          repeats: this.#repeats,
        });
    if (!this.#upgraded) {
      target?.figures.failed(error.code);
      if (retry !== 'same-target') target?.failed(error);
      const { host, path } = this.#exchange.request;
      const fields = { id: this.#exchange.id, host, path, target: target?.name, code: error.code, retry };
      this.#options.log.warn({ ...fields, reason: error.message }, 'upstream failed');
    }
    if (retry === 'no') sendError(this.#exchange, error);
    else if (retry === 'same-target') {
      this.#repeats++;
      this.#attempt(target, error);
    } else {
      if (target !== null) this.#tried = [...this.#tried, target];
      this.#attempt(null, error);
    }
  }

  // From the client.

  onData(chunk: Buffer): void {
    if (this.#carrier?.write(chunk) === false) this.#exchange.pause();
  }

  onEnd(trailers: HeaderList | null): void {
    this.#requestDone = true;
    trailers?.filter(this.#passes);
    this.#carrier?.end(trailers);
  }

  onDrain(): void {
    this.#carrier?.resume();
  }

  onAbort(): void {
    this.#release();
    this.#carrier?.destroy();
    this.#carrier = null;
  }
}

function noTarget({ drained }: Upstream): PerantaraError {
  const [why, code] = drained ? ['all its targets are drained', 'targets_drained'] : ['no target', 'no_target'];
  return new PerantaraError(`cannot forward request: ${why}`, { code, source: 'upstream' });
}
