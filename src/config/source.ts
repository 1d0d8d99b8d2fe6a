// What a configuration was read from: a plain value, and where each part of it stood.
import { type Place, type Problem, showValue } from './problem.ts';

/** From the root to a value: keys of mappings and indexes of lists. */
export type Path = readonly (string | number)[];

export interface Source {
  /** The whole configuration as JSON would have it; owned by the reader, which may change it. */
  readonly value: unknown;
  /** Absolute folder that relative paths start from. */
  readonly folder: string;
  /** Mistakes found while reading; `value` holds what could be read nevertheless. */
  readonly problems: readonly Problem[];
  /** Paths that `problems` left out of `value`. */
  readonly omitted: readonly Path[];
  /** Where the key stood that leads to `path`. Unknown paths give the nearest known ancestor. */
  keyPlace(path: Path): Place;
  /** Where the value at `path` stood. */
  valuePlace(path: Path): Place;
}

/** Prefix-free name of a path, for maps and sets. */
export function pathId(path: Path): string {
  return path.map((part) => `${part}\0`).join('');
}

/** `sites."app.example.com".routes."/api/*".proxy[1]` */
export function showPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${/^[\w-]+$/.test(part) ? part : showValue(part)}`;
  }
  return text === '' ? 'the configuration' : text;
}

/** Keys of secrets, and of mappings with one, in whose place somebody may write the secret itself. */
const SECRET_KEYS = /^(hmacKey|binding|token|cloudflare|secret|tsig|password|pkcs12|acmeDns|rfc2136|webhook)$/;

/** Whether messages may not show the value at `path`. (The URL of a webhook often holds a token.) */
export function isSecret(path: Path): boolean {
  if (path[0] === 'tracing' && path[1] === 'headers') return true;
  const key = path.findLast((part) => typeof part === 'string');
  return key !== undefined && SECRET_KEYS.test(key) && path.at(-2) !== 'sites';
}

/** The flag, or other place without lines, of each dotted path; `keys` where the key came from elsewhere. */
export interface ValuePlaces {
  readonly values: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<string, string>>;
}

/** Wraps a ready value: the flags of a command line. */
export function valueSource(value: unknown, folder: string, places: ValuePlaces): Source {
  const find = (path: Path, names: Readonly<Record<string, string>>): Place | null => {
    for (let length = path.length; length > 0; length--) {
      const file = names[path.slice(0, length).join('.')];
      if (file !== undefined) return { file, line: 0, column: 0 };
    }
    return null;
  };
  const valuePlace = (path: Path): Place => find(path, places.values) ?? { file: 'command line', line: 0, column: 0 };
  const keyPlace = (path: Path): Place => find(path, places.keys) ?? valuePlace(path);
  return { value: structuredClone(value), folder, problems: [], omitted: [], keyPlace, valuePlace };
}
