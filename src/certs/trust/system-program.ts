// The trust of macOS (the System keychain) and of Windows (the machine's Root store): kept through programs of the system.
import {
  failureOf,
  type Machine,
  quoted,
  type TrustedRoot,
  type TrustOutcome,
  type TrustStore,
} from './trust-store.ts';

type Command = readonly [string, ...string[]];

interface Ways {
  readonly name: string;
  /** Before a command that a person types. */
  readonly prefix: string;
  /** Whether the output of `look` shows the root. */
  look(root: TrustedRoot): Command;
  shows(root: TrustedRoot, output: string): boolean;
  add(root: TrustedRoot): readonly Command[];
  remove(root: TrustedRoot): readonly Command[];
}

const KEYCHAIN = '/Library/Keychains/System.keychain';

const MACOS: Ways = {
  name: 'the System keychain',
  prefix: 'sudo ',
  look: () => ['security', 'find-certificate', '-a', '-Z', KEYCHAIN],
  shows: ({ sha256 }, output) => output.toUpperCase().includes(sha256),
  add: ({ file }) => [['security', 'add-trusted-cert', '-d', '-r', 'trustRoot', '-k', KEYCHAIN, file]],
  remove: ({ file, sha1 }) => [
    ['security', 'remove-trusted-cert', '-d', file],
    ['security', 'delete-certificate', '-Z', sha1, KEYCHAIN],
  ],
};

const WINDOWS: Ways = {
  name: "the machine's Root store",
  prefix: '',
  look: ({ sha1 }) => ['certutil', '-store', 'Root', sha1],
  shows: ({ sha1 }, output) => output.toUpperCase().replaceAll(' ', '').includes(sha1),
  add: ({ file }) => [['certutil', '-addstore', '-f', 'Root', file]],
  remove: ({ sha1 }) => [['certutil', '-delstore', 'Root', sha1]],
};

export class SystemProgram implements TrustStore {
  readonly name: string;
  readonly #ways: Ways;
  readonly #machine: Machine;

  private constructor(ways: Ways, machine: Machine) {
    this.name = ways.name;
    this.#ways = ways;
    this.#machine = machine;
  }

  /** null on other systems. */
  static find(machine: Machine): SystemProgram | null {
    if (machine.platform === 'darwin') return new SystemProgram(MACOS, machine);
    return machine.platform === 'win32' ? new SystemProgram(WINDOWS, machine) : null;
  }

  async add(root: TrustedRoot): Promise<TrustOutcome> {
    if (await this.#has(root)) return { done: 'already there' };
    return this.#run(this.#ways.add(root), 'added');
  }

  async remove(root: TrustedRoot): Promise<TrustOutcome> {
    if (!(await this.#has(root))) return { done: 'not there' };
    return this.#run(this.#ways.remove(root), 'removed');
  }

  async #has(root: TrustedRoot): Promise<boolean> {
    const [program, ...args] = this.#ways.look(root);
    const { code, output } = await this.#machine.run(program, args);
    return code === 0 && this.#ways.shows(root, output);
  }

  async #run(commands: readonly Command[], done: 'added' | 'removed'): Promise<TrustOutcome> {
    const { prefix } = this.#ways;
    const byHand = commands.map((command) => `${prefix}${command.map(quoted).join(' ')}`).join(' && ');
    for (const [program, ...args] of commands) {
      const result = await this.#machine.run(program, args);
      if (result.code !== 0) return { done: 'failed', reason: failureOf(program, result), byHand };
    }
    return { done };
  }
}
