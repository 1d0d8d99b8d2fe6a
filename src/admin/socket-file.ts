// A unix socket of mode 0600 in the file system, where a dead process may have left one. A living process keeps its own; of
// several that take a dead one's place at once, one has it in the end, and the others find out (`isOurs`).
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { link, lstat, rename, stat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, messageOf, PerantaraError } from '../core/errors.ts';
import { socketPathProblem } from '../core/socket-path.ts';

/** Between two looks at a socket that seems dead, and before whoever took its place believes it: others may have, too. */
const SETTLE_MS = 50;
/** How long a connection may take to get into a queue. */
const CONNECT_MS = 1_000;

const STATES: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system cannot be written to',
};

export class SocketFile {
  readonly path: string;
  readonly #id: string;

  private constructor(path: string, id: string) {
    this.path = path;
    this.#id = id;
  }

  /**
   * Makes the server listen there. Resolves with null when another process answers at that path; rejects with PerantaraError
   * `admin_failed`. The server does not listen then, and cannot be used again.
   */
  static async open(server: Server, path: string): Promise<SocketFile | null> {
    const problem = socketPathProblem(path);
    if (problem !== null) throw failed(path, problem);
    // Made under another name: it has its mode when it comes to its place, and whoever stands there is replaced in one step.
    const made = join(dirname(path), `.${randomBytes(4).toString('hex')}`);
    try {
      await stat(dirname(path));
      if (await isAlive(path)) return null;
      await listen(server, made);
      const file = new SocketFile(path, idOf(lstatSync(made)));
      if (await file.#take(made)) return file;
      server.close();
      return null;
    } catch (error) {
      server.close(() => {});
      if (error instanceof PerantaraError) throw error;
      throw failed(path, STATES[codeOf(error)] ?? messageOf(error), error);
    } finally {
      await unlink(made).catch(() => {});
    }
  }

  /** False when it was taken away, or another's stands in its place. */
  async isOurs(): Promise<boolean> {
    return lstat(this.path).then(
      (found) => idOf(found) === this.#id,
      () => false,
    );
  }

  /** Another's stays. */
  remove(): void {
    try {
      if (idOf(lstatSync(this.path)) === this.#id) unlinkSync(this.path);
    } catch {
      // Gone already.
    }
  }

  async #take(made: string): Promise<boolean> {
    if (await linked(made, this.path)) return true;
    await sleep(SETTLE_MS);
    if (await isAlive(this.path)) return false;
    await rename(made, this.path);
    await sleep(SETTLE_MS);
    return this.isOurs();
  }
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  // Nobody else may connect at any moment. The socket is made before `listen` returns; folders made meanwhile stay usable.
  const mask = process.umask(0o077);
  try {
    server.listen({ path, exclusive: true }, resolve);
  } finally {
    process.umask(mask);
  }
  try {
    await promise;
  } finally {
    server.off('error', reject);
  }
  chmodSync(path, 0o600);
}

/** False when something stands there. */
async function linked(made: string, path: string): Promise<boolean> {
  try {
    await link(made, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Whether somebody answers at the socket; false without one. Rejects for what is no socket, or may not be asked. */
async function isAlive(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return false;
  if (!found.isSocket())
    throw failed(path, 'something else than a socket stands there; remove it, or name another path');
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = connect({ path });
  // One whose queue is full is alive.
  socket.setTimeout(CONNECT_MS, () => resolve(true));
  socket.on('connect', () => resolve(true));
  socket.on('error', (error) => {
    const code = codeOf(error);
    if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
    else if (code === 'EAGAIN') resolve(true);
    else reject(error);
  });
  return promise.finally(() => socket.destroy());
}

/** While we listen, no other socket can have it. */
function idOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev} ${ino}`;
}

function failed(path: string, why: string, cause?: unknown): PerantaraError {
  return new PerantaraError(`cannot open the admin socket "${path}": ${why}`, {
    code: 'admin_failed',
    source: 'operator',
    cause,
  });
}
