// A configuration while it is being read: the source, the problems so far, and which parts are already known to be wrong.
import type { Position } from './config.ts';
import { makeProblem, type Place, type Problem, type ProblemDetails, positionOf } from './problem.ts';
import { type Path, pathId, type Source, showPath } from './source.ts';

export class Draft {
  readonly folder: string;
  /** Milliseconds since the epoch, for certificates. */
  readonly now: number;
  readonly errors: Problem[];
  readonly warnings: Problem[] = [];
  /** What is left after `remove`. */
  value: unknown;
  readonly #written: unknown;
  readonly #source: Source;
  /** The parts taken out. */
  readonly #tainted = new Set<string>();
  /** They and all their ancestors. */
  readonly #around = new Set<string>();

  constructor(source: Source, now: number) {
    this.#source = source;
    this.folder = source.folder;
    this.now = now;
    this.value = source.value;
    this.#written = structuredClone(source.value);
    this.errors = [...source.problems];
    for (const path of source.omitted) this.#taint(path);
  }

  /** Reports "cannot use <path>: <state>" where the value stands. */
  errorAt(path: Path, state: string, details?: ProblemDetails): void {
    this.fail(this.#source.valuePlace(path), `cannot use ${showPath(path)}: ${state}`, details);
  }

  /** The same, where the key stands that leads to the value. */
  errorAtKey(path: Path, state: string, details?: ProblemDetails): void {
    this.fail(this.#source.keyPlace(path), `cannot use ${showPath(path)}: ${state}`, details);
  }

  warnAt(path: Path, state: string, details?: ProblemDetails): void {
    this.warnings.push(makeProblem(this.#source.valuePlace(path), `check ${showPath(path)}: ${state}`, details));
  }

  warnAtKey(path: Path, state: string, details?: ProblemDetails): void {
    this.warnings.push(makeProblem(this.#source.keyPlace(path), `check ${showPath(path)}: ${state}`, details));
  }

  fail(place: Place, message: string, details?: ProblemDetails): void {
    this.errors.push(makeProblem(place, message, details));
  }

  positionAt(path: Path): Position {
    return positionOf(this.#source.valuePlace(path));
  }

  /** Position of a value that nobody wrote: `perantara.yaml (default)`. */
  defaultPosition(path: Path): Position {
    return `${this.#source.valuePlace(path).file} (default)`;
  }

  positionAtKey(path: Path): Position {
    return positionOf(this.#source.keyPlace(path));
  }

  /** The value as written, removed or not; undefined when nothing was. */
  writtenAt(path: Path): unknown {
    return valueAt(this.#written, path);
  }

  /** The value that is left, or undefined. */
  leftAt(path: Path): unknown {
    return valueAt(this.value, path);
  }

  /** The keys as written, removed or not, of the mapping at `path`. */
  keysAt(path: Path): string[] {
    const value = this.writtenAt(path);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  }

  /** The path of element `i` where one value may stand for a list of one. */
  elementPath(path: Path, i: number): Path {
    return Array.isArray(this.writtenAt(path)) ? [...path, i] : path;
  }

  /**
   * Takes a wrong value out, so that the rest can be checked; false when it was gone already. A list goes as a whole,
   * because its indexes are positions.
   */
  remove(path: Path): boolean {
    const parentPath = path.slice(0, -1);
    const parent = valueAt(this.value, parentPath);
    if (path.length > 0 && Array.isArray(parent)) return this.remove(parentPath);
    this.#taint(path);
    const isThere = valueAt(this.value, path) !== undefined;
    if (path.length === 0) this.value = undefined;
    else if (isThere) delete (parent as Record<string, unknown>)[path.at(-1)!];
    return isThere;
  }

  /** `sites` is required by the schema; what its absence means is said by config/sites. */
  ensureSites(): void {
    const root = this.value;
    if (typeof root !== 'object' || root === null || Array.isArray(root)) return;
    const sections = root as Record<string, unknown>;
    if (sections.sites === undefined) sections.sites = {};
  }

  /** Whether something at, in or around `path` was wrong and taken out: what is missing there is no new mistake. */
  isTainted(path: Path): boolean {
    if (this.#around.has(pathId(path))) return true;
    for (let length = 0; length < path.length; length++)
      if (this.#tainted.has(pathId(path.slice(0, length)))) return true;
    return false;
  }

  #taint(path: Path): void {
    this.#tainted.add(pathId(path));
    for (let length = 0; length <= path.length; length++) this.#around.add(pathId(path.slice(0, length)));
  }
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
