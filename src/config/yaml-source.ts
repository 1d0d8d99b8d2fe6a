// YAML text → a plain value with the position of every key and value. Only what JSON can say is taken: no tags, no merge
// keys, text for keys; aliases are expanded up to a bound.
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { suggest } from '../core/suggest.ts';
import { type Environment, substitute } from './environment.ts';
import { makeProblem, type Place, type Problem, type ProblemDetails, positionOf, showValue } from './problem.ts';
import { isSecret, type Path, pathId, type Source } from './source.ts';
import { syntaxProblems } from './yaml-syntax.ts';

/** More values than this through aliases is an attack or an accident ("billion laughs"). */
const MAX_ALIASED_VALUES = 10_000;
const MAX_DEPTH = 50;
const OMIT = Symbol('omit');
const JSON_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;

export interface YamlOptions {
  /** Name in messages, as the operator typed it. */
  readonly file: string;
  /** Absolute folder that relative paths start from. */
  readonly folder: string;
  readonly env: Environment;
}

export function yamlSource(text: string, options: YamlOptions): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    resolveKnownTags: false,
  });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file: options.file, line, column: col };
  };
  const syntax = syntaxProblems(document, text, placeAt);
  const reader = new NodeReader(document, options, placeAt);
  const value = syntax.length > 0 ? undefined : reader.read(document.contents, [], 0, false);
  const { keyPlaces, valuePlaces, problems, omitted } = reader;
  const lookUp = (places: ReadonlyMap<string, Place>, path: Path): Place => {
    for (let length = path.length; length > 0; length--) {
      const place = (length === path.length ? places : valuePlaces).get(pathId(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return { file: options.file, line: 1, column: 1 };
  };
  return {
    value: value === OMIT ? undefined : value,
    folder: options.folder,
    problems: [...syntax, ...problems],
    omitted,
    keyPlace: (path) => lookUp(keyPlaces, path),
    valuePlace: (path) => lookUp(valuePlaces, path),
  };
}

class NodeReader {
  readonly keyPlaces = new Map<string, Place>();
  readonly valuePlaces = new Map<string, Place>();
  readonly problems: Problem[] = [];
  readonly omitted: Path[] = [];
  readonly #document: Document.Parsed;
  readonly #options: YamlOptions;
  readonly #placeAt: (offset: number) => Place;
  readonly #open = new Set<Node>();
  #aliasedValues = 0;

  constructor(document: Document.Parsed, options: YamlOptions, placeAt: (offset: number) => Place) {
    this.#document = document;
    this.#options = options;
    this.#placeAt = placeAt;
  }

  /** The plain value of `node`, or OMIT when a problem was reported for it. */
  read(node: Node | null, path: Path, depth: number, aliased: boolean): unknown {
    if (node === null) return null;
    const place = this.#place(node);
    if (!this.valuePlaces.has(pathId(path))) this.valuePlaces.set(pathId(path), place);
    if (aliased && ++this.#aliasedValues > MAX_ALIASED_VALUES)
      return this.#aliasedValues === MAX_ALIASED_VALUES + 1
        ? this.#omit(path, place, `cannot expand aliases: they stand for more than ${MAX_ALIASED_VALUES} values`)
        : OMIT;
    if (depth > MAX_DEPTH || this.#open.has(node))
      return this.#omit(path, place, 'cannot read this value: it is nested too deeply or contains itself');
    if (node.tag !== undefined && !JSON_TAG.test(node.tag))
      return this.#omit(
        path,
        place,
        `cannot read this value: the tag ${node.tag.replace('tag:yaml.org,2002:', '!!')} is not supported`,
      );
    if (isAlias(node)) return this.#alias(node, path, place, depth);
    if (isScalar(node)) return this.#scalar(node.value, path, place);
    this.#open.add(node);
    try {
      if (isMap(node)) return this.#mapping(node.items as Iterable<MappingItem>, path, depth, aliased);
      if (isSeq(node)) return this.#list(node.items as Iterable<Node>, path, depth, aliased);
    } finally {
      this.#open.delete(node);
    }
    return OMIT;
  }

  #alias(node: Node, path: Path, place: Place, depth: number): unknown {
    const target = isAlias(node) ? node.resolve(this.#document) : undefined;
    if (target !== undefined) return this.read(target, path, depth + 1, true);
    const name = isAlias(node) ? node.source : '';
    return this.#omit(path, place, `cannot find the anchor "&${name}": it is not set above this line`, {
      allowed: 'quotes around text that begins with *',
      suggestion: `"*${name}"`.slice(1, -1),
    });
  }

  #scalar(value: unknown, path: Path, place: Place): unknown {
    if (typeof value !== 'string' || !value.includes('${')) return value;
    const result = substitute(value, this.#options.env);
    if (result.ok) return result.text;
    const literal = '$${ for a literal ${';
    if (result.name === null)
      return this.#omit(
        path,
        place,
        `cannot read "${isSecret(path) ? '${…' : result.written}": it is not a variable reference`,
        {
          allowed: `\${NAME}, \${NAME:-default}, ${literal}`,
        },
      );
    return this.#omit(path, place, `cannot replace \${${result.name}}: the environment variable is not set`, {
      allowed: `a set variable, or a default as in \${${result.name}:-value}`,
      suggestion: suggest(result.name, Object.keys(this.#options.env)),
    });
  }

  #mapping(items: Iterable<MappingItem>, path: Path, depth: number, aliased: boolean): unknown {
    const result: Record<string, unknown> = {};
    for (const { key, value } of items) {
      const place = key === null ? this.#placeAt(0) : this.#place(key);
      const name = key !== null && isScalar(key) ? key.value : undefined;
      const inner = [...path, String(name)];
      const first = this.keyPlaces.get(pathId(inner));
      if (typeof name !== 'string') {
        const found = name === undefined ? null : showValue(name);
        this.#omit(inner, place, 'cannot use this key: it is not text', { found, allowed: 'text; put it in quotes' });
        continue;
      }
      if (first !== undefined) {
        const message = `cannot use the key ${showValue(name)} twice: it already stands at ${positionOf(first)}`;
        this.problems.push(makeProblem(place, message));
        continue;
      }
      if (name === '<<' || name === '__proto__') {
        const allowed = name === '<<' ? 'an alias for a whole value; merge keys are not supported' : null;
        this.#omit(inner, place, `cannot use the key "${name}": it has no meaning here`, { allowed });
        continue;
      }
      this.keyPlaces.set(pathId(inner), place);
      const read = this.read(value, inner, depth + 1, aliased);
      if (read !== OMIT) result[name] = read;
      if (value === null || (isScalar(value) && value.value === null)) this.valuePlaces.set(pathId(inner), place);
    }
    return result;
  }

  #list(items: Iterable<Node>, path: Path, depth: number, aliased: boolean): unknown {
    const result = Array.from(items, (item, i) => this.read(item, [...path, i], depth + 1, aliased));
    return result.includes(OMIT) ? OMIT : result;
  }

  #omit(path: Path, place: Place, message: string, details?: ProblemDetails): typeof OMIT {
    this.omitted.push(path);
    this.problems.push(makeProblem(place, message, details));
    return OMIT;
  }

  #place(node: Node): Place {
    return this.#placeAt(node.range?.[0] ?? 0);
  }
}

interface MappingItem {
  readonly key: Node | null;
  readonly value: Node | null;
}
