// A handler that answers with so much content, in chunks, as fast as it is taken.
import type { Exchange, ExchangeObserver, Handler } from '../../src/http/exchange.ts';
import { HeaderList } from '../../src/http/header-list.ts';

export class ContentSource implements ExchangeObserver {
  readonly exchange: Exchange;
  /** Bytes given so far. */
  given = 0;
  aborted: string | null = null;
  readonly #bytes: number;
  readonly #chunkBytes: number;

  constructor(exchange: Exchange, bytes: number, chunkBytes: number) {
    this.exchange = exchange;
    this.#bytes = bytes;
    this.#chunkBytes = chunkBytes;
    exchange.observe(this);
    exchange.respond({ status: 200, reason: '', headers: new HeaderList() }, bytes);
    this.onDrain();
  }

  onDrain(): void {
    for (let more = true; more && this.given < this.#bytes; ) {
      const length = Math.min(this.#chunkBytes, this.#bytes - this.given);
      this.given += length;
      more = this.exchange.write(Buffer.alloc(length, 'c'));
    }
    if (this.given === this.#bytes) this.exchange.end(null);
  }

  onData(): void {}
  onEnd(): void {}

  onAbort({ code }: { readonly code: string }): void {
    this.aborted = code;
  }
}

/** `/1000` answers with so many bytes. */
export function sourceHandler(onSource: (source: ContentSource) => void = () => {}, chunkBytes = 16_384): Handler {
  return (exchange) => onSource(new ContentSource(exchange, Number(exchange.request.path.slice(1)), chunkBytes));
}
