// The contract of a place where a machine or a browser keeps the authorities it trusts.

export interface TrustedRoot {
  readonly pem: string;
  /** Where the PEM lies, for programs that read it. */
  readonly file: string;
  /** The subject's common name, unique to this root. */
  readonly name: string;
  /** SHA-256 and SHA-1 over the DER, hexadecimal, upper case, without colons. */
  readonly sha256: string;
  readonly sha1: string;
}

export type TrustOutcome =
  | { readonly done: 'added' | 'already there' | 'removed' | 'not there' }
  /** `reason` completes `could not: …`; `byHand`: what to type, one line for a shell. */
  | { readonly done: 'failed'; readonly reason: string; readonly byHand: string };

export interface TrustStore {
  /** For people: `the system's authorities (/usr/local/share/ca-certificates)`. */
  readonly name: string;
  /** Idempotent; never rejects. */
  add(root: TrustedRoot): Promise<TrustOutcome>;
  /** Idempotent; never rejects. */
  remove(root: TrustedRoot): Promise<TrustOutcome>;
}

export interface ProgramResult {
  /** null: there is no such program. */
  readonly code: number | null;
  /** Standard output and standard error. */
  readonly output: string;
}

/** The machine as trust stores see it. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** Comes before every absolute path; '' but in tests. */
  readonly root: string;
  /** The home folder of the person at the terminal (under sudo not that of root), or null. */
  readonly home: string | null;
  run(program: string, args: readonly string[]): Promise<ProgramResult>;
}

/** What a program had to say about its failure, on one line. */
export function failureOf(program: string, { code, output }: ProgramResult): string {
  if (code === null) return `${program} is not installed`;
  const said = output.trim().split('\n').at(-1)?.trim() ?? '';
  return said === '' ? `${program} ended with ${code}` : `${program} says: ${said}`;
}

/** A word of a shell command. */
export function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
