// A request to the admin endpoint that is answered with `{ error: { code, message } }`.

export class AdminError extends Error {
  readonly status: number;
  /** Stable, machine-readable. */
  readonly code: string;
  /** Besides those of every answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'AdminError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}
